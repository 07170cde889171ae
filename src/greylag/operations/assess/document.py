"""An assessment as a document, for a terminal or a file."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from greylag.console.document import Bullets, Heading, Table, Text
from greylag.console.units import count, duration, plural, size
from greylag.engine.profiling.distinct import KEPT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.console.document import Block
    from greylag.core.findings import Finding
    from greylag.core.inventory import Growth, Index, Inventory
    from greylag.core.profile import DatasetProfile, FieldProfile, KeyCandidate
    from greylag.operations.assess.report import Assessed, Assessment

FIELDS_SHOWN = 60
LEVELS_SHOWN = 6
PATH_CHARACTERS = 60
_STEPS = re.compile(r"(?<!\\)(?:\.|\[\])")


def document(found: Assessment) -> list[Block]:
    """Every dataset with its findings, and how it stands in all."""
    environment = f", environment {found.environment}" if found.environment else ""
    parts: list[Block] = [Heading(f"Assessment of {found.project}{environment}", 1)]
    for each in found.datasets:
        parts += _dataset(each)
    parts.append(Heading("In all"))
    if found.findings:
        parts.append(Bullets(tuple(map(_finding, found.findings))))
    severities = Counter(each.severity for each in found.every_finding)
    told = ", ".join(plural(severities[each], each.word) for each in sorted(severities, reverse=True))
    parts.append(
        Text(
            f"{plural(len(found.datasets), 'dataset')} in {duration(found.seconds)}: {told or 'nothing found'}"
        )
    )
    return parts


def _dataset(each: Assessed) -> Iterator[Block]:
    yield Heading(str(each.source))
    if each.profile is not None and each.inventory is not None:
        yield Text(_summary(each.profile, each.inventory))
        yield Text(_read(each.profile))
        if each.inventory.growth is not None:
            yield Text(_growth(each.inventory.growth))
        if each.profile.fields:
            yield _fields(each.profile)
            if more := _more(each.profile):
                yield Text(more)
        if each.profile.keys:
            yield Table(
                (("candidate key", "type", "unique"), *(_key(key, each.profile) for key in each.profile.keys))
            )
        if each.inventory.indexes:
            yield Table((("index", "fields", ""), *map(_index, each.inventory.indexes)))
    if each.findings:
        yield Bullets(tuple(map(_finding, each.findings)))


def _summary(profile: DatasetProfile, inventory: Inventory) -> str:
    where = ", ".join(filter(None, (inventory.form, inventory.server, inventory.topology)))
    records = "records not counted"
    if profile.records_total is not None:
        records = ("" if profile.whole else "about ") + plural(profile.records_total, "record")
    parts = [f"{where}: {records}"]
    if profile.bytes_total is not None:
        parts.append(size(profile.bytes_total))
    sizes = profile.sizes
    if sizes.count:
        parts.append(
            f"a record has {size(sizes.p50)} (p50), {size(sizes.p99)} (p99), {size(sizes.largest)} at most"
        )
    return ", ".join(parts)


def _read(profile: DatasetProfile) -> str:
    if profile.whole:
        return "Read: every record."
    read = plural(profile.records_read, "record")
    return f"Read: {read}; {profile.bias}. Rare cases may be missing: --full reads all."


def _growth(growth: Growth) -> str:
    parts = []
    if growth.since is not None:
        parts.append(f"first record {growth.since}")
    if growth.until is not None:
        parts.append(f"last {growth.until}")
    if growth.recent_records is not None:
        parts.append(f"{count(growth.recent_records)} in the {growth.recent_days} days before that")
    return f"Growth: {', '.join(parts)} ({growth.basis})."


def _fields(profile: DatasetProfile) -> Table:
    rows = [("field", "types", "missing", "null", "different")]
    rows += [_field(each) for each in _shown(profile)]
    return Table(tuple(rows), right=(2, 3, 4))


def _shown(profile: DatasetProfile) -> list[FieldProfile]:
    near = [each for each in profile.fields if len(_STEPS.findall(each.path)) < LEVELS_SHOWN]
    return near[:FIELDS_SHOWN]


def _short(path: str) -> str:
    if not path:
        return '""'  # JSON and BSON take an empty name
    return path if len(path) <= PATH_CHARACTERS else f"{path[: PATH_CHARACTERS - 1]}…"


def _field(each: FieldProfile) -> tuple[str, str, str, str, str]:
    values = sum(number for name, number in each.types.items() if name != "null")
    kinds = sorted(each.types.items(), key=lambda kind: (-kind[1], kind[0]))
    types = ", ".join(
        name if number == values else f"{name} {_percent(number, values)}"
        for name, number in kinds
        if name != "null"
    )
    different = "" if each.distinct is None else count(each.distinct)
    if each.distinct is not None and each.distinct > KEPT:
        different = f"about {different}"
    parents = each.records + each.missing
    return (
        _short(each.path),
        types or "null",
        _percent(each.missing, parents) if each.missing else "",
        _percent(each.types["null"], each.records) if each.types.get("null") else "",
        different,
    )


def _percent(part: int, whole: int) -> str:
    share = 100 * part / whole if whole else 0
    if share < 1:
        return "< 1 %"
    return "> 99 %" if 99.5 <= share < 100 else f"{share:.0f} %"


def _more(profile: DatasetProfile) -> str:
    parts = []
    if more := len(profile.fields) - len(_shown(profile)):
        parts.append(f"{plural(more, 'more field')}, most of them nested: --json has all.")
    if profile.fields_left_out:
        parts.append("Fields nested deeper were not followed: there are too many.")
    return " ".join(parts)


def _key(key: KeyCandidate, profile: DatasetProfile) -> tuple[str, str, str]:
    if key.duplicates:
        told = f"no: {plural(key.duplicates, 'record')} share a value"
    elif key.proven:
        told = "yes"
    else:
        told = f"in the {plural(profile.records_read - profile.unreadable, 'record')} read"
    return key.path, key.type, told


def _index(index: Index) -> tuple[str, str, str]:
    keys = ", ".join(path if kind == "ascending" else f"{path} ({kind})" for path, kind in index.keys)
    traits = [name for name, has in (("unique", index.unique), ("sparse", index.sparse)) if has]
    if index.ttl_seconds is not None:
        traits.append(f"expires after {index.ttl_seconds:,.0f} s")
    if index.partial:
        traits.append(f"only {index.partial}")
    return index.name, keys, ", ".join(traits)


def _finding(each: Finding) -> str:
    where = f" ({each.file}:{each.line})" if each.file else ""
    return f"{each.severity.word}, {each.kind}: {each.message}{where}\n{each.advice}"
