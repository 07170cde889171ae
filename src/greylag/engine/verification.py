"""What a verification found: plain dataclasses, and the file of mismatches beside them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from greylag.engine.ranges import Ranges

STATEMENT = (
    "A progress report: what was found while source and target could still change. A certificate is issued only over "
    "a drained, fenced or frozen source."
)


@dataclass(frozen=True, slots=True)
class FlowVerification:
    """One flow's counts. `records`, `filtered` and `quarantined` are records of the source; the rest are items.

    `quarantined` counts records that the source, the mapping or the target's limits refuse, and those that share a
    key: none of them is expected at the target. `contested` are items that stand at such a shared key all the same.
    `changed` are items that differed at first, and whose record was changed or deleted since.
    """

    flow: str
    records: int = 0
    filtered: int = 0
    quarantined: int = 0
    verified: int = 0
    missing: int = 0
    different: int = 0
    extra: int = 0
    contested: int = 0
    changed: int = 0

    @property
    def mismatches(self) -> int:
        """Items where the target is not what the source says."""
        return self.missing + self.different + self.extra + self.contested


@dataclass(frozen=True, slots=True)
class TableVerification:
    """One table: `items` scanned, those that no flow of greylag.yaml owns, and the keys of a few of them in extended
    JSON.
    """

    table: str
    items: int = 0
    unowned: int = 0
    examples: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Verification:
    """A whole verification. Times are UTC, ISO 8601. `sample` is how many records of each flow were asked for; then
    extra and unowned items were not looked for. `mismatches_file` has one JSON line for each mismatch. `ranges`: what
    a certificate says of each flow, None for a sample.
    """

    flows: tuple[FlowVerification, ...]
    tables: tuple[TableVerification, ...]
    started_at: str
    finished_at: str
    seconds: float
    mismatches_file: str
    sample: int | None = None
    notes: tuple[str, ...] = field(default=())
    ranges: Ranges[str] | None = field(default=None, repr=False)
    statement: str = STATEMENT

    @property
    def mismatches(self) -> int:
        """Of all flows."""
        return sum(each.mismatches for each in self.flows)

    def as_json(self) -> dict[str, Any]:
        """Ready for any JSON writer."""
        not_looked_for = ["extra", "contested", "unowned", "shared keys"] if self.sample is not None else []
        return {
            **{name: each for name, each in asdict(replace(self, ranges=None)).items() if name != "ranges"},
            "mismatches": self.mismatches,
            "not_looked_for": not_looked_for,
        }
