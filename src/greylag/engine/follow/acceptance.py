"""Stale records that someone has accepted by name, in a file of their own: apply alone writes what it keeps.

A record that is carried again, and later cannot be, has to be accepted again: an acceptance holds for the state that it
was given for, which the ordinal of its change tells.
"""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from greylag.engine.disk import sync_folder, write_whole, writing
from greylag.engine.follow.applied import Applied

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from greylag.engine.follow.applied import Stale


def accept(folder: Path, records: Iterable[Stale]) -> None:
    """Accept these, durably. `folder` is the state folder."""
    path = _path(folder)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="ascii") as file:
            for each in records:
                file.write(json.dumps(_named(each)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)


def forget(folder: Path, flows: Collection[str]) -> None:
    """What was accepted of these flows is forgotten: their stream begins anew, and counts its changes from none."""
    known = _accepted(folder)
    kept = [each for each in sorted(known) if each[0] not in flows]
    if len(kept) < len(known):
        write_whole(_path(folder), "".join(json.dumps(each) + "\n" for each in kept).encode("ascii"))


def stale(folder: Path, flow: str | None = None) -> Iterator[tuple[Stale, bool]]:
    """The records of one flow or of all that could not be carried while following, and whether they were accepted."""
    known = _accepted(folder)
    for path in _applied(folder):
        with Applied.look(path) as applied:
            if applied is None:
                continue
            for each in applied.stale():
                if flow in (None, each.flow):
                    yield each, tuple(_named(each)) in known


@contextmanager
def settling(folder: Path) -> Iterator[Callable[[str, object], bool]]:
    """A function of a flow and a quarantined record's key: whether a later change has carried what the load could not,
    or the record is gone.
    """
    with ExitStack() as stack:
        opened = [stack.enter_context(Applied.look(path)) for path in _applied(folder)]
        found = [each for each in opened if each is not None]
        yield lambda flow, key: any(each.settled(flow, key) for each in found)


def retried(folder: Path, flow: str, left: Collection[str]) -> None:
    """A retry has carried what the load could not, but for the records in `left` (`key_text` of each): from now on they
    are stale like any other where they cannot be carried. No apply runs.
    """
    for path in _applied(folder):
        with closing(Applied(path)) as applied, applied.transaction():
            applied.retried(flow, left)


def _named(record: Stale) -> list[str | int]:
    return [record.flow, record.id.hex(), record.kind, record.ordinal]


def _applied(folder: Path) -> list[Path]:
    return sorted((folder / "apply").glob("*.sqlite"))


def _path(folder: Path) -> Path:
    return folder / "apply" / "accepted.jsonl"


def _accepted(folder: Path) -> set[tuple[str | int, ...]]:
    try:
        with _path(folder).open(encoding="ascii") as file:
            return {tuple(json.loads(line)) for line in file if line.endswith("\n")}
    except FileNotFoundError:
        return set()
