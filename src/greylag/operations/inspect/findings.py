"""What is wrong with a table, or will be missed when it has to be restored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from greylag.console.units import duration
from greylag.core.findings import Finding, Severity
from greylag.core.ports import TableInfo
from greylag.core.tables import differences
from greylag.recovery.settings import keys_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from greylag.core.flows import TableSpec
    from greylag.operations.inspect.report import Inspected
    from greylag.recovery.settings import TableSettings

PRODUCTION: Final = frozenset({"prod", "production"})
LAG_SECONDS: Final = 60.0
_BACK = "`greylag restore --rewire --table {name}` puts it back, or `greylag infra render` and apply."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the table should be: as a flow writes it, and as `operations.rewire.wanted_of` says."""

    spec: TableSpec | None
    settings: Mapping[str, Any]
    environment: str
    backup_age_seconds: float

    @property
    def serious(self) -> Severity:
        """How bad it is to lack protection here."""
        return Severity.WARNING if self.environment in PRODUCTION else Severity.NOTE


def findings_of(table: Inspected, wanted: Wanted) -> Iterator[Finding]:
    """All of them, in no order."""
    if not table.exists:
        yield Finding(
            Severity.BLOCKER,
            "missing-table",
            table.name,
            f"it does not exist{' in ' + table.region if table.region else ''}",
            "`greylag run` makes it where its connection has create_tables: true, `greylag restore` from a backup.",
        )
        return
    yield from _backups(table, wanted)
    if table.settings is not None:
        yield from _structure(table, table.settings, wanted)
        yield from _protection(table, table.settings, wanted)
        yield from _operation(table, table.settings, wanted)
        yield from _replicas(table, table.settings, wanted)
        for name, reason in table.settings.unasked.items():
            yield Finding(
                Severity.NOTE,
                "not-asked",
                table.name,
                f"{name} could not be asked: {reason}",
                "docs/inspect.md lists the actions that inspecting needs; an emulator does not have all of them.",
            )


def _structure(table: Inspected, found: TableSettings, wanted: Wanted) -> Iterator[Finding]:
    name = table.name
    if found.status != "ACTIVE":
        yield Finding(
            Severity.WARNING, "not-active", name, f"it is {found.status}", "Wait until it is ACTIVE."
        )
    for index, status in found.index_status.items():
        if status != "ACTIVE":
            yield Finding(
                Severity.WARNING,
                "index-not-active",
                name,
                f"index {index} is {status}",
                "Wait until it is ACTIVE.",
            )
    if wanted.spec is None:
        return
    key, types = keys_of(found.as_json())
    info = TableInfo(found.name, found.identity, key, table.indexes, types)
    for each in differences(wanted.spec, info):
        yield Finding(
            Severity.BLOCKER,
            "differs",
            name,
            each,
            "Change greylag.yaml to the table as it stands, add a missing index, or write to a new table.",
        )
    for index in sorted(set(table.indexes) - set(wanted.spec.indexes)):
        yield Finding(
            Severity.NOTE,
            "extra-index",
            name,
            f"greylag.yaml does not name index {index}",
            "Name it, or drop it where nothing asks it: every write pays for it.",
        )
    ttl = wanted.settings.get("ttl")
    if ttl != found.ttl and (ttl is not None or found.ttl is not None):
        yield Finding(
            Severity.WARNING,
            "ttl-differs",
            name,
            f"items expire by {found.ttl or 'no attribute'}, greylag.yaml says {ttl or 'none'}",
            _BACK.format(name=name) if ttl else "Write `ttl:`, or turn time to live off.",
        )


def _protection(table: Inspected, found: TableSettings, wanted: Wanted) -> Iterator[Finding]:
    name, back = table.name, _BACK.format(name=table.name)
    if found.recovery is not None and not found.recovery["enabled"]:
        yield Finding(
            Severity.WARNING, "no-point-in-time-recovery", name, "point-in-time recovery is off", back
        )
    if not found.deletion_protection:
        yield Finding(
            wanted.serious,
            "no-deletion-protection",
            name,
            "deletion protection is off: one call deletes it",
            back
            if wanted.settings["deletion_protection"]
            else "Turn it on where the table must not be lost.",
        )
    if found.encryption == "AWS_OWNED":
        yield Finding(
            Severity.NOTE,
            "encrypted-by-aws",
            name,
            "it is encrypted with a key that AWS owns",
            "Use a KMS key where you must be able to see, or end, who decrypts it.",
        )
    missing = {
        tag: value
        for tag, value in (wanted.settings.get("tags") or {}).items()
        if found.tags is not None and found.tags.get(tag) != value
    }
    if missing:
        yield Finding(
            Severity.NOTE, "tags-differ", name, f"tags are missing or differ: {', '.join(missing)}", back
        )


def _operation(table: Inspected, found: TableSettings, wanted: Wanted) -> Iterator[Finding]:
    name, back = table.name, _BACK.format(name=table.name)
    if found.stream is None:
        yield Finding(
            Severity.NOTE, "no-stream", name, "it has no stream: its changes cannot be followed back", back
        )
    if found.create["BillingMode"] == "PROVISIONED" and found.autoscaling is not None:
        for dimension in ("Read", "Write"):
            if not any(
                each["resource"] == "" and each["dimension"].endswith(f"{dimension}CapacityUnits")
                for each in found.autoscaling
            ):
                yield Finding(
                    Severity.WARNING,
                    "no-autoscaling",
                    name,
                    f"{dimension.lower()} capacity is provisioned, and does not scale",
                    "`greylag restore BACKUP --rewire --settings-only` puts back what a backup has; or turn it on.",
                )
    if found.alarms is not None and not found.alarms:
        yield Finding(
            wanted.serious,
            "no-alarms",
            name,
            "no CloudWatch alarm watches it",
            "`greylag infra render` makes alarms for throttles and errors; a backup of the old table has its own.",
        )


def _replicas(table: Inspected, found: TableSettings, wanted: Wanted) -> Iterator[Finding]:
    name = table.name
    for region in sorted(set(wanted.settings.get("replicas") or ()) - set(found.replicas) - {table.region}):
        yield Finding(
            Severity.WARNING,
            "missing-replica",
            name,
            f"greylag.yaml wants a replica in {region}",
            "`greylag infra render` and apply; a restored table has none.",
        )
    for each in table.replicas:
        if each.status != "ACTIVE":
            yield Finding(
                Severity.WARNING,
                "replica-not-active",
                name,
                f"the replica in {each.region} is {each.status}",
                "Do not fail over to it before it is ACTIVE.",
            )
        if each.lag_seconds is not None and each.lag_seconds > LAG_SECONDS:
            yield Finding(
                Severity.WARNING,
                "replica-lags",
                name,
                f"the replica in {each.region} is {duration(each.lag_seconds)} behind",
                "Failing over now loses what it does not have yet. `greylag drill --region` measures it.",
            )


def _backups(table: Inspected, wanted: Wanted) -> Iterator[Finding]:
    recovers = table.settings is not None and bool((table.settings.recovery or {}).get("enabled"))
    if not table.backups:
        yield Finding(
            Severity.NOTE if recovers else Severity.WARNING,
            "no-backup",
            table.name,
            "no backup of it is known here" + (", beside point-in-time recovery" if recovers else ""),
            "`greylag backup --to PLACE`; point-in-time recovery ends with the table's account.",
        )
        return
    newest = min(table.backups, key=lambda each: each.age_seconds)
    if newest.age_seconds > wanted.backup_age_seconds:
        yield Finding(
            Severity.WARNING,
            "old-backup",
            table.name,
            f"its newest backup is {duration(newest.age_seconds)} old",
            "`greylag backup --to PLACE`, from a timer.",
        )
