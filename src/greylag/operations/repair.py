"""`greylag repair`: a fresh verification, what it found mended, and what remains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greylag.engine.repair import Repair
from greylag.engine.repair import repair as mend
from greylag.operations.follow.between import noting
from greylag.operations.prepare import prepare
from greylag.operations.rates import rates
from greylag.operations.repairs import remember
from greylag.operations.rivals import refuse_resting
from greylag.operations.verify import folder_of, save, verification
from greylag.state.directions import refuse_back
from greylag.state.locks import run_lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.config import Project
    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor
    from greylag.engine.verification import Verification


@dataclass(frozen=True, slots=True)
class RepairOptions:
    """What `greylag repair` was asked. `only`: services or flows."""

    only: tuple[str, ...] = ()
    delete_extra: bool = False


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What was found, and what was done about it."""

    before: Verification
    repair: Repair

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {"before": self.before.as_json(), **self.repair.as_json()}


def repair(
    project: Project, options: RepairOptions, *, executor: Executor, observe: Callable[[Snapshot], None]
) -> RepairReport:
    """Verify, mend, look again. Raises StateError while a run goes on: it would write the same items."""
    folder = project.state_folder
    with run_lock(folder), run_lock(folder / "verify"):
        prepared = prepare(project, only=options.only)
        refuse_back(folder, {route.name for route in prepared.routes})
        refuse_resting(folder, prepared.flows, {route.name for route in prepared.routes})
        before = verification(project, prepared, None, executor=executor, observe=observe)
        done = mend(
            prepared.routes,
            executor=executor,
            folder=folder_of(project, None),
            state=folder,
            observe=observe,
            delete_extra=options.delete_extra,
            noting=noting(project, prepared.routes),
            rates=rates(project, prepared.routes, executor.processes),
        )
        report = RepairReport(before, done)
        save(report.as_json(), folder_of(project, None) / "repair.json")
        remember(folder, done)
        return report
