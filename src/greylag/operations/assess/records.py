"""What the records of a dataset mean for a move to DynamoDB."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from greylag.connectors.dynamodb import limits
from greylag.console.units import plural, size
from greylag.core.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.core.inventory import Inventory
    from greylag.core.profile import DatasetProfile, FieldProfile

_KEY_LIKE: Final = re.compile(
    r"(?:^|[._-])(?:id|key|code|sku|slug|uuid|email|username)$|(?:Id|ID|Key|Code)$", re.IGNORECASE
)
_SHOWN: Final = 3
_TAGGED: Final = frozenset(
    {"regex", "timestamp", "code", "dbPointer", "symbol", "undefined", "minKey", "maxKey"}
)
_NUMBERS: Final = frozenset({"int", "int64", "double", "decimal", "decimal128"})


def record_findings(
    profile: DatasetProfile, inventory: Inventory, *, to_dynamodb: bool, key_fields: frozenset[str]
) -> Iterator[Finding]:
    """What does not fit is a blocker where a flow takes the dataset to DynamoDB, else a warning."""
    unfit = Severity.BLOCKER if to_dynamodb else Severity.WARNING
    yield from reading_findings(profile)
    if not profile.records_read:
        return
    yield from _sizes(profile, unfit)
    yield from _keys(profile)
    indexed = {path for index in inventory.indexes for path, _ in index.keys}
    for each in profile.fields:
        yield from _field(each, unfit)
        likely = each.path in indexed | key_fields or _KEY_LIKE.search(each.path) is not None
        if each.empty and likely and "[]" not in each.path:
            yield Finding(
                unfit if each.path in key_fields else Severity.WARNING,
                "empty-key-value",
                each.path,
                f"{plural(each.empty, 'empty value')} in {each.path}, which looks like part of a key",
                "The key of a table or an index holds no empty string: such a record would be quarantined. Mend it, or "
                "put text around the field: `EMAIL#{email}`.",
            )


def reading_findings(profile: DatasetProfile) -> Iterator[Finding]:
    """What kept records from being read, whatever they move to."""
    if profile.damaged:
        yield Finding(
            Severity.BLOCKER,
            "damaged-source",
            profile.dataset,
            f"reading ended early: {profile.damaged}",
            "Mend or replace the file. What stands behind that place was not looked at.",
        )
    if profile.unreadable:
        reasons = sorted(profile.unreadable_reasons.items(), key=lambda each: (-each[1], each[0]))
        told = "; ".join(f"{reason} ({count:,})" for reason, count in reasons[:_SHOWN])
        yield Finding(
            Severity.BLOCKER,
            "unreadable-records",
            profile.dataset,
            f"{plural(profile.unreadable, 'record')} cannot be read exactly: {told}",
            "A run quarantines them. Mend them at the source, or accept that `greylag quarantine list` will show them.",
        )
    if not profile.records_read and not profile.damaged:
        yield Finding(
            Severity.NOTE,
            "empty-dataset",
            profile.dataset,
            "there are no records",
            "Check that this is the dataset you mean.",
        )


def _sizes(profile: DatasetProfile, unfit: Severity) -> Iterator[Finding]:
    fitness = profile.fitness
    largest = (
        f"; the largest, of {size(fitness.largest_item)}, is {fitness.largest_id}"
        if fitness.largest_id
        else ""
    )
    if fitness.oversize:
        yield Finding(
            unfit,
            "oversize-records",
            profile.dataset,
            f"{plural(fitness.oversize, 'record')} would have more than an item's {limits.ITEM_BYTES:,} bytes{largest}",
            "As they are they would be quarantined. Move a large array into items of its own with `split:`, `drop` "
            "what is not needed, or shorten the records.",
        )
    if fitness.near_limit:
        yield Finding(
            Severity.WARNING,
            "large-records",
            profile.dataset,
            f"{plural(fitness.near_limit, 'record')} would take more than nine tenths of an item's "
            f"{limits.ITEM_BYTES:,} bytes{largest}",
            "They fit now; what a mapping adds or what the application appends may not. Consider `split:`.",
        )
    if fitness.too_deep:
        yield Finding(
            unfit,
            "deep-records",
            profile.dataset,
            f"{plural(fitness.too_deep, 'record')} with over {limits.NESTING_LEVELS} levels (up to {fitness.deepest})",
            "DynamoDB takes no more. Flatten them with `python:`, or keep the inner part as text.",
        )


def _keys(profile: DatasetProfile) -> Iterator[Finding]:
    if not any(not each.duplicates for each in profile.keys):
        row = " or a file's {@row}" if profile.family == "json" else ""
        yield Finding(
            Severity.WARNING,
            "no-key",
            profile.dataset,
            "no field is in every record, of one type, and different in each",
            f"Make the key of several fields in one template, or of {{@digest}}{row}.",
        )
    for each in profile.keys:
        if each.duplicates:
            yield Finding(
                Severity.WARNING,
                "nearly-unique",
                each.path,
                f"{each.path}: {each.duplicates:,} of {profile.records_read:,} records share a value with another",
                "As a key alone it would put them into quarantine. Mend them, or add another field to the key.",
            )


def _field(field: FieldProfile, unfit: Severity) -> Iterator[Finding]:
    if not field.path or (field.path.endswith(".") and not field.path.endswith("\\.")):
        yield Finding(
            unfit,
            "empty-name",
            field.path,
            f"a field of {plural(field.records, 'record')} has an empty name, which DynamoDB allows none",
            "`drop` or `rename` it.",
        )
    if field.mixed:
        yield _mixed(field)
    if field.unfit:
        yield Finding(
            unfit,
            "unfit-numbers",
            field.path,
            f"{field.path} has {plural(field.unfit, 'number')} that DynamoDB cannot hold: {field.unfit_example}",
            "Set `numbers: string` on the flow to carry them as tagged strings, or mend the source.",
        )
    if tagged := sorted(_TAGGED & set(field.types)):
        yield Finding(
            Severity.NOTE,
            "tagged-types",
            field.path,
            f"{field.path} holds {', '.join(tagged)}, which DynamoDB has no type for",
            "They are carried exactly, as documents in MongoDB's extended JSON; what reads them must know.",
        )
    if field.path.endswith(".*") or field.path == "*":
        yield Finding(
            Severity.NOTE,
            "map-like-document",
            field.path,
            f"{field.path.removesuffix('*').removesuffix('.') or 'the record'} has so many different field names that "
            "they look like data",
            "Items keep them; queries by such a name are easier where each is an item of its own.",
        )


def _mixed(field: FieldProfile) -> Finding:
    kinds = {name: count for name, count in field.types.items() if name != "null"}
    total = sum(kinds.values())
    shares = ", ".join(
        f"{name} {_share(count, total)}{_such_as(field, name)}"
        for name, count in sorted(kinds.items(), key=lambda each: (-each[1], each[0]))
    )
    if set(kinds) <= _NUMBERS:
        return Finding(
            Severity.NOTE,
            "mixed-numbers",
            field.path,
            f"{field.path} has numbers of several types: {shares}",
            "State the usual one under `types:`; items keep the exceptions as hints.",
        )
    return Finding(
        Severity.WARNING,
        "mixed-types",
        field.path,
        f"{field.path} has more than one type: {shares}",
        "All are carried as they are. State the usual type under `types:`. In a key mend them first: there an ObjectId "
        'and its text, or 1 and "1", may meet.',
    )


def _such_as(field: FieldProfile, name: str) -> str:
    return f" ({field.examples[name]})" if name in field.examples else ""


def _share(count: int, total: int) -> str:
    share = 100 * count / total
    return f"{share:.0f} %" if 1 <= share < 99.5 or count == total else f"{count:,} of {total:,}"
