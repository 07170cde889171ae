"""`greylag status`: where a run stands, from its state alone; connects to nothing and changes nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from greylag.core.progress import LOADED, Snapshot
from greylag.operations.streams import followed, progress, progress_back
from greylag.state import directions
from greylag.state.locks import is_running
from greylag.state.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Status:
    """`running` says whether a coordinator is at work now. Rates in the snapshot are None when none is.
    `carried_back`: the flows whose changes go from the target to the old store; `back_running`: now. `given_up`: those
    that did so once, and that go forward from a new load only.
    """

    running: bool
    snapshot: Snapshot
    carried_back: tuple[str, ...] = ()
    back_running: bool = False
    given_up: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "running": self.running,
            "carried_back": list(self.carried_back),
            "back_running": self.back_running,
            "given_up": list(self.given_up),
            **asdict(self.snapshot),
        }


def status(folder: Path) -> Status:
    """The state in `folder`. Raises StateError if there is none."""
    running = is_running(folder)
    with Store(folder / "state.sqlite", read_only=True) as store:
        flows = tuple(store.progress())
        seconds = sum(each.seconds for each in store.flows())
        last = store.noted("snapshot") or {}
        names = sorted(set(followed(store).values()))
    snapshot = Snapshot(
        operation="run",
        flows=flows,
        elapsed_seconds=seconds,
        finished=bool(flows) and all(each.stage in LOADED for each in flows),
        streams=(*progress(folder, names), *progress_back(folder)),
    )
    if running and last:
        snapshot = replace(
            snapshot,
            elapsed_seconds=last["elapsed_seconds"],
            records_per_second=last["records_per_second"],
            bytes_per_second=last["bytes_per_second"],
            seconds_left=last["seconds_left"],
        )
    ways = directions.load(folder)
    return Status(
        running,
        snapshot,
        tuple(sorted(flow for flow, way in ways.items() if way == directions.BACK)),
        any(is_running(each) for each in (folder / "reverse").glob("*/")),
        tuple(sorted(flow for flow, way in ways.items() if way == directions.ENDED)),
    )
