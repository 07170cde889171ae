"""What a rehearsal found; `as_json` is the form that docs/rehearse.md documents."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from greylag.engine.verification import Verification
    from greylag.operations.assess.report import Assessment
    from greylag.operations.plan.plan import Plan
    from greylag.operations.run import RunReport


@dataclass(frozen=True, slots=True)
class Reason:
    """Why records of one flow stand in quarantine: how many, and the first of them in extended JSON."""

    flow: str
    reason: str
    records: int
    example: Any


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the rehearsal as it stood at the end."""

    table: str
    items: int


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A whole rehearsal. `server` stood in for AWS; `endpoint` is where its tables still are, None where they are gone.
    `sample` is about how many records of each dataset were carried, None for all. The plan is the one for AWS.
    """

    server: str
    endpoint: str | None
    sample: int | None
    assessment: Assessment
    plan: Plan
    run: RunReport
    verification: Verification
    quarantined: tuple[Reason, ...]
    tables: tuple[Table, ...]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "server": self.server,
            "endpoint": self.endpoint,
            "sample": self.sample,
            "assessment": self.assessment.as_json(),
            "plan": self.plan.as_json(),
            "run": self.run.as_json(),
            "verification": self.verification.as_json(),
            "quarantined": [asdict(each) for each in self.quarantined],
            "tables": [asdict(each) for each in self.tables],
            "seconds": round(self.seconds, 3),
        }
