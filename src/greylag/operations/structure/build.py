"""Builds the indexes of collections whose documents are there: several collections at once, each index waited for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from greylag.core.ports import Structured, Structuring
from greylag.engine.stages import Stages
from greylag.errors import ConnectorError, SchemaError
from greylag.operations.structure.decide import Made, decide

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greylag.core.progress import Snapshot
    from greylag.engine.route import Route
    from greylag.operations.structure.decide import Fate

AT_ONCE: Final = 3
"""Collections whose indexes are built at the same time: each build reads its collection once."""
_POLL_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Built:
    """One index of a route's table: `state` is `built`, `stands`, `differs`, `late` (unique: built when nothing earlier
    can be written any more), `left out` or `failed`; `reason` says why.
    """

    flow: str
    table: str
    index: str
    keys: tuple[str, ...]
    state: str
    reason: str = ""


def made_of(route: Route) -> Made | None:
    """How the route's table is to be made; None where source and target do not speak of that."""
    with closing(route.source.source()) as source, closing(route.target.target()) as target:
        if not isinstance(source, Structured) or not isinstance(target, Structuring):
            return None
        structure = source.structure(route.dataset.dataset)
        if structure.form != target.structure_form or not target.creates:
            return None
        return decide(structure, route.flow, target.product())


def build_indexes(
    routes: Sequence[Route],
    *,
    observe: Callable[[Snapshot], None],
    late: bool = True,
    build: bool = True,
) -> tuple[Built, ...]:
    """Build what is missing, and say what became of every index of the source. `late`: unique ones too; without `build`
    nothing is built.

    Raises SchemaError, once everything else is built, for those the server would not make.
    """
    wanted = [(route, made) for route in routes if (made := made_of(route)) is not None and made.indexes]
    if not wanted:
        return ()
    work = _Work([route for route, _ in wanted], observe, late=late, build=build)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="greylag-indexes") as threads:
        waiting = [threads.submit(work.table, route, made) for route, made in wanted]
        found = tuple(each for one in waiting for each in one.result())
    failed = [each for each in found if each.state == "failed"]
    if failed:
        raise SchemaError(
            "indexes that could not be built: "
            + "; ".join(f"{each.index} of {each.table}: {each.reason}" for each in failed),
            advice="Everything else is done, and what is loaded stays. Mend the documents at the source, or drop the "
            "index there; then `greylag run` or `greylag indexes --build`.",
        )
    return found


class _Work:
    def __init__(
        self, routes: Sequence[Route], observe: Callable[[Snapshot], None], *, late: bool, build: bool
    ) -> None:
        self._late = late
        self._build = build
        self._lock = threading.Lock()
        self._stages = Stages("run", routes, observe)
        if build:
            self._stages.begin("building indexes")

    def table(self, route: Route, made: Made) -> list[Built]:
        """Every index of one table, one after the other."""
        found = []
        with closing(route.target.target()) as target:
            assert isinstance(target, Structuring)
            name = route.table.name
            standing = target.index_definitions(name)
            for fate in made.indexes:
                state, reason = self._one(target, route, fate, standing.get(fate.name))
                found.append(Built(route.name, name, fate.name, fate.keys, state, reason or fate.reason))
        return found

    def _one(self, target: Structuring, route: Route, fate: Fate, standing: object) -> tuple[str, str]:
        if fate.definition is None:
            return "left out", ""
        if standing is not None:
            return (
                ("stands", "")
                if standing == dict(fate.definition)
                else (
                    "differs",
                    "an index of this name stands that is made otherwise: it is left alone",
                )
            )
        if fate.late and not self._late:
            return "late", "it is unique: built by `greylag indexes --build` once all changes are applied"
        if not self._build:
            return "missing", ""
        ended = threading.Event()
        watching = threading.Thread(target=self._watch, args=(route, ended), daemon=True)
        watching.start()
        try:
            target.build_index(route.table.name, fate.definition)
        except ConnectorError as error:
            if error.exit_code != SchemaError.exit_code:
                raise
            return "failed", error.message
        finally:
            ended.set()
            watching.join()
        return "built", ""

    def _watch(self, route: Route, ended: threading.Event) -> None:
        """Shows how far the build is, as records of the collection."""
        with closing(route.target.target()) as target:
            assert isinstance(target, Structuring)
            shown = 0
            while not ended.wait(_POLL_SECONDS):
                share = max(target.building(route.table.name).values(), default=0.0)
                done = int(share * (route.dataset.estimated_records or 0))
                with self._lock:
                    self._stages.add(route.name, records_read=done - shown)
                shown = done
