"""The ports: what a source and a target must do, and the laws they and the engine keep.

The laws. One contract suite tests those a connector can break, for every connector.

1.  The change-stream position is taken before the full load is planned.
2.  A partition read twice from the same cursor gives the same page while the source is unchanged.
3.  Writing and applying are idempotent by key; changes to one key stay in order; a change carries a whole state
    or a delete, never a difference.
4.  A checkpoint is saved only after the target acknowledged what it covers, durably.
5.  Changes to a partition are applied only after its load is acknowledged and the processes that wrote it have
    ended. Until apply has passed the position at which that load ended the flow is `catching up`: earlier states
    may show, and nothing verifies or reads it. After that no key goes back and no deleted record returns. A write
    whose outcome is unknown is repeated with the same state, and later states of its keys wait until it can no
    longer land.
6.  A mismatch counts only if it survives a re-read after the lag has passed.
7.  A value is carried exactly or the record is quarantined with its reason. Nothing is coerced silently, no field
    is dropped that the mapping does not name under `drop`.
8.  A source without a resumable change stream is moved behind a write freeze, and the plan says so.
9.  Memory does not grow with the dataset: bounded queues, on-disk indexes and sorted spills.
10. Reading a source never locks it; reading and writing stay under the rates the plan sets.
11. A flow owns the items that match its key templates' literal parts and its constant attributes; flows whose
    claims overlap are refused. What no flow owns is reported, never changed.
12. State belongs to an environment, a mapping digest, a source identity and a target identity (the table's own
    id). If one of them differs the run is refused, with the way on explained.

Connections are opened in the process that uses them: a `Connector` is picklable, a `Source` or `Target` is not.
Every method raises the errors of `greylag.errors` and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path as Folder

    from greylag.core.change import ChangeBatch, Followed, History, RawChange
    from greylag.core.flows import FlowSpec, TableSpec
    from greylag.core.inventory import Inventory, Sample
    from greylag.core.mapping import Mapping as CompiledMapping
    from greylag.core.paths import Path
    from greylag.core.records import (
        Encoded,
        Erased,
        Item,
        NativePage,
        Page,
        Partition,
        Record,
        Rejection,
        Stored,
    )
    from greylag.core.structure import Product, Structure
    from greylag.core.values import Document, Value


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What a source knows of a dataset without reading it all.

    `identity` differs when it is another dataset or, where nothing but content tells (files), another content.
    `unique_id` is the template name of a field the source itself keeps unique and whose text form cannot give one
    text for two values (`_id` where every `_id` has one type; `@row`); None where nothing is known. `unique_value` is
    a field whose values it keeps unique, of whatever types they are: by value, 1 and 1.0 are one. `family` is
    "bson" or "json": which type a plain number at the target is taken for. `order` says by what its partitions are
    cut, None where no target is cut so (see `Ranged`).
    """

    dataset: str
    identity: str
    family: str
    estimated_records: int | None
    estimated_bytes: int | None
    unique_id: str | None
    resumable_changes: bool = False
    unique_value: str | None = None
    order: str | None = None


class Source(Protocol):
    """A place records are read from. Reading never locks and never writes."""

    def check(self) -> None:
        """Connect, authenticate and read one thing; raise what a user must mend."""

    def datasets(self) -> Sequence[str]:
        """The names `from: connection.*` stands for, sorted."""

    def describe(self, dataset: str) -> DatasetInfo:
        """Raises SchemaError, with near names, for a dataset that does not exist."""

    def partitions(self, dataset: str, *, partition_bytes: int) -> Iterator[Partition]:
        """Partitions that cover every record once, yielded as they are found: the first may be read while later
        ones are still being planned. Planned again over an unchanged dataset they are the same.
        """

    def read(self, partition: Partition, cursor: str | None, *, page_bytes: int) -> Iterator[Page]:
        """The pages after `cursor` (None: from the start). A page holds about `page_bytes` of source, at least one
        record. Every record is in a page's `records` or, undecodable or ambiguous, in its `rejected`.
        """

    def fetch(self, dataset: str, ids: Iterable[Value]) -> Iterator[Record]:
        """Those of the records named by `ids` that exist now, in any order."""

    def inventory(self, dataset: str) -> Inventory:
        """What the source knows of the dataset beside its records; reads no more of those than its newest and oldest.
        What the user may not see, or what takes long to find out, is left out. Raises as `describe`.
        """

    def sample(self, dataset: str, count: int) -> Sample:
        """About `count` of the dataset's records, at least one if there is one, never more than a few times `count`,
        none of them twice; all where it holds no more than `count`. Reads no more of a large dataset than the sample
        needs, as far as the source can. Pages as `read` gives them, each read when it is asked for.
        """

    def limit(self, bytes_per_second: float | None) -> None:
        """Read no more than this from now on, averaged over a few seconds (None: no limit). Safe to call from
        another thread. The engine divides the connection's `read_bytes_per_second` among its workers.
        """

    def close(self) -> None:
        """Let go of connections and files."""


@runtime_checkable
class NativeSource(Protocol):
    """What a source that gives `NativePage`s offers beside `Source`."""

    def fetch_native(self, dataset: str, ids: Iterable[Value]) -> Iterator[NativePage]:
        """As `Source.fetch`, undecoded."""


@runtime_checkable
class Structured(Protocol):
    """What a source offers beside `Source` where its datasets are made with options and indexes worth keeping."""

    def structure(self, dataset: str) -> Structure:
        """How the dataset is made. Raises as `describe`."""


class ChangeFeed(Protocol):
    """The resumable change stream of some datasets of a source. Used in one process at a time."""

    form: str
    """What the documents of its changes are: "bson", as a `NativePage` says it, or a word of the connector's own."""

    def position(self) -> str:
        """A position such that everything written after this call began is given by a stream begun there (law 1)."""

    def read(self, position: str) -> Iterator[ChangeBatch]:
        """What was written after `position`, without end, a batch of it at a time; while there is nothing new an empty
        batch about once a second. Waits through what passes, as long as `patience_seconds`. Raises PositionLost where
        the source no longer has `position`.
        """

    def mark(self) -> str:
        """Something by which `passed` knows all that was written before this call. May write to the source where that
        is the only way; then what it wrote is given by no stream. Any process may call it, with a feed of its own.
        """

    def passed(self, mark: str) -> bool:
        """Whether the batches that `read` has yielded so far hold all that was written before `mark` was made. Asked
        in the process that reads, between two batches. Read again from an earlier position, it is false until there.
        """

    def id_of(self, dataset: str, record: Record) -> bytes:
        """The `RawChange.id` that a change to this record has."""

    def known_fields(self, dataset: str) -> frozenset[Path]:
        """The fields that `known` gives of every record of the dataset (`_id`), with ("@row",) where it gives the
        record's place; empty where an id tells nothing. No I/O.
        """

    def known(self, dataset: str, id: bytes) -> Record:  # noqa: A002 - it is one
        """What a `RawChange.id` alone tells of its record: the record with the `known_fields` and no others. With
        it the keys of a deleted record are found without an index where templates see nothing else. Pure.
        """

    def decode(self, change: RawChange) -> Record | Rejection:
        """The record of a change that is no delete, or why it cannot be carried. Pure."""

    def history(self, position: str) -> History:
        """See `History`."""

    def limit(self, bytes_per_second: float | None) -> None:
        """As `Source.limit`."""

    def close(self) -> None:
        """Let go of connections and files."""


@runtime_checkable
class Followable(Protocol):
    """What a source offers beside `Source` where DatasetInfo.resumable_changes can be true."""

    def feed(self, datasets: Sequence[Followed], scratch: Folder) -> ChangeFeed:
        """The change stream of these datasets. `scratch` is a folder of the feed's own that lasts as long as the
        positions it gives; only the process that reads uses it. No I/O.
        """


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table as it stands. `identity` is the table's own id: another table of the same name has another one.

    `key` and `indexes` name attributes, partition key first; `key_types` gives "S", "N" or "B" for each of them.
    """

    name: str
    identity: str
    key: tuple[str, ...]
    indexes: Mapping[str, tuple[str, ...]]
    key_types: Mapping[str, str]
    estimated_items: int | None = None
    ttl_attribute: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


class Codec(Protocol):
    """One flow's items to and from its table's wire form; pure, used in worker processes."""

    def encode(self, item: Item) -> Encoded:
        """Raises Refused for what the target cannot hold exactly; the target's limits are checked here."""

    def canonical(self, item: Item) -> Encoded:
        """As `encode`, but with a body equal to that of `Stored` when the target holds exactly this item."""

    def decode(self, body: bytes) -> Document:
        """The attributes of a body with their types restored, reserved attributes left out."""

    def key(self, body: bytes) -> Document:
        """The key attributes of a body."""

    def erased(self, body: bytes) -> Erased:
        """What deletes the item with the key of this body. A body of the key attributes alone will do."""


Transcode: TypeAlias = "Callable[[Sequence[bytes]], Iterable[Encoded | None]]"
"""A function of documents of a `NativePage` → for each of them, in order, what `encode` gives of the item that the
mapping makes of it, the body byte for byte; None for a document of which it is not sure. A document that has no exact
values but is the same at both ends may be among them. `Passing` where every body is its document.
"""


@runtime_checkable
class Transcoding(Protocol):
    """What a codec may offer beside `Codec`: to carry documents as their source holds them, without decoding them."""

    def transcoder(self, mapping: CompiledMapping, form: str, *, canonical: bool = False) -> Transcode | None:
        """See `Transcode`; `encode` is `canonical` where asked for. None where there is none."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a batch: how many items and bytes the target acknowledged, what it charged, how often it said
    "slower" (`throttles`), and the items it will never take (index into the batch, reason). `unknown` counts requests
    that were given up without an answer and sent again: they may still land, later than what was acknowledged.
    `duplicates` are items (index into the batch, reason) that another item keeps out, since it has a value that a
    unique index allows only once: they were not written, and may be once that one has changed. `holders`, where given,
    are for each of them a call that asks the target for the key of that other item (None: not known).
    """

    items: int
    size_bytes: int
    units: float
    throttles: int = 0
    refused: tuple[tuple[int, str], ...] = ()
    unknown: int = 0
    duplicates: tuple[tuple[int, str], ...] = ()
    holders: tuple[Callable[[], bytes | None], ...] = ()


class Writer(Protocol):
    """Writes encoded items, many requests at once. One per worker and table."""

    batch_items: int
    """How many items a batch may hold."""

    late_write_seconds: float
    """How long after it was given up an unanswered request may still land (law 5)."""

    def write(self, batches: Iterable[Sequence[Encoded | Erased]]) -> Iterator[Delivery]:
        """Put every item of every batch, delete what is `Erased`; one Delivery per batch, in the order of the batches,
        each only once the target has durably acknowledged it (law 4), at once for an empty batch. Deleting what is
        not there is no error. Pulls batches as connections are free: holds a bounded number. What `batches` raises is
        raised once all that came before is acknowledged. Retries throttles, unprocessed items and unknown outcomes
        with jittered backoff; raises TransientError once the target has been away longer than the connection's
        `patience_seconds`. No two items of `batches` that may be in flight together share a key unless they are the
        same.
        """

    def limit(self, units_per_second: float | None) -> None:
        """Spend no more than this from now on (None: no limit). Safe to call from another thread."""

    def close(self) -> None:
        """Let go of connections."""


class Target(Protocol):
    """A place items are written to, and read back from to verify."""

    def check(self) -> None:
        """Connect, authenticate and read one thing; raise what a user must mend."""

    def describe(self, table: str) -> TableInfo | None:
        """The table as it stands, None if there is none."""

    def prepare(self, spec: TableSpec) -> TableInfo:
        """The table, created where the connection says `create_tables` and it is missing; ready to write.

        Raises SchemaError where it is missing and may not be created, or where keys, indexes or types differ.
        """

    def codec(self, flow: FlowSpec, table: TableInfo, family: str) -> Codec:
        """How `flow`'s items look in `table`; `family` is the source's DatasetInfo.family."""

    def writer(self, table: TableInfo) -> Writer:
        """A writer of its own connections."""

    def segments(self, table: str, *, count: int) -> Sequence[Partition]:
        """Parts of the table that are read on their own, together covering every item."""

    def scan(self, segment: Partition) -> Iterator[Sequence[Stored]]:
        """Every item of the segment, consistently read, in batches."""

    def peek(self, body: bytes, names: Sequence[str]) -> Document:
        """Those of the attributes `names` that a body has, in the types the target alone tells: enough to see who
        owns the item.
        """

    def fetch(self, table: TableInfo, keys: Iterable[Document]) -> Iterator[Stored]:
        """Those of the items that exist now, consistently read, in any order. `keys` as `Codec.key` gives them."""

    def delete(self, table: TableInfo, keys: Iterable[Document]) -> int:
        """Delete these items; how many were asked for. Used by `repair --delete-extra` alone."""

    def close(self) -> None:
        """Let go of connections."""


@runtime_checkable
class Ranged(Protocol):
    """What a target offers beside `Target` whose tables can be cut where a source's datasets are. Then both sides of an
    item that keeps its record's id lie in one stretch.
    """

    def ordered(self, table: str, order: str) -> bool:
        """Whether the partitions of a dataset of this `DatasetInfo.order`, taken as stretches of the table, hold every
        item of it once.
        """

    def stretch(self, table: str, partition: Partition) -> Partition:
        """The segment of the table that lies where a source's partition does. Raises ConnectorError where it cannot be
        told any longer.
        """


class OldCodec(Protocol):
    """A flow's records to the form in which its old store is written; pure."""

    def encode(self, record: Record) -> Encoded:
        """Raises Refused for what the old store cannot hold exactly."""

    def erased(self, encoded: Encoded) -> Erased:
        """What deletes the record."""


class OldStore(Protocol):
    """A source into which changes are carried back, once the application writes elsewhere."""

    def codec(self, flow: FlowSpec, family: str) -> OldCodec:
        """How the flow's records look. Raises ConfigurationError where they cannot be found again."""

    def writer(self, flow: FlowSpec) -> Writer:
        """A writer of the flow's records, of its own connections."""

    def with_ids(self, flow: FlowSpec, records: Sequence[Record]) -> Iterator[Record]:
        """Records as the source gives them, in its order, with the ids that the codec knows them by."""

    def close(self) -> None:
        """Let go of connections and files."""


@runtime_checkable
class Returning(Protocol):
    """What a connector may offer whose source is no target for flows, and yet takes changes back."""

    def old_store(self) -> OldStore:
        """Its source, to be written."""


@runtime_checkable
class Structuring(Protocol):
    """What a target offers beside `Target` where tables are made as a source's datasets are: `prepare` makes a missing
    one with `TableSpec.options`, its indexes are built when its records are there.
    """

    structure_form: str
    """The `Structure.form` it takes."""

    creates: bool
    """Whether its connection lets Greylag make tables and indexes."""

    def product(self) -> Product:
        """What its server is."""

    def index_definitions(self, table: str) -> Mapping[str, Mapping[str, Any]]:
        """The indexes that stand, by name, but for the key's own."""

    def build_index(self, table: str, definition: Mapping[str, Any]) -> None:
        """Build one, and wait for it; one that stands already is no error. Raises ConnectorError where the server does
        not make it.
        """

    def building(self, table: str) -> Mapping[str, float]:
        """How much of each index that is being built is done, 0 to 1, as far as the server tells."""


@runtime_checkable
class Connector(Protocol):
    """A `kind` of connection: validated options in, sources and targets out. Picklable; holds no connection."""

    @property
    def kind(self) -> str:
        """As greylag.yaml writes it."""

    def source(self) -> Source:
        """Raises ConfigurationError if this kind is a target only."""

    def target(self) -> Target:
        """Raises ConfigurationError if this kind is a source only."""


class Fence(Protocol):
    """Makes a store itself refuse the application's writes, thing by thing (a user, a table, a file), and undoes it.

    What `look` gave is durable before `impose` changes anything: so a fence that was killed half way can be lifted.
    """

    def things(self, datasets: Sequence[str], who: str | None) -> Sequence[str]:
        """What has to be fenced so that nobody but Greylag writes these datasets; `who`: the application, where the
        store knows users. Raises ConfigurationError where that would be Greylag itself, or could hold nobody.
        """

    def look(self, thing: str) -> Mapping[str, Any]:
        """How the thing stands, and what will be done to it: JSON-serialisable, no secret in it. Changes nothing."""

    def impose(self, thing: str, before: Mapping[str, Any]) -> Sequence[str]:
        """Fence it; what was done, a sentence each. Idempotent. When it returns the store refuses."""

    def lift(self, thing: str, before: Mapping[str, Any]) -> Sequence[str]:
        """Put back exactly what was. Idempotent, also for a thing that was never fenced."""

    def clock_ms(self) -> int:
        """The store's clock, in milliseconds since 1970."""

    def close(self) -> None:
        """Let go of connections."""


@runtime_checkable
class Fenceable(Protocol):
    """What a connector offers beside `Connector` where its store can refuse the application's writes."""

    def fence(self) -> Fence:
        """No I/O."""


@runtime_checkable
class Snapshotted(Protocol):
    """What a connector offers beside `Connector` where a feed sees only some of the states its source has: a load must
    then read none that the feed did not see.
    """

    def as_followed(self, scratch: Folder) -> Connector:
        """The connector whose sources give the records of the first position of the feed with this `scratch`, once
        there is one, and feeds as before; the identity of a dataset stays while it is written to.
        """


class ConnectorType(Protocol):
    """What a connector module exports as `connector`, and an entry point of `greylag.connectors` names."""

    kind: str
    options: type[Any]
    """A frozen pydantic model of the connection's keys in greylag.yaml, `kind` included as a Literal."""

    def open(self, name: str, options: Any, root: Folder) -> Connector:
        """The connector for these options. `root` is the folder of greylag.yaml, for relative paths. No I/O."""


@runtime_checkable
class Documents(Protocol):
    """What a connector type offers beside `ConnectorType` where its tables hold documents as they are: of any fields
    in their order, each type its own, under a key that every table has and whose values may be of any type.
    """

    own_key: str
