"""`greylag verify`: every record compared with its target, or a sample of them. Only reads."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from greylag.core.progress import LOADED
from greylag.engine.disk import writing
from greylag.engine.sample import sample
from greylag.engine.verify import Verify
from greylag.operations.certificate.document import certify, statement_of
from greylag.operations.certificate.document import save as save_certificate
from greylag.operations.certificate.standstill import standstill
from greylag.operations.prepare import prepare
from greylag.operations.rates import rates
from greylag.operations.repairs import repaired_items
from greylag.state.locks import is_running, run_lock
from greylag.state.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from greylag.config import Project
    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor
    from greylag.engine.route import Route
    from greylag.engine.verification import Verification
    from greylag.operations.prepare import Prepared


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """What `greylag verify` was asked. `only`: services or flows. `sample`: records of each flow, None for all.
    `certificate`: where to write one; `frozen`: the user says that nothing writes to the source.
    """

    only: tuple[str, ...] = ()
    sample: int | None = None
    certificate: Path | None = None
    frozen: bool = False


def verify(
    project: Project, options: VerifyOptions, *, executor: Executor, observe: Callable[[Snapshot], None]
) -> Verification:
    """Compare source and target. The report and its mismatches also stand in the state folder, under `verify`."""
    with run_lock(project.state_folder / "verify"):
        prepared = prepare(project, only=options.only)
        before = is_running(project.state_folder)
        still = None
        if options.certificate is not None:
            still = standstill(project.state_folder, prepared.routes, frozen=options.frozen)
        found = verification(project, prepared, options.sample, executor=executor, observe=observe)
        if (before or is_running(project.state_folder)) and not (still and still.positions):
            going = "a run was going on: what it had not carried yet shows as missing"
            found = replace(found, notes=(going, *found.notes))
        save(found.as_json(), folder_of(project, options.sample) / "report.json")
        if options.certificate is not None and still is not None:
            repaired = repaired_items(project.state_folder)
            document = certify(project, prepared.routes, found, still, repaired)
            save_certificate(document, options.certificate)
            found = replace(found, statement=statement_of(document))
        return found


def verification(
    project: Project,
    prepared: Prepared,
    count: int | None,
    *,
    executor: Executor,
    observe: Callable[[Snapshot], None],
) -> Verification:
    """The verification itself, by whoever holds the lock of the folder `verify`."""
    folder = folder_of(project, count)
    limits = rates(project, prepared.routes, executor.processes)
    if count is None:
        found = Verify(
            prepared.routes,
            prepared.siblings,
            executor=executor,
            folder=folder,
            observe=observe,
            rates=limits,
        ).run()
    else:
        routes = [_with_known_collisions(route, project.state_folder) for route in prepared.routes]
        found = sample(routes, count, executor=executor, folder=folder, observe=observe, rates=limits)
    return replace(found, notes=_notes(project.state_folder, prepared.routes))


def folder_of(project: Project, count: int | None) -> Path:
    """Where the last verification of this kind stands."""
    return project.state_folder / "verify" / ("last" if count is None else "sample")


def save(report: dict[str, Any], path: Path) -> None:
    """Write `report` as JSON. Raises ResourceError."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=2, ensure_ascii=True) + "\n", encoding="utf-8")


def _with_known_collisions(route: Route, folder: Path) -> Route:
    """The route with the keys its load found to be shared, if there are any."""
    path = folder / "collisions" / quote(str(route.flow.table.ref), safe="") / "colliding.keys"
    return route.with_colliding(path) if path.exists() else route


def _notes(folder: Path, routes: Sequence[Route]) -> tuple[str, ...]:
    path = folder / "state.sqlite"
    if not path.exists():
        return ("no run has been started here",)
    with Store(path, read_only=True) as store:
        states = {route.name: store.flow(route.name) for route in routes}
    waiting = [name for name, state in states.items() if state is None or state.stage not in LOADED]
    return (f"not loaded yet, so that records may be missing: {', '.join(waiting)}",) if waiting else ()
