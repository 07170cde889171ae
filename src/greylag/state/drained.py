"""The last drain that held, and what was fenced when it began: `drained.json` of a state folder.

A drain that began behind a fence has proved that nothing written before the fence is missing at the target. The way
back begins from there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from greylag.engine.disk import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from greylag.state.fences import Fences

_FILE: Final = "drained.json"


def note(folder: Path, flows: Iterable[str], fences: Fences) -> None:
    """These flows were drained; `fences` stood when that began. Durable on return."""
    fenced = {
        each.service: each.since_ms
        for each in fences.services
        if each.side == "source" and each.state == "fenced"
    }
    told = {"flows": dict.fromkeys(sorted(flows), fenced)}
    write_whole(folder / _FILE, json.dumps(told, indent=1).encode("ascii") + b"\n")


def load(folder: Path) -> dict[str, Mapping[str, Mapping[str, int]]]:
    """By flow: the services that were fenced when its drain began, and since when. A damaged file says nothing."""
    try:
        found: dict[str, Mapping[str, Mapping[str, int]]] = json.loads((folder / _FILE).read_bytes())["flows"]
    except (FileNotFoundError, ValueError, KeyError):
        return {}
    return found


def forget(folder: Path, flows: Iterable[str]) -> None:
    """A drain of these no longer tells anything."""
    known = load(folder)
    for flow in flows:
        known.pop(flow, None)
    write_whole(folder / _FILE, json.dumps({"flows": known}, indent=1).encode("ascii") + b"\n")
