"""`greylag quarantine list | show | retry`."""

from __future__ import annotations

import json
import os
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from greylag.config import EVERY
from greylag.core.canonical import canonical
from greylag.core.extended_json import to_extended
from greylag.core.nearest import did_you_mean
from greylag.core.records import Refused, Rejection
from greylag.engine.collisions import doubtful, find_collisions
from greylag.engine.connections import Connections
from greylag.engine.follow.acceptance import accept, retried, settling, stale
from greylag.engine.lane import Lane
from greylag.engine.quarantine import Quarantine, key_text, line, rejection
from greylag.errors import ConfigurationError
from greylag.operations.belonging import identity, refuse_other
from greylag.operations.follow.between import noting
from greylag.operations.prepare import prepare
from greylag.operations.rates import rates, stated
from greylag.state.locks import run_lock
from greylag.state.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from greylag.config import Project
    from greylag.core.records import Encoded, Record
    from greylag.core.work import Executor
    from greylag.engine.connections import Rates
    from greylag.engine.follow.claims import Claiming, Notes
    from greylag.engine.route import Route

_TOGETHER = 500
_TOGETHER_BYTES = 4 * 2**20
"""How many records are read from the source again at once, and how long their lines may be together."""


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of one flow's quarantine: records carried now, gone from the source, and still refused."""

    flow: str
    carried: int
    items: int
    gone: int
    remaining: int

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def quarantines(folder: Path) -> list[Quarantine]:
    """Every flow's quarantine in the state folder, by name; the empty ones left out."""
    files = sorted((folder / "quarantine").glob("*.jsonl"))
    return [Quarantine(path.stem, path) for path in files if path.stat().st_size]


def entries(folder: Path, flow: str | None = None) -> Iterator[dict[str, Any]]:
    """The quarantined records, of one flow or of all, as they stand in their files, but for those of a load that a
    later change has carried. Those that could not be carried while following are `stale`: what the target holds of
    them is an earlier state, `accepted` or not.
    """
    with settling(folder) as settled:
        for quarantine in quarantines(folder):
            if flow in (None, quarantine.flow):
                yield from (
                    each for each in quarantine.entries() if not settled(quarantine.flow, each["key"])
                )
    for each, accepted in stale(folder, flow):
        yield {**each.entry, "stale": True, "accepted": accepted}


def accept_stale(folder: Path, flow: str, keys: Sequence[str]) -> int:
    """Take these stale records as they are at the target; how many. Raises ConfigurationError for one that is none."""
    found = [each for each, _ in stale(folder, flow)]
    chosen = []
    for key in keys:
        named = [each for each in found if _names(each.entry, key)]
        if not named:
            raise ConfigurationError(
                f"flow {flow} has no stale record {key}", advice="`greylag quarantine list` shows the keys."
            )
        chosen += named
    accept(folder, chosen)
    return len(chosen)


def refuse_unknown(project: Project, flow: str) -> None:
    """Raises ConfigurationError for a flow that has no quarantine and that greylag.yaml does not have either."""
    names = [each.name for each in project.flows]
    waiting = [each.flow for each in quarantines(project.state_folder)]
    every = {each.name for each in project.flows if each.source.dataset == EVERY}
    if flow not in names and flow not in waiting and flow.partition(".")[0] not in every:
        raise ConfigurationError(
            f"there is no flow {flow!r}{did_you_mean(flow, {*names, *waiting})}",
            advice=f"Flows: {', '.join(names)}.",
        )


def find(folder: Path, flow: str, key: str) -> dict[str, Any] | None:
    """The entry of `flow` whose key is `key`, in extended JSON or as plain text."""
    return next((entry for entry in entries(folder, flow) if _names(entry, key)), None)


def _names(entry: dict[str, Any], key: str) -> bool:
    told = entry["key"]
    if key in (json.dumps(told), json.dumps(told, separators=(",", ":")), str(told)):
        return True
    return isinstance(told, dict) and key in told.values()


def retry(project: Project, *, only: tuple[str, ...], executor: Executor) -> list[Retried]:
    """Read every quarantined record from its source again and carry it if it can be carried now.

    Each flow's file is replaced only after the target acknowledged what left it. A record that is gone from the
    source leaves quarantine too. Records may have been mended since the load. Raises StateError where the mapping,
    the table or the dataset is not the one that was loaded (law 12): a row of a changed file may be another record.
    """
    folder = project.state_folder
    with run_lock(folder):
        waiting = {each.flow for each in quarantines(folder)}
        prepared = prepare(project, only=only)
        notes = noting(project, [route for route in prepared.routes if route.name in waiting]).open()
        with (
            closing(notes),
            Store(folder / "state.sqlite") as store,
            closing(Connections()) as connections,
        ):
            for route in prepared.routes:
                if route.name in waiting and (state := store.flow(route.name)):
                    refuse_other(route.name, state.identity, identity(route, project.environment))
            connections.limit(rates(project, prepared.routes, 1))
            reading = stated(project, prepared.siblings)
            return [
                _retry(
                    route,
                    prepared.siblings,
                    store,
                    folder,
                    executor=executor,
                    connections=connections,
                    reading=reading,
                    notes=notes,
                )
                for route in prepared.routes
                if route.name in waiting
            ]


def _retry(
    route: Route,
    siblings: Iterable[Route],
    store: Store,
    folder: Path,
    *,
    executor: Executor,
    connections: Connections,
    reading: Rates,
    notes: Notes,
) -> Retried:
    state = store.flow(route.name)
    group = [each for each in siblings if each.flow.table.ref == route.flow.table.ref]
    suspects = doubtful(group)
    if route.name in {each.name for each in suspects}:
        keys = folder / "collisions" / f"retry-{route.name}"
        # anew: the source may have been mended since
        found = find_collisions(suspects, executor, keys, anew=True, rates=reading)
        route = route.with_colliding(found.path)
    quarantine = Quarantine.of(folder, route.name)
    if state is not None:
        quarantine.settle(rewritten=state.retrying)
        quarantine.truncate(state.quarantine_bytes)
        store.retry_settled(route.name)  # or the file begun now would count before it is whole
    carried = items = gone = remaining = 0
    left: set[str] = set()
    with closing(Lane(route, connections)) as lane, quarantine.rewriting.open("wb") as file:
        for outcome in _outcomes(lane, quarantine, notes.of(lane)):
            if isinstance(outcome, Rejection):
                left.add(key_text(to_extended(outcome.id)))
                remaining += 1
                file.write(line(route.name, outcome))
            elif outcome is None:
                gone += 1
            else:
                carried += 1
                items += outcome
        file.flush()
        os.fsync(file.fileno())
        length = file.tell()
    store.commit_retry(route.name, quarantine_bytes=length, retried=carried + gone, items=items)
    quarantine.settle(rewritten=True)
    store.retry_settled(route.name)
    retried(folder, route.name, left)
    return Retried(route.name, carried, items, gone, remaining)


def _outcomes(
    lane: Lane, quarantine: Quarantine, claiming: Claiming | None
) -> Iterator[Rejection | int | None]:
    """For each entry: how many items were written for it, why it stays, or None if its record is gone."""
    for lines in _together(quarantine.lines()):
        some = [rejection(json.loads(each)) for each in lines]
        found = {
            canonical(record.id): record
            for record in lane.source.fetch(lane.route.dataset.dataset, [each.id for each in some])
        }
        encoded: list[tuple[Record, list[Encoded]]] = []
        for each in some:
            record = found.get(canonical(each.id))
            if record is None:
                # a record the source itself cannot decode is not found by `fetch`, but is not gone either
                yield each if each.original is None else None
                continue
            try:
                encoded.append((record, lane.encode(record)))
            except Refused as refused:
                yield Rejection(record.id, refused.reason, refused.fix, record.fields)
        if claiming is not None:
            claiming.note([(record, [each.body for each in items]) for record, items in encoded])
        yield from _write(lane, encoded)


def _together(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Lines in groups that fit in memory with what becomes of them, however large a record is."""
    group: list[bytes] = []
    size = 0
    for each in lines:
        if group and (len(group) == _TOGETHER or size + len(each) > _TOGETHER_BYTES):
            yield group
            group, size = [], 0
        group.append(each)
        size += len(each)
    if group:
        yield group


def _write(lane: Lane, encoded: list[tuple[Record, list[Encoded]]]) -> Iterator[Rejection | int]:
    flat = [(place, item) for place, (_, items) in enumerate(encoded) for item in items]
    refused: dict[int, str] = {}
    size = lane.writer.batch_items
    batches = [flat[start : start + size] for start in range(0, len(flat), size)]
    for batch, delivery in zip(
        batches, lane.writer.write([item for _, item in batch] for batch in batches), strict=True
    ):
        refused |= {batch[index][0]: reason for index, reason in (*delivery.refused, *delivery.duplicates)}
    for place, (record, items) in enumerate(encoded):
        if place in refused:
            yield Rejection(record.id, refused[place], "Mend the record or its mapping.", record.fields)
        else:
            yield len(items)
