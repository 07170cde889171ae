"""What an inspection found, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.core.findings import Finding
    from greylag.recovery.settings import TableSettings


@dataclass(frozen=True, slots=True)
class BackupSeen:
    """A backup that holds the table: where it is, and how many seconds ago it was finished."""

    place: str
    name: str
    age_seconds: float


@dataclass(frozen=True, slots=True)
class ReplicaSeen:
    """A copy in another region; the lag is the mean of the last minutes, None where CloudWatch does not tell."""

    region: str
    status: str
    lag_seconds: float | None


@dataclass(frozen=True, slots=True)
class Inspected:
    """One table, collection or file. `settings` are those of a DynamoDB table; None of what is none or is missing."""

    name: str
    kind: str
    region: str
    exists: bool
    records: int | None = None
    bytes: int | None = None
    settings: TableSettings | None = None
    indexes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    replicas: tuple[ReplicaSeen, ...] = ()
    backups: tuple[BackupSeen, ...] = ()
    findings: tuple[Finding, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        found = self.settings
        return {
            "name": self.name,
            "kind": self.kind,
            "region": self.region,
            "exists": self.exists,
            "records": self.records,
            "bytes": self.bytes,
            "status": found.status if found is not None else None,
            "settings": {**found.as_json(), "encryption": found.encryption} if found is not None else None,
            "indexes": {name: list(keys) for name, keys in self.indexes.items()},
            "replicas": [asdict(each) for each in self.replicas],
            "backups": [asdict(each) for each in self.backups],
            "findings": [each.as_json() for each in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Inspection:
    """All that was looked at."""

    project: str
    environment: str
    tables: tuple[Inspected, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of every table."""
        return tuple(finding for table in self.tables for finding in table.findings)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "project": self.project,
            "environment": self.environment or None,
            "tables": [each.as_json() for each in self.tables],
        }
