"""What an assessment found; `as_json` is the form that docs/assess.md documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greylag.core.findings import Finding, by_severity, worst

if TYPE_CHECKING:
    from greylag.core.findings import Severity
    from greylag.core.flows import DatasetRef
    from greylag.core.inventory import Inventory
    from greylag.core.ports import DatasetInfo
    from greylag.core.profile import DatasetProfile


@dataclass(frozen=True, slots=True)
class Assessed:
    """One dataset. `flows` are those that read it. `info`, `inventory` and `profile` are None where it could not be
    looked at; a finding then says why.
    """

    source: DatasetRef
    kind: str
    flows: tuple[str, ...]
    info: DatasetInfo | None
    inventory: Inventory | None
    profile: DatasetProfile | None
    findings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "source": str(self.source),
            "kind": self.kind,
            "flows": list(self.flows),
            "resumable_changes": None if self.info is None else self.info.resumable_changes,
            "inventory": None if self.inventory is None else self.inventory.as_json(),
            "profile": None if self.profile is None else self.profile.as_json(),
            "findings": [each.as_json() for each in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was looked at. `sample` is how many records of each dataset were asked for, None for all; `findings` are
    those that concern no single dataset.
    """

    project: str
    environment: str
    sample: int | None
    datasets: tuple[Assessed, ...]
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def every_finding(self) -> tuple[Finding, ...]:
        """The project's and all datasets', the worst first."""
        return by_severity([*self.findings, *(found for each in self.datasets for found in each.findings)])

    @property
    def worst(self) -> Severity | None:
        """The worst severity there is; None for no findings."""
        return worst(self.every_finding)

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        severity = self.worst
        return {
            "project": self.project,
            "environment": self.environment or None,
            "sample": self.sample,
            "datasets": [each.as_json() for each in self.datasets],
            "findings": [each.as_json() for each in self.findings],
            "worst": None if severity is None else severity.word,
            "seconds": round(self.seconds, 3),
        }
