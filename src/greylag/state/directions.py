"""Which flows' changes go back, from the target to the old store: `directions.json` of a state folder.

A flow that is not named goes forward. It is named before anything of the way back begins, and whoever carries forward
looks here first: so the two directions never overlap, whatever is killed. `run --restart` leaves the file alone.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from greylag.engine.disk import write_whole
from greylag.errors import StateError
from greylag.state.locks import run_lock

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

BACK: Final = "back"
"""Changes are carried back, now or as soon as the command is given again."""

ENDED: Final = "ended"
"""They no longer are. What the target holds may be older than the old store: forward it goes from a new load only."""

_FILE: Final = "directions.json"


def load(folder: Path) -> dict[str, str]:
    """BACK or ENDED, by flow. Raises StateError where the file is damaged."""
    path = folder / _FILE
    try:
        told = json.loads(path.read_text(encoding="ascii"))
        return {str(flow): str(state) for flow, state in told["flows"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, AttributeError) as error:
        raise StateError(
            f"{path} cannot be read: {error}",
            advice="It says which flows are carried back: mend it, do not delete it.",
        ) from error


def carried_back(folder: Path) -> frozenset[str]:
    """The flows that are carried back."""
    return frozenset(flow for flow, state in load(folder).items() if state == BACK)


def note(folder: Path, flows: Iterable[str], state: str | None) -> None:
    """These are BACK, ENDED, or with None go forward; durable on return."""
    with run_lock(folder / "reverse"):
        known = load(folder)
        for flow in flows:
            if state is None:
                known.pop(flow, None)
            else:
                known[flow] = state
        write_whole(
            folder / _FILE, json.dumps({"format": 1, "flows": known}, indent=1).encode("ascii") + b"\n"
        )


def refuse_back(folder: Path, flows: Collection[str]) -> None:
    """Raise StateError where one is carried back: writing it forward would put earlier states over later."""
    if names := sorted(carried_back(folder) & set(flows)):
        raise StateError(
            f"flow {', '.join(names)} is carried back from its target (`greylag follow --reverse`)",
            advice="The two directions never overlap. `greylag follow --reverse SERVICE --end` gives the way back up.",
        )
