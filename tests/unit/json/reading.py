"""Reading JSON files in tests: whole, and from every cursor."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

from greylag.connectors.json import connector
from greylag.core.values import identical

if TYPE_CHECKING:
    from greylag.core.ports import Source
    from greylag.core.records import Page, Partition, Record, Rejection
    from greylag.core.values import Value


def source(path: Path, **options: object) -> Source:
    return connector.open(
        "files", connector.options(kind="json", path=str(path), **options), Path("/")
    ).source()


def written(path: Path, content: str | bytes) -> Path:
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.name.endswith(".gz") else data)
    return path


def pages(
    reader: Source, dataset: str, *, partition_bytes: int = 1 << 20, page_bytes: int = 1 << 20
) -> list[tuple[Partition, list[Page]]]:
    return [
        (partition, list(reader.read(partition, None, page_bytes=page_bytes)))
        for partition in reader.partitions(dataset, partition_bytes=partition_bytes)
    ]


def everything(
    reader: Source, dataset: str, *, partition_bytes: int = 1 << 20, page_bytes: int = 1 << 20
) -> tuple[list[Record], list[Rejection]]:
    found = [
        page
        for _, read in pages(reader, dataset, partition_bytes=partition_bytes, page_bytes=page_bytes)
        for page in read
    ]
    return [r for page in found for r in page.records], [r for page in found for r in page.rejected]


def fields(reader: Source, dataset: str = "") -> list[Value]:
    records, rejected = everything(reader, dataset)
    assert not rejected
    assert [record.id for record in records] == list(range(len(records)))
    return [record.fields for record in records]


def same(one: Value, other: Value) -> bool:
    return identical(one, other, ordered=True)
