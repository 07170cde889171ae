"""`greylag run`: the full load of every flow, from wherever an earlier run of it stopped."""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from greylag.core.progress import LOADED
from greylag.engine.load import Load, LoadOptions
from greylag.engine.loader import PAGE_BYTES, PARTITION_BYTES
from greylag.engine.quarantine import Quarantine
from greylag.errors import StateError
from greylag.operations.belonging import identity, refuse_other
from greylag.operations.collisions import collisions_of, with_collisions
from greylag.operations.dryrun import WouldRefuse, dry_run
from greylag.operations.plan.file import MAKING, prepare_planned
from greylag.operations.prepare import prepare
from greylag.operations.rates import stated
from greylag.operations.rivals import refuse_resting
from greylag.operations.streams import followed
from greylag.operations.structure.build import build_indexes
from greylag.state.directions import refuse_back
from greylag.state.locks import run_lock
from greylag.state.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from greylag.config import Project
    from greylag.core.progress import FlowProgress, Snapshot
    from greylag.core.work import Executor
    from greylag.engine.route import Route
    from greylag.operations.plan.file import PlanFile
    from greylag.operations.structure.build import Built


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What `greylag run` was asked. `only`: services or flows. `limit`: records of each flow. With `plan` the flows are
    those that were planned, and anything else that no longer fits is refused.
    """

    only: tuple[str, ...] = ()
    restart: bool = False
    limit: int | None = None
    dry_run: bool = False
    partition_bytes: int = PARTITION_BYTES
    page_bytes: int = PAGE_BYTES
    plan: PlanFile | None = None


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did. `flows` counts from the flows' beginning, resumed runs included; `seconds` is this run alone.

    `already_finished` names flows that were complete before, and that this run did not touch. `refused`: what a dry
    run found, the first records of each flow.
    """

    flows: tuple[FlowProgress, ...]
    seconds: float
    already_finished: tuple[str, ...] = ()
    resumed: tuple[str, ...] = ()
    limited: bool = False
    dry_run: bool = False
    notes: tuple[str, ...] = ()
    refused: tuple[WouldRefuse, ...] = ()
    indexes: tuple[Built, ...] = ()

    @property
    def quarantined(self) -> int:
        """How many records stand in quarantine."""
        return sum(flow.records_quarantined for flow in self.flows)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "records_quarantined": self.quarantined}


def run(
    project: Project, options: RunOptions, *, executor: Executor, observe: Callable[[Snapshot], None]
) -> RunReport:
    """Load what is not loaded yet. Raises StateError where an earlier run's state may not be continued (law 12)."""
    started = time.monotonic()
    if options.dry_run:
        flows, refused = dry_run(
            prepare(project, only=options.only, pretend=True), limit=options.limit, observe=observe
        )
        return RunReport(
            flows,
            time.monotonic() - started,
            dry_run=True,
            limited=options.limit is not None,
            refused=refused,
        )
    folder = project.state_folder
    with run_lock(folder):
        if options.restart:
            discard_damaged(folder)
        with Store(folder / "state.sqlite") as store:
            begun = {} if options.restart else {each.flow: each.identity for each in store.flows()}
            if options.plan is not None:
                prepared = prepare_planned(options.plan, project, store, restart=options.restart)
            else:
                prepared = prepare(project, only=options.only, create=True, begun=begun)
            refuse_followed(store, prepared.routes)
            refuse_back(folder, {route.name for route in prepared.routes})
            refuse_resting(folder, prepared.flows, {route.name for route in prepared.routes})
            finished, resumed = begin(
                prepared.routes, store, folder, environment=project.environment, restart=options.restart
            )
            if options.plan is not None:
                store.note(MAKING, [])
            todo = [route for route in prepared.routes if route.name not in finished]
            done: dict[str, FlowProgress] = {each.flow: each for each in store.progress()}
            if todo:
                rates = stated(project, prepared.siblings)
                routes = with_collisions(
                    todo,
                    prepared.siblings,
                    executor,
                    folder,
                    observe=observe,
                    rates=rates,
                )
                last = Load(
                    routes,
                    store=store,
                    folder=folder,
                    executor=executor,
                    observe=observe,
                    options=LoadOptions(options.limit, options.partition_bytes, options.page_bytes, rates),
                ).run()
                done |= {each.flow: each for each in last.flows}
            indexes = build_indexes(prepared.routes, observe=observe) if options.limit is None else ()
            return RunReport(
                flows=tuple(done[route.name] for route in prepared.routes),
                indexes=indexes,
                seconds=time.monotonic() - started,
                already_finished=tuple(sorted(finished)),
                resumed=tuple(sorted(resumed)),
                limited=options.limit is not None,
                notes=_notes(todo),
            )


def begin(
    routes: Sequence[Route], store: Store, folder: Path, *, environment: str, restart: bool
) -> tuple[set[str], set[str]]:
    """The names of flows that are finished, and of those that go on from a checkpoint; the rest begins anew."""
    finished: set[str] = set()
    resumed: set[str] = set()
    for route in routes:
        now = identity(route, environment)
        state = store.flow(route.name)
        if state is None or restart:
            # Before the state begins: what an earlier load found of shared keys must not outlive it, since not every
            # source tells by its identity that records have changed. The quarantine after it: until then its lines
            # are what the state counts.
            shutil.rmtree(collisions_of(folder, str(route.flow.table.ref)), ignore_errors=True)
            store.begin(
                route.name,
                now,
                now=time.time(),
                records_estimate=route.dataset.estimated_records,
                bytes_estimate=route.dataset.estimated_bytes,
            )
            Quarantine.of(folder, route.name).truncate(0)
            continue
        refuse_other(route.name, state.identity, now)
        (finished if state.stage in LOADED else resumed).add(route.name)
    return finished, resumed


def refuse_followed(store: Store, routes: Sequence[Route]) -> None:
    """Raise StateError where one is followed: a load that nothing follows would bring back what has changed since."""
    if names := sorted(followed(store).keys() & {route.name for route in routes}):
        raise StateError(
            f"flow {', '.join(names)} is followed: a load beside that would write earlier states over later",
            advice="`greylag run --follow` goes on; `greylag run --follow --reload FLOW` loads a flow again.",
        )


def discard_damaged(folder: Path) -> None:
    """`--restart` must work where the state file itself is the trouble."""
    path = folder / "state.sqlite"
    try:
        if path.exists():
            with Store(path) as store:
                store.check()
    except StateError:
        for name in ("state.sqlite", "state.sqlite-wal", "state.sqlite-shm"):
            (folder / name).unlink(missing_ok=True)


def _notes(routes: Sequence[Route]) -> tuple[str, ...]:
    frozen = [route.name for route in routes if not route.dataset.resumable_changes]
    others = [route.name for route in routes if route.dataset.resumable_changes]
    notes = []
    if frozen:
        notes.append(
            f"the sources of {', '.join(frozen)} keep no resumable log of changes: what is written to them since the "
            "load began is not carried. Freeze their writes while they move."
        )
    if others:
        notes.append(
            f"what is written to the sources of {', '.join(others)} since the load began is not carried: "
            "`greylag run --follow` would have followed it. Freeze their writes, or `greylag verify` and `greylag "
            "repair` afterwards."
        )
    return tuple(notes)
