"""What a drill measured, and the log of all of them: `.greylag/recovery/drills.jsonl`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from greylag.errors import GreylagError, SourceDataError, VerificationFailed
from greylag.operations.recoverable import journals
from greylag.recovery.format import now
from greylag.recovery.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from greylag.config import Project


@dataclass(frozen=True, slots=True)
class Drill:
    """One table, once. `kind` is backup, point-in-time or region.

    `rto_seconds` is how long it took until the records could be read again, `rpo_seconds` how old they were when it
    began: what was written since would be lost; both are None where it failed. `verified` by digest; None where there
    was nothing to compare with, which `note` explains, as it does why a drill failed.
    """

    table: str
    kind: str
    at: str
    source: str
    records: int | None
    rto_seconds: float | None
    rpo_seconds: float | None
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


@contextmanager
def kept_if_failed(
    project: Project, found: Sequence[Drill], table: str, kind: str, source: str
) -> Iterator[None]:
    """Within: the drill of one table, after those `found`. An error goes on once they are appended and, where it shows
    that recovery would not work, this one too.
    """
    try:
        yield
    except GreylagError as error:
        keep(project, found)
        if isinstance(error, (SourceDataError, VerificationFailed)):
            keep(
                project,
                [Drill(table, kind, now(), source, None, None, None, verified=False, note=error.message)],
            )
        raise


def drills(project: Project) -> list[Drill]:
    """The log, oldest first."""
    return [Drill(**line) for line in log(project).lines()]
