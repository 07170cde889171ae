"""`greylag run --follow`: capture, the load, apply, until told to stop.

The coordinator starts capture for every source before it plans a load (law 1), loads what is not loaded, makes a mark
at each source once that has ended, starts apply, and waits. Capture and apply are processes of their own: killed ones
are started again, the error of one that raised ends the run. Whatever the run's end, the same command goes on.
"""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from greylag.core.progress import LOADED, Snapshot
from greylag.engine.connections import Rates
from greylag.engine.follow.applied import Applied
from greylag.engine.follow.applying import ApplyWork
from greylag.engine.follow.capture import CaptureWork, ask_barrier
from greylag.engine.follow.snapshots import as_followed
from greylag.engine.follow.stream import streams
from greylag.engine.load import Load, LoadOptions
from greylag.errors import SchemaError
from greylag.executors.child import Child
from greylag.operations.collisions import with_collisions
from greylag.operations.follow.allowed import (
    forward,
    refuse_lost_spools,
    refuse_unfollowed,
    refuse_without_changes,
)
from greylag.operations.follow.anew import UNSETTLED, begin_anew, purge
from greylag.operations.follow.report import FollowReport
from greylag.operations.prepare import prepare
from greylag.operations.rates import stated
from greylag.operations.rivals import resting
from greylag.operations.run import begin, discard_damaged
from greylag.operations.streams import followed, progress, remember
from greylag.operations.structure.build import build_indexes
from greylag.state.locks import run_lock
from greylag.state.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from greylag.config import Project
    from greylag.core.progress import StreamProgress
    from greylag.core.work import Executor
    from greylag.engine.follow.stream import Stream
    from greylag.engine.route import Route
    from greylag.operations.prepare import Prepared
    from greylag.operations.run import RunOptions

_TICK_SECONDS: Final = 0.2
_SNAPSHOT_SECONDS: Final = 1.0
_END_SECONDS: Final = 60.0


def follow(
    project: Project,
    options: RunOptions,
    *,
    executor: Executor,
    observe: Callable[[Snapshot], None],
    reload: Sequence[str] = (),
    stopped: threading.Event | None = None,
) -> FollowReport:
    """Load what is not loaded, and follow until `stopped` is set or a KeyboardInterrupt. An interrupt before all is
    loaded is raised. `reload` names services or flows whose streams begin anew: everything they follow is loaded again
    from a new position, and what is gone at the source then goes at the target.

    Raises PositionLost where a source no longer has what comes after the spool; StateError where a stream ended
    (dropped, renamed), and where state may not be continued (law 12).
    """
    folder = project.state_folder
    with run_lock(folder):
        if options.restart:
            discard_damaged(folder)
        with Store(folder / "state.sqlite") as store:
            following = _Following(
                project,
                options,
                store=store,
                executor=executor,
                observe=observe,
                stopped=stopped or threading.Event(),
            )
            return following.run(reload)


class _Following:
    def __init__(
        self,
        project: Project,
        options: RunOptions,
        *,
        store: Store,
        executor: Executor,
        observe: Callable[[Snapshot], None],
        stopped: threading.Event,
    ) -> None:
        self._project = project
        self._options = options
        self._store = store
        self._executor = executor
        self._show = observe
        self._stopped = stopped
        self._folder = project.state_folder
        self._children: list[Child] = []
        self._barriers: dict[str, str] = {}
        self._settling: set[str] = set()
        self._notes: list[str] = []
        self._streams: list[Stream] = []
        self._started = time.monotonic()

    def run(self, reload: Sequence[str]) -> FollowReport:
        prepared = self._prepare(reload)
        self._streams = streams(prepared.routes, self._folder)
        if not self._options.restart:
            refuse_unfollowed(self._store, prepared.routes)
        begin_anew(
            self._project,
            self._store,
            prepared,
            self._streams,
            restart=self._options.restart,
            reload=reload,
        )
        with self._supervised():
            # Before their state begins: a flow that has state and is not followed has missed changes.
            remember(self._store, self._streams)
            refuse_lost_spools(self._store, self._streams)
            self._capture()
            prepared = replace(
                prepared,
                routes=as_followed(prepared.routes, self._folder),
                siblings=as_followed(prepared.siblings, self._folder),
            )
            begin(
                prepared.routes,
                self._store,
                self._folder,
                environment=self._project.environment,
                restart=False,
            )
            self._streams = streams(self._load(prepared), self._folder)
            purge(
                self._project,
                self._store,
                prepared,
                self._streams,
                executor=self._executor,
                observe=self._observe,
            )
            self._mark()
            self._apply(prepared)
            with suppress(KeyboardInterrupt):  # how following ends
                self._wait()
        return self._report()

    def _prepare(self, reload: Sequence[str]) -> Prepared:
        """What was asked for, and what was followed before: its changes must not be missed meanwhile. Flows that are
        carried back are left out.
        """
        begun = {each.flow for each in self._store.flows()}
        before = followed(self._store)
        only = (*self._options.only, *sorted(before)) if self._options.only else ()
        prepared = prepare(
            self._project, only=only, create=True, begun=() if self._options.restart else begun
        )
        refuse_without_changes(prepared.routes)
        self._notes += [
            f"flow {flow} rests, since flow {other}, of the same records, is carried back"
            for flow, other in resting(self._folder, prepared.flows).items()
        ]
        return replace(prepared, routes=forward(self._project, prepared, [*self._options.only, *reload]))

    def _capture(self) -> None:
        """Start capture of every stream; return once all have saved a position."""
        waiting = {stream.name for stream in self._streams}
        for stream in self._streams:
            route = stream.routes[0]
            work = CaptureWork(
                self._folder,
                stream.name,
                route.source,
                tuple(stream.followed()),
                stream.spool,
                stream.scratch,
                self._project.spool_bytes,
                self._project.read_bytes_per_second(stream.name),
            )
            self._start(f"capture of {stream.name}", work, partial(_strike, waiting, stream.name))
        while waiting:
            self._check()
            time.sleep(0.01)

    def _load(self, prepared: Prepared) -> list[Route]:
        """The full load of what is not loaded. All routes, as apply needs them."""
        rates = stated(self._project, prepared.siblings)
        routes = with_collisions(
            prepared.routes,
            prepared.siblings,
            self._executor,
            self._folder,
            observe=self._observe,
            rates=rates,
        )
        stages = {each.flow: each.stage for each in self._store.flows()}
        todo = [route for route in routes if stages[route.name] not in LOADED]
        if todo:
            unclean = self._store.noted(UNSETTLED) or any(self._store.partitions(each.name) for each in todo)
            self._store.note(UNSETTLED, True)
            load = Load(
                todo,
                store=self._store,
                folder=self._folder,
                executor=self._executor,
                observe=self._observe,
                options=LoadOptions(
                    None,
                    self._options.partition_bytes,
                    self._options.page_bytes,
                    rates,
                    tuple(streams(routes, self._folder)),
                ),
            )
            load.run()
            # Only a load that no process died in, and that knows what became of each request, leaves nothing behind.
            self._store.note(UNSETTLED, bool(unclean or load.unknown))
        return routes

    def _mark(self) -> None:
        """Of flows that are not yet following: everything written before now is applied once apply passes a barrier."""
        stages = {each.flow: each.stage for each in self._store.flows()}
        for stream in self._streams:
            waiting = [route.name for route in stream.routes if stages[route.name] != "following"]
            if not waiting:
                continue
            with closing(stream.routes[0].source.source()) as source, closing(stream.feed(source)) as feed:
                mark = feed.mark()
            barrier = f"load-{uuid.uuid4().hex}"
            ask_barrier(stream.spool, barrier, mark)
            for name in waiting:
                self._store.enter(name, "catching up")
            self._barriers[stream.name] = barrier

    def _apply(self, prepared: Prepared) -> None:
        unsettled = bool(self._store.noted(UNSETTLED))
        self._settling |= {each.name for each in self._streams}
        rates = stated(self._project, prepared.siblings)
        for stream in self._streams:
            self._start(
                f"apply of {stream.name}",
                ApplyWork(stream, unsettled, Rates(rates.write_units)),
                partial(_strike, self._settling, stream.name),
            )

    def _wait(self) -> None:
        """Until told to stop, or until something raises."""
        shown, unsettled = 0.0, bool(self._store.noted(UNSETTLED))
        while not self._stopped.wait(_TICK_SECONDS):
            self._check()
            self._advance()
            if unsettled and not self._settling:
                unsettled = False
                self._store.note(UNSETTLED, False)
            if time.monotonic() - shown >= _SNAPSHOT_SECONDS:
                shown = time.monotonic()
                self._observe(self._snapshot())

    def _advance(self) -> None:
        """Flows whose barrier apply has passed are following."""
        for stream in self._streams:
            barrier = self._barriers.get(stream.name)
            if barrier is None:
                continue
            with Applied.look(stream.applied) as applied:
                passed = applied is not None and applied.passed(barrier)
            if passed:
                for route in stream.routes:
                    self._store.enter(route.name, "following")
                del self._barriers[stream.name]
                self._build_indexes(stream)

    def _build_indexes(self, stream: Stream) -> None:
        """Once no earlier state can show any more, unique indexes too hold what the source's do."""
        try:
            build_indexes(stream.routes, observe=self._observe)
        except SchemaError as error:
            self._notes.append(str(error))

    def _start(self, name: str, work: Any, told: Callable[[Any], None]) -> None:
        self._children.append(Child(name, work, told))

    def _check(self) -> None:
        for child in self._children:
            child.check()

    @contextmanager
    def _supervised(self) -> Iterator[None]:
        try:
            yield
        finally:
            for child in self._children:
                child.stop()
            for child in self._children:
                child.join(_END_SECONDS)

    def _observe(self, snapshot: Snapshot) -> None:
        self._check()
        seen = replace(snapshot, streams=self._progress())
        self._store.save_snapshot(seen)
        self._show(seen)

    def _progress(self) -> tuple[StreamProgress, ...]:
        return progress(self._folder, [each.name for each in self._streams])

    def _snapshot(self) -> Snapshot:
        names = {route.name for each in self._streams for route in each.routes}
        flows = tuple(each for each in self._store.progress() if each.flow in names)
        return Snapshot("run", flows, time.monotonic() - self._started)

    def _report(self) -> FollowReport:
        now = self._snapshot()
        return FollowReport(
            now.flows,
            self._progress(),
            now.elapsed_seconds,
            sum(child.restarts for child in self._children),
            (*self._notes, *(f"{each.stream}: {each.warning}" for each in self._progress() if each.warning)),
        )


def _strike(waiting: set[str], stream: str, told: object) -> None:  # noqa: ARG001 - that it told is enough
    waiting.discard(stream)
