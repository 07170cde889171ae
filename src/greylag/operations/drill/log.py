"""What a drill measured, and the log of all of them: `.greylag/recovery/drills.jsonl`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from greylag.operations.recoverable import journals
from greylag.recovery.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.config import Project


@dataclass(frozen=True, slots=True)
class Drill:
    """One table, once. `kind` is backup, point-in-time or region.

    `rto_seconds` is how long it took until the records could be read again, `rpo_seconds` how old they were when it
    began: what was written since would be lost. `verified` by digest; None where there was nothing to compare with,
    which `note` explains.
    """

    table: str
    kind: str
    at: str
    source: str
    records: int | None
    rto_seconds: float
    rpo_seconds: float
    verified: bool | None
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """As the log holds it."""
        return asdict(self)


def log(project: Project) -> Journal:
    """Every drill that came to its end."""
    return Journal(journals(project) / "drills.jsonl")


def keep(project: Project, found: Sequence[Drill]) -> None:
    """Append to the log."""
    log(project).add(*(each.as_json() for each in found))


def drills(project: Project) -> list[Drill]:
    """The log, oldest first."""
    return [Drill(**line) for line in log(project).lines()]
