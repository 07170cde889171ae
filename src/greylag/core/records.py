"""A record of a source, an item of a target, and why one cannot become the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greylag.core.values import Document, Value


class Record(NamedTuple):
    """One record as the source holds it. `id` is what the source finds it by again (`_id`; a row from 0)."""

    id: Value
    fields: Document


class Undecoded:
    """A record that was carried as the source holds it; decoded if someone asks what it is."""

    __slots__ = ("_page", "document")

    def __init__(self, document: bytes, page: NativePage) -> None:
        self.document = document
        self._page = page

    @property
    def id(self) -> Value:
        """See `Record`."""
        return self._page.identify(self.document)

    def record(self) -> Record:
        """It decoded. Raises Refused."""
        records, rejected = self._page.decode_all(self.document)
        if rejected:
            raise Refused(rejected[0].reason, rejected[0].fix)
        return records[0]

    @property
    def form(self) -> str:
        """See `NativePage`."""
        return self._page.form

    def rejection(self, reason: str, fix: str) -> Rejection:
        """It in quarantine: as bytes where no value says exactly what it holds."""
        records, rejected = self._page.decode_all(self.document)
        if records:
            return Rejection(records[0].id, reason, fix, records[0].fields)
        return Rejection(rejected[0].id, reason, fix, raw=self.document)


class Item(NamedTuple):
    """What a mapping makes of a record: attributes by name, templates and carried fields together.

    `derived` names the attributes that templates wrote: they need no type hint, the record does not carry them.
    """

    attributes: Document
    derived: frozenset[str] = frozenset()


class Encoded(NamedTuple):
    """An item in its target's wire form.

    `key` identifies it within its table: equal bytes exactly when the target takes both for one item. `body` is
    the target's own serialisation; `size_bytes` what the target counts (not `len(body)`).
    """

    key: bytes
    body: bytes
    size_bytes: int


class Erased(NamedTuple):
    """An item to delete: `key` as in `Encoded`, `body` the key attributes in the target's wire form."""

    key: bytes
    body: bytes

    @property
    def size_bytes(self) -> int:
        """What a request counts for it."""
        return len(self.body)


class Stored(NamedTuple):
    """An item as it stands at the target: `key` as in `Encoded`, `body` canonical (see `ports.Codec.canonical`)."""

    key: bytes
    body: bytes


class Refused(Exception):  # noqa: N818 - it is an answer, not a failure
    """A record that cannot be carried exactly: `reason` says why, `fix` what to do. It goes to quarantine.

    `kind` is a stable word for what is wrong, the same for every record that it is wrong with; empty where a value of
    the record's does not fit.
    """

    def __init__(self, reason: str, fix: str = "", kind: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record on its way to quarantine. `original` is None only where its bytes could not be decoded."""

    id: Value
    reason: str
    fix: str = ""
    original: Document | None = None
    raw: bytes | None = None


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of a dataset that is read on its own. The partitions of a dataset cover every record once.

    `bounds` is the connector's own, JSON-serialisable; `ordinal` counts from 0 in the order of planning.
    """

    dataset: str
    ordinal: int
    bounds: dict[str, object]
    estimated_records: int = 0
    estimated_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """Records read in one go, and the cursor from which the next page of the partition starts.

    `cursor` is the connector's own text; reading from it again gives the same records while the source is
    unchanged (law 2). `bytes_read` counts the source's bytes.
    """

    records: Sequence[Record]
    cursor: str
    bytes_read: int
    rejected: Sequence[Rejection] = field(default=())


class NativePage(Page):
    """A page that also has its records as the source holds them. `records` and `rejected` are decoded when first
    asked for; `decode` does the same for one document, which it gives as a record or a rejection.
    """

    __slots__ = ("_decoded", "decode_all", "documents", "form", "identify")

    documents: Sequence[bytes]
    form: str
    """What the documents are: "bson"."""
    decode_all: Callable[[bytes], tuple[Sequence[Record], Sequence[Rejection]]]
    identify: Callable[[bytes], Value]
    """The id of one of its documents that were carried."""
    _decoded: tuple[Sequence[Record], Sequence[Rejection]]

    def __init__(
        self,
        form: str,
        documents: Sequence[bytes],
        cursor: str,
        bytes_read: int,
        decode_all: Callable[[bytes], tuple[Sequence[Record], Sequence[Rejection]]],
        *,
        identify: Callable[[bytes], Value],
    ) -> None:
        """`decode_all` decodes documents end to end: those that can be carried, in order, and those that cannot."""
        for name, value in (("cursor", cursor), ("bytes_read", bytes_read)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "form", form)
        object.__setattr__(self, "documents", documents)
        object.__setattr__(self, "decode_all", decode_all)
        object.__setattr__(self, "identify", identify)

    @property
    def records(self) -> Sequence[Record]:
        """See `Page`."""
        return self._all()[0]

    @property
    def rejected(self) -> Sequence[Rejection]:
        """See `Page`."""
        return self._all()[1]

    def only(self, documents: Sequence[bytes]) -> NativePage:
        """A page of some of its documents, for decoding them."""
        return NativePage(self.form, documents, self.cursor, 0, self.decode_all, identify=self.identify)

    def _all(self) -> tuple[Sequence[Record], Sequence[Rejection]]:
        if not hasattr(self, "_decoded"):
            object.__setattr__(self, "_decoded", self.decode_all(b"".join(self.documents)))
        return self._decoded
