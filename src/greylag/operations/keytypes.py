"""Learns the DynamoDB type of a key that templates leave open: `{id}` is S, N or B as the source's ids are.

An existing table knows; `{id:S}` says so; otherwise the majority of the first records decides, and the records of
another type are quarantined, never coerced.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from greylag.core.paths import every
from greylag.core.values import ObjectId, is_number
from greylag.errors import ConfigurationError, SourceDataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from greylag.core.flows import TableSpec
    from greylag.core.mapping import Mapping
    from greylag.core.ports import Source, TableInfo
    from greylag.core.records import Page, Record
    from greylag.core.values import Value

SAMPLE_RECORDS = 1000


def key_type(value: Value) -> str | None:
    """The key type a lone `{field}` gives: "S", "N" or "B"; None for what cannot be a key."""
    if isinstance(value, str | ObjectId | datetime):
        return "S"
    if is_number(value):
        return "N"
    return "B" if isinstance(value, bytes) else None


def with_key_types(
    spec: TableSpec,
    flows: Sequence[tuple[Mapping, str, Source]],
    existing: TableInfo | None,
) -> TableSpec:
    """`spec` with a type for each of its key attributes. `flows`: (mapping, dataset, source) of all that write it.

    Raises ConfigurationError where two templates disagree, or nothing tells a type.
    """
    if spec.any_type:
        return spec
    wanted = {attribute for names in (spec.key, *spec.indexes.values()) for attribute in names}
    types: dict[str, str] = dict(spec.key_types)
    for mapping, _, _ in flows:
        for attribute, kind in mapping.key_types.items():
            if types.setdefault(attribute, kind) != kind:
                raise ConfigurationError(
                    f"table {spec.ref}: its flows make attribute {attribute!r} both {types[attribute]} and {kind}",
                    advice=f"Say the type in the templates, for example {{field:{kind}}} in all of them.",
                )
    for attribute in sorted(wanted - set(types)):
        if existing is not None and attribute in existing.key_types:
            types[attribute] = existing.key_types[attribute]
        else:
            types[attribute] = _learn(spec, attribute, flows)
    return replace(spec, key_types={name: types[name] for name in sorted(wanted)})


def _learn(spec: TableSpec, attribute: str, flows: Sequence[tuple[Mapping, str, Source]]) -> str:
    seen: Counter[str] = Counter()
    for mapping, dataset, source in flows:
        path = mapping.lone_fields.get(attribute)
        if path is None:
            continue
        with suppress(SourceDataError):  # the load tells it, with what comes before it
            for record in islice(records(source, dataset), SAMPLE_RECORDS):
                seen.update(kind for value in every(record.fields, path) if (kind := key_type(value)))
    if not seen:
        raise ConfigurationError(
            f"table {spec.ref}: nothing tells the type of key attribute {attribute!r}: no record has the field",
            advice="Say it in the template: {field:S} for text, {field:N} for numbers, {field:B} for binary. "
            "A dataset without records may also wait; a flow from `connection.*` leaves it out by `except`.",
        )
    return min(seen, key=lambda kind: (-seen[kind], kind))


def records(source: Source, dataset: str, *, page_bytes: int = 1 << 18) -> Iterator[Record]:
    """The dataset's records from its start, as few as are asked for; those that cannot be read left out."""
    for page in pages(source, dataset, page_bytes=page_bytes):
        yield from page.records


def pages(source: Source, dataset: str, *, page_bytes: int = 1 << 18) -> Iterator[Page]:
    """The dataset's pages from its start, as few as are asked for."""
    for partition in source.partitions(dataset, partition_bytes=64 << 20):
        yield from source.read(partition, None, page_bytes=page_bytes)
