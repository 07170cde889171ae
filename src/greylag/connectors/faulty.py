"""Kind `faulty`: another connection, with faults. For rehearsals and tests: what goes wrong in months, in seconds.

Which reads and writes fail is decided by `seed` and by what is read or written, not by time or order, so a failing
test fails again. A fault that is raised or that kills strikes once for each page or batch: it leaves a mark in the
folder `marks`, which all processes share, and the next attempt passes. So every run that is repeated comes to its
end. Delete the folder to have the same faults again.

==============  ====================================================================================================
`throttle`      the writer is told "slower" once before a batch is taken (seen as `throttles`, nothing is raised)
`repeat`        an answer is lost and the batch is written twice, as a connector retries (nothing is raised)
`slow`          an answer takes `slow_seconds`
`short_page`    pages end before they are full; the same page from the same cursor, always
`transient`     TransientError, and nothing was read or written
`unknown`       TransientError from a write that has landed
`death`         the process is killed (SIGKILL), before or after the write or read
==============  ====================================================================================================
"""

from __future__ import annotations

import hashlib
import os
import signal
import threading
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from greylag.connectors.registry import connector_type
from greylag.core.canonical import canonical
from greylag.core.ports import Followable
from greylag.errors import ConfigurationError, ResourceError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from greylag.core.change import ChangeBatch, Followed, History, RawChange
    from greylag.core.flows import FlowSpec, TableSpec
    from greylag.core.inventory import Inventory, Sample
    from greylag.core.paths import Path as FieldPath
    from greylag.core.ports import (
        ChangeFeed,
        Codec,
        Connector,
        DatasetInfo,
        Delivery,
        Source,
        TableInfo,
        Target,
        Writer,
    )
    from greylag.core.records import Encoded, Erased, Page, Partition, Record, Rejection, Stored
    from greylag.core.values import Document, Value

kind = "faulty"
Rate = Annotated[float, Field(ge=0, le=1)]


class Faults(BaseModel):
    """The share of pages or batches, 0 to 1, that each fault strikes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    throttle: Rate = 0
    repeat: Rate = 0
    slow: Rate = 0
    short_page: Rate = 0
    transient: Rate = 0
    unknown: Rate = 0
    death: Rate = 0


class FaultyOptions(BaseModel):
    """A connection of kind `faulty`. `inner` is a whole connection, its own `kind` included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["faulty"] = "faulty"
    inner: Annotated[Any, Field(description="The connection that works, its `kind` included.")]
    seed: Annotated[int, Field(description="Another seed strikes other pages and batches.")] = 0
    faults: Annotated[Faults, Field(description="The share of pages or batches each fault strikes.")] = (
        Faults()
    )
    slow_seconds: Annotated[float, Field(ge=0, description="How long a slow answer takes.")] = 0.05
    marks: Annotated[str, Field(description="Folder for the faults that have struck.")] = ".greylag/faults"

    @field_validator("inner")
    @classmethod
    def _validate_inner(cls, inner: Any) -> Any:
        if isinstance(inner, BaseModel):
            return inner
        if not isinstance(inner, dict) or not isinstance(inner.get("kind"), str):
            raise ValueError("inner is a connection: {kind: …, …}")  # noqa: TRY004 - pydantic reports these
        try:
            return connector_type(inner["kind"]).options.model_validate(inner)
        except ConfigurationError as error:
            raise ValueError(error.message) from error


class FaultyConnectorType:
    """What the entry point `faulty` names."""

    kind = kind
    options = FaultyOptions

    def open(self, name: str, options: FaultyOptions, root: Path) -> Connector:
        """See `ports.ConnectorType.open`."""
        inner = connector_type(options.inner.kind).open(name, options.inner, root)
        strikes = Strikes(options.seed, options.faults, options.slow_seconds, root / options.marks / name)
        return FaultyConnector(inner, strikes)


connector = FaultyConnectorType()


@dataclass(frozen=True, slots=True)
class Strikes:
    """Decides where faults strike, and lets them. `marks` is this connection's own folder."""

    seed: int
    faults: Faults
    slow_seconds: float
    marks: Path

    def decides(self, fault: str, subject: str) -> bool:
        """Whether `fault` belongs to `subject`: always the same answer for one seed."""
        rate: float = getattr(self.faults, fault)
        return rate > 0 and int(self._digest(fault, subject)[:12], 16) < rate * 16**12

    def once(self, fault: str, subject: str) -> bool:
        """As `decides`, but true only the first time, in whatever process that is."""
        if not self.decides(fault, subject):
            return False
        try:
            self.marks.mkdir(parents=True, exist_ok=True)
            (self.marks / f"{fault}-{self._digest(fault, subject)}").touch(exist_ok=False)
        except FileExistsError:
            return False
        except OSError as error:
            raise ResourceError(f"cannot mark a fault in {self.marks}: {error.strerror}") from error
        return True

    def before(self, action: str, subject: str) -> None:
        """What strikes before something is read or written: slow answers, death, refusals."""
        if self.decides("slow", f"{action} {subject}"):
            threading.Event().wait(self.slow_seconds)
        if self.once("death", f"before {action} {subject}"):
            _die()
        if self.once("transient", f"{action} {subject}"):
            raise TransientError(
                f"injected fault: {action} failed, nothing was done", advice="Run the same command again."
            )

    def after(self, action: str, subject: str) -> None:
        """What strikes after it was read or written: the answer is lost, or who waits for it dies."""
        if self.once("death", f"after {action} {subject}"):
            _die()
        if action == "write" and self.once("unknown", f"{action} {subject}"):
            raise TransientError(
                "injected fault: the answer to a write was lost; it has landed",
                advice="Run the same command again.",
            )

    def _digest(self, fault: str, subject: str) -> str:
        text = f"{self.seed} {fault} {subject}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class FaultyConnector:
    """See `ports.Connector`."""

    inner: Connector
    strikes: Strikes

    @property
    def kind(self) -> str:
        """Always "faulty"."""
        return kind

    def source(self) -> Source:
        """See `ports.Connector.source`."""
        return FaultySource(self.inner.source(), self.strikes)

    def target(self) -> Target:
        """See `ports.Connector.target`."""
        return FaultyTarget(self.inner.target(), self.strikes)


class FaultySource:
    """See `ports.Source`."""

    def __init__(self, inner: Source, strikes: Strikes) -> None:
        self._inner = inner
        self._strikes = strikes

    def check(self) -> None:
        """See `ports.Source.check`."""
        self._inner.check()

    def datasets(self) -> Sequence[str]:
        """See `ports.Source.datasets`."""
        return self._inner.datasets()

    def describe(self, dataset: str) -> DatasetInfo:
        """See `ports.Source.describe`."""
        return self._inner.describe(dataset)

    def partitions(self, dataset: str, *, partition_bytes: int) -> Iterator[Partition]:
        """See `ports.Source.partitions`."""
        return self._inner.partitions(dataset, partition_bytes=partition_bytes)

    def read(self, partition: Partition, cursor: str | None, *, page_bytes: int) -> Iterator[Page]:
        """See `ports.Source.read`. How full a page is depends on its cursor alone (law 2)."""
        while True:
            place = f"{partition.dataset} {partition.ordinal} {cursor}"
            self._strikes.before("read", place)
            short = self._strikes.decides("short_page", place)
            pages = self._inner.read(
                partition, cursor, page_bytes=max(1, page_bytes // 4) if short else page_bytes
            )
            page = next(pages, None)
            if isinstance(pages, Generator):
                pages.close()
            if page is None:
                return
            yield page
            self._strikes.after("read", place)
            cursor = page.cursor

    def fetch(self, dataset: str, ids: Iterable[Value]) -> Iterator[Record]:
        """See `ports.Source.fetch`."""
        wanted = list(ids)
        self._strikes.before("fetch", f"{dataset} {canonical(wanted)!r}")
        yield from self._inner.fetch(dataset, wanted)

    def inventory(self, dataset: str) -> Inventory:
        """See `ports.Source.inventory`."""
        self._strikes.before("inventory", dataset)
        return self._inner.inventory(dataset)

    def sample(self, dataset: str, count: int) -> Sample:
        """See `ports.Source.sample`."""
        self._strikes.before("sample", f"{dataset} {count}")
        return self._inner.sample(dataset, count)

    def feed(self, datasets: Sequence[Followed], scratch: Path) -> ChangeFeed:
        """See `ports.Followable.feed`."""
        assert isinstance(self._inner, Followable), "asked only where describe says resumable_changes"
        return FaultyFeed(self._inner.feed(datasets, scratch), self._strikes)

    def limit(self, bytes_per_second: float | None) -> None:
        """See `ports.Source.limit`."""
        self._inner.limit(bytes_per_second)

    def close(self) -> None:
        """See `ports.Source.close`."""
        self._inner.close()


class FaultyFeed:
    """See `ports.ChangeFeed`. A batch that holds changes is struck as a page is; what the first of them is decides."""

    def __init__(self, inner: ChangeFeed, strikes: Strikes) -> None:
        self._inner = inner
        self._strikes = strikes
        self.form = inner.form

    def position(self) -> str:
        """See `ports.ChangeFeed.position`."""
        return self._inner.position()

    def read(self, position: str) -> Iterator[ChangeBatch]:
        """See `ports.ChangeFeed.read`."""
        for batch in self._inner.read(position):
            if not batch.changes:
                yield batch
                continue
            first = batch.changes[0]
            place = f"{first.dataset} {first.id!r} {hashlib.blake2b(first.document or b'').hexdigest()}"
            self._strikes.before("feed", place)
            yield batch
            self._strikes.after("feed", place)

    def mark(self) -> str:
        """See `ports.ChangeFeed.mark`."""
        return self._inner.mark()

    def passed(self, mark: str) -> bool:
        """See `ports.ChangeFeed.passed`."""
        return self._inner.passed(mark)

    def id_of(self, dataset: str, record: Record) -> bytes:
        """See `ports.ChangeFeed.id_of`."""
        return self._inner.id_of(dataset, record)

    def known_fields(self, dataset: str) -> frozenset[FieldPath]:
        """See `ports.ChangeFeed.known_fields`."""
        return self._inner.known_fields(dataset)

    def known(self, dataset: str, id: bytes) -> Record:  # noqa: A002
        """See `ports.ChangeFeed.known`."""
        return self._inner.known(dataset, id)

    def decode(self, change: RawChange) -> Record | Rejection:
        """See `ports.ChangeFeed.decode`."""
        return self._inner.decode(change)

    def history(self, position: str) -> History:
        """See `ports.ChangeFeed.history`."""
        return self._inner.history(position)

    def limit(self, bytes_per_second: float | None) -> None:
        """See `ports.ChangeFeed.limit`."""
        self._inner.limit(bytes_per_second)

    def close(self) -> None:
        """See `ports.ChangeFeed.close`."""
        self._inner.close()


class FaultyWriter:
    """See `ports.Writer`. Writes one batch after the other."""

    def __init__(self, inner: Writer, strikes: Strikes) -> None:
        self._inner = inner
        self._strikes = strikes
        self.batch_items = inner.batch_items
        self.late_write_seconds = inner.late_write_seconds

    def write(self, batches: Iterable[Sequence[Encoded | Erased]]) -> Iterator[Delivery]:
        """See `ports.Writer.write`."""
        for batch in batches:
            subject = hashlib.blake2b(b"".join(each.key for each in batch), digest_size=16).hexdigest()
            self._strikes.before("write", subject)
            delivery = self._one(batch)
            if self._strikes.decides("repeat", subject):
                again = self._one(batch)
                delivery = replace(delivery, units=delivery.units + again.units)
            self._strikes.after("write", subject)
            throttles = delivery.throttles + self._strikes.decides("throttle", subject)
            yield replace(delivery, throttles=throttles)

    def limit(self, units_per_second: float | None) -> None:
        """See `ports.Writer.limit`."""
        self._inner.limit(units_per_second)

    def close(self) -> None:
        """See `ports.Writer.close`."""
        self._inner.close()

    def _one(self, batch: Sequence[Encoded | Erased]) -> Delivery:
        (delivery,) = self._inner.write([batch])
        return delivery


class FaultyTarget:
    """See `ports.Target`."""

    def __init__(self, inner: Target, strikes: Strikes) -> None:
        self._inner = inner
        self._strikes = strikes

    def check(self) -> None:
        """See `ports.Target.check`."""
        self._inner.check()

    def describe(self, table: str) -> TableInfo | None:
        """See `ports.Target.describe`."""
        return self._inner.describe(table)

    def prepare(self, spec: TableSpec) -> TableInfo:
        """See `ports.Target.prepare`."""
        return self._inner.prepare(spec)

    def codec(self, flow: FlowSpec, table: TableInfo, family: str) -> Codec:
        """See `ports.Target.codec`."""
        return self._inner.codec(flow, table, family)

    def writer(self, table: TableInfo) -> Writer:
        """See `ports.Target.writer`."""
        return FaultyWriter(self._inner.writer(table), self._strikes)

    def segments(self, table: str, *, count: int) -> Sequence[Partition]:
        """See `ports.Target.segments`."""
        return self._inner.segments(table, count=count)

    def scan(self, segment: Partition) -> Iterator[Sequence[Stored]]:
        """See `ports.Target.scan`."""
        for number, batch in enumerate(self._inner.scan(segment)):
            self._strikes.before("scan", f"{segment.dataset} {segment.ordinal} {number}")
            yield batch

    def peek(self, body: bytes, names: Sequence[str]) -> Document:
        """See `ports.Target.peek`."""
        return self._inner.peek(body, names)

    def fetch(self, table: TableInfo, keys: Iterable[Document]) -> Iterator[Stored]:
        """See `ports.Target.fetch`."""
        wanted = list(keys)
        self._strikes.before("fetch", f"{table.name} {canonical(list[Any](wanted))!r}")
        yield from self._inner.fetch(table, wanted)

    def delete(self, table: TableInfo, keys: Iterable[Document]) -> int:
        """See `ports.Target.delete`."""
        return self._inner.delete(table, keys)

    def close(self) -> None:
        """See `ports.Target.close`."""
        self._inner.close()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
