"""A source that shows only some of another's records, for a rehearsal that need not carry everything."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from greylag.core.records import Page, Partition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from greylag.core.inventory import Inventory, Sample
    from greylag.core.ports import Connector, ConnectorType, DatasetInfo, Source, Target
    from greylag.core.records import Record
    from greylag.core.values import Value

SPREAD = 16
"""Over how many parts of a dataset an excerpt is spread, where the source can be read from more than its start."""


class ExcerptType:
    """Opens the connections of another type so that of each dataset about `records` show. See `ports.ConnectorType`."""

    def __init__(self, inner: ConnectorType, records: int) -> None:
        self.kind = inner.kind
        self.options = inner.options
        self._inner = inner
        self._records = records

    def open(self, name: str, options: Any, root: Path) -> Connector:
        """See `ports.ConnectorType.open`."""
        return ExcerptConnector(self._inner.open(name, options, root), self._records)


@dataclass(frozen=True, slots=True)
class ExcerptConnector:
    """See `ports.Connector`."""

    inner: Connector
    records: int

    @property
    def kind(self) -> str:
        """That of the connector inside."""
        return self.inner.kind

    def source(self) -> Source:
        """Raises as the connector inside."""
        return ExcerptSource(self.inner.source(), self.records)

    def target(self) -> Target:
        """Raises as the connector inside."""
        return self.inner.target()


@dataclass(frozen=True, slots=True)
class ExcerptSource:
    """The first records of up to `SPREAD` parts of each dataset, together at least `records` of them or all.

    See `ports.Source`; everything but `partitions`, `read` and what `describe` estimates is the source's inside.
    """

    inner: Source
    records: int

    def check(self) -> None:
        """As the source inside."""
        self.inner.check()

    def datasets(self) -> Sequence[str]:
        """As the source inside."""
        return self.inner.datasets()

    def describe(self, dataset: str) -> DatasetInfo:
        """Another identity than the whole dataset has: their states are not each other's (law 12)."""
        info = self.inner.describe(dataset)
        known = info.estimated_records
        return replace(
            info,
            identity=f"{info.identity}#excerpt={self.records}",
            estimated_records=self.records if known is None else min(known, self.records),
            estimated_bytes=None,
        )

    def partitions(self, dataset: str, *, partition_bytes: int) -> Iterator[Partition]:
        """Those of the source inside, made larger where there would be more than about `SPREAD`."""
        size = self.inner.describe(dataset).estimated_bytes or 0
        parts = list(self.inner.partitions(dataset, partition_bytes=max(partition_bytes, -(-size // SPREAD))))
        share = -(-self.records // max(len(parts), 1))
        for part in parts:
            yield replace(
                part,
                bounds={"inner": part.bounds, "records": share},
                estimated_records=share,
                estimated_bytes=0,
            )

    def read(self, partition: Partition, cursor: str | None, *, page_bytes: int) -> Iterator[Page]:
        """The pages of the source inside until the partition's share is read; the last one cut to it."""
        share = partition.bounds["records"]
        inside = partition.bounds["inner"]
        assert isinstance(share, int)
        assert isinstance(inside, dict)
        taken, place = (0, None) if cursor is None else json.loads(cursor)
        if taken >= share:
            return
        for page in self.inner.read(replace(partition, bounds=inside), place, page_bytes=page_bytes):
            records = page.records[: max(share - taken - len(page.rejected), 0)]
            taken += len(records) + len(page.rejected)
            yield Page(records, json.dumps([taken, page.cursor]), page.bytes_read, page.rejected)
            if taken >= share:
                return

    def fetch(self, dataset: str, ids: Iterable[Value]) -> Iterator[Record]:
        """As the source inside."""
        return self.inner.fetch(dataset, ids)

    def inventory(self, dataset: str) -> Inventory:
        """As the source inside."""
        return self.inner.inventory(dataset)

    def sample(self, dataset: str, count: int) -> Sample:
        """As the source inside: of the whole dataset."""
        return self.inner.sample(dataset, count)

    def limit(self, bytes_per_second: float | None) -> None:
        """As the source inside."""
        self.inner.limit(bytes_per_second)

    def close(self) -> None:
        """As the source inside."""
        self.inner.close()
