"""The coordinator's side of a full load: plans partitions, hands them out, saves checkpoints.

Order is what makes a resume exact. For each acknowledged page: its rejections become durable in quarantine, then
one transaction saves cursor, counts and the quarantine file's length. A partition is durable before it is read, a
flow is `planned` only when all of its partitions are, and `loaded` only when all of them are done. `loader` has the
worker's side.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from greylag.core.work import Finished
from greylag.engine.budget import Budget
from greylag.engine.connections import Rates
from greylag.engine.loader import PAGE_BYTES, PARTITION_BYTES, LoadTask, LoadWork, PageLoaded
from greylag.engine.meter import Meter
from greylag.engine.quarantine import Quarantine
from greylag.engine.sharing import Sharing
from greylag.state.store import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from greylag.core.progress import FlowProgress, Snapshot
    from greylag.core.work import Executor
    from greylag.engine.follow.stream import Stream
    from greylag.engine.route import Route
    from greylag.state.store import Store

_SNAPSHOT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """`limit`: records of each flow, None for all. `rates` are those of all workers together; a table that it does
    not limit adapts. `streams`: those that will be followed afterwards.
    """

    limit: int | None = None
    partition_bytes: int = PARTITION_BYTES
    page_bytes: int = PAGE_BYTES
    rates: Rates = field(default_factory=Rates)
    streams: tuple[Stream, ...] = ()


class Load:
    """One full load of `routes` whose state stands in `store`, in `folder`."""

    def __init__(
        self,
        routes: Sequence[Route],
        *,
        store: Store,
        folder: Path,
        executor: Executor,
        observe: Callable[[Snapshot], None],
        options: LoadOptions,
    ) -> None:
        self._routes = {route.name: route for route in routes}
        self._store = store
        self._folder = folder
        self._executor = executor
        self._observe = observe
        self._options = options
        self._quarantines = {name: Quarantine.of(folder, name) for name in self._routes}
        self._quarantine_bytes: dict[str, int] = {}
        self._budgets: dict[str, Budget] = {}
        self._uncounted: dict[str, Counts] = {}
        self._last_checkpoint = 0.0
        self._next_snapshot = 0.0
        self._meter = Meter("run", started=time.monotonic())
        self.unknown = 0
        """Requests of this run that may still land after the target acknowledged the same items again (law 5)."""

    def run(self) -> Snapshot:
        """Load what is not yet loaded; the last snapshot. Raises what the workers raise; the state then holds every
        acknowledged page, and calling again goes on from there.
        """
        self._resume()
        self._last_checkpoint = time.monotonic()
        options = self._options
        work = LoadWork(self._routes, self._folder, options.limit, options.page_bytes, options.streams)
        self._sharing = Sharing(self._executor, self._rates())
        for event in self._sharing.run(work, self._tasks()):
            if isinstance(event, Finished):
                self._finish(event.task)
            else:
                self._save(event.task, event.content)
            self._tick()
        for name in self._routes:
            self._complete(name)
        return self._show(time.monotonic(), finished=True)

    def _resume(self) -> None:
        """Go back to the last checkpoint: quarantine is cut to it, as the pages after it will be read again. A flow
        whose plan was interrupted starts anew, since a second plan need not cut where the first did.
        """
        now = time.monotonic()
        for name, route in self._routes.items():
            state = self._store.flow(name)
            assert state is not None, "the state of a flow begins before its load"
            if not state.planned:
                self._store.begin(
                    name,
                    state.identity,
                    now=state.started_at,
                    records_estimate=state.records_estimate,
                    bytes_estimate=state.bytes_estimate,
                )
                state = replace(state, quarantine_bytes=0)
            self._quarantines[name].settle(rewritten=state.retrying)
            self._store.retry_settled(name)
            self._quarantine_bytes[name] = state.quarantine_bytes
            self._quarantines[name].truncate(state.quarantine_bytes)
            table = str(route.flow.table.ref)
            self._budgets.setdefault(table, Budget(self._options.rates.write_units.get(table), now=now))

    def _tasks(self) -> Iterator[LoadTask]:
        """Partitions as they are found. Planning has a thread of its own and never waits for the load: the shorter
        the plan takes, the less an interruption during it costs.
        """
        found: queue.SimpleQueue[LoadTask | BaseException | None] = queue.SimpleQueue()
        planner = threading.Thread(
            target=self._plan_all, args=(found,), daemon=True, name="greylag-partitions"
        )
        planner.start()
        while (task := found.get()) is not None:
            if isinstance(task, BaseException):
                raise task
            yield task

    def _plan_all(self, found: queue.SimpleQueue[LoadTask | BaseException | None]) -> None:
        try:
            for route in self._routes.values():
                for task in self._plan(route):
                    found.put(task)
            found.put(None)
        except BaseException as error:  # noqa: BLE001 - raised again where the tasks are iterated
            found.put(error)

    def _plan(self, route: Route) -> Iterator[LoadTask]:
        state = self._store.flow(route.name)
        assert state is not None
        if state.planned:
            for partition, cursor in self._store.partitions(route.name, unfinished=True):
                yield LoadTask(route.name, partition, cursor)
            return
        source = route.source.source()
        try:
            for partition in source.partitions(
                route.flow.source.dataset, partition_bytes=self._options.partition_bytes
            ):
                self._store.add_partition(route.name, partition)
                yield LoadTask(route.name, partition, None)
        finally:
            source.close()
        self._store.planned(route.name)

    def _save(self, task: LoadTask, page: PageLoaded) -> None:
        now = time.monotonic()
        self.unknown += page.unknown
        name = task.flow
        self._budgets[str(self._routes[name].flow.table.ref)].spend(
            page.units, page.counts.throttles, now=now
        )
        length = self._quarantine_bytes[name]
        if page.rejections:
            length = self._quarantines[name].append(page.rejections)
        if page.cursor is None:
            self._uncounted[name] = page.counts
            return
        self._quarantine_bytes[name] = length
        self._store.checkpoint(
            name,
            task.partition.ordinal,
            cursor=page.cursor,
            counts=page.counts,
            quarantine_bytes=length,
            seconds=now - self._last_checkpoint,
        )
        self._last_checkpoint = now

    def _finish(self, task: LoadTask) -> None:
        if self._options.limit is not None:
            return  # how far a limited run came, the cursors tell
        self._store.partition_done(task.flow, task.partition.ordinal)
        self._complete(task.flow)

    def _complete(self, name: str) -> None:
        if self._options.limit is None:
            self._store.complete(name, now=time.time())

    def _rates(self) -> Rates:
        budgets = {table: budget.rate for table, budget in self._budgets.items()}
        return replace(self._options.rates, write_units=budgets)

    def _tick(self) -> None:
        now = time.monotonic()
        adapted = [budget.adapt(now=now) for budget in self._budgets.values()]
        if any(adapted):
            self._sharing.limit(self._rates())
        if now >= self._next_snapshot:
            self._show(now)

    def _show(self, now: float, *, finished: bool = False) -> Snapshot:
        self._next_snapshot = now + _SNAPSHOT_SECONDS
        snapshot = self._meter.snapshot(self._progress(), now=now, finished=finished)
        self._store.save_snapshot(snapshot)
        self._observe(snapshot)
        return snapshot

    def _progress(self) -> list[FlowProgress]:
        return [self._with_uncounted(each) for each in self._store.progress() if each.flow in self._routes]

    def _with_uncounted(self, progress: FlowProgress) -> FlowProgress:
        """The page that `--limit` cut short is not checkpointed, but was carried."""
        counts = self._uncounted.get(progress.flow)
        if counts is None:
            return progress
        return replace(
            progress,
            **{name: getattr(progress, name) + getattr(counts, name) for name in Counts.__dataclass_fields__},
        )
