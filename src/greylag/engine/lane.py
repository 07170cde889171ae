"""What a process makes of a route: its mapping and codec compiled, its connections opened when first used."""

from __future__ import annotations

from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from greylag.core.passing import Passing
from greylag.core.ports import NativeSource, Transcoding
from greylag.core.records import NativePage, Record, Refused, Rejection, Undecoded
from greylag.engine.colliding import CollidingKeys
from greylag.engine.connections import Connections
from greylag.engine.spill import hashed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from greylag.core.ports import Codec, Source, Target, Transcode, Writer
    from greylag.core.records import Encoded, Item, Page
    from greylag.core.values import Value
    from greylag.engine.connections import Rates
    from greylag.engine.route import Route

Name = TypeVar("Name")

COLLISION_FIX = (
    "Give every record a key of its own (another field in the template, {@digest}, a file's {@row}) and load the flow "
    "again, or mend the records at the source and `greylag quarantine retry`."
)


class Lane:
    """A route in one process: its mapping and codec compiled, its connections opened when first used.

    `connections` are shared with other lanes and left open by `close`; without them the lane has its own.
    """

    def __init__(self, route: Route, connections: Connections | None = None) -> None:
        self.route = route
        self.mapping = route.mapping()
        self._transcoders: dict[tuple[str, bool], Transcode | None] = {}
        self._own = Connections() if connections is None else None
        self._connections = connections or self._own or Connections()

    @property
    def source(self) -> Source:
        """The source connection."""
        return self._connections.source(self.route)

    @property
    def target(self) -> Target:
        """The target connection."""
        return self._connections.target(self.route)

    @property
    def writer(self) -> Writer:
        """The writer of the route's table."""
        return self._connections.writer(self.route)

    @cached_property
    def codec(self) -> Codec:
        """The flow's codec for its table."""
        return self.target.codec(self.mapping.spec, self.route.table, self.route.dataset.family)

    @cached_property
    def colliding(self) -> CollidingKeys:
        """The keys that more than one record maps to."""
        return CollidingKeys(self.route.colliding)

    def items(self, record: Record) -> list[Item]:
        """What the mapping makes of `record`; none where `where` leaves it out. Raises Refused."""
        return self.mapping.apply(record)

    def encode(self, record: Record) -> list[Encoded]:
        """The items of `record` as they are written, none where `where` leaves it out.

        Raises Refused for the whole record if one item cannot be carried, or has a key that other records have too.
        """
        return self._refuse_collisions(
            record, [self.codec.encode(item) for item in self.mapping.apply(record)]
        )

    def both(self, record: Record) -> list[tuple[Item, Encoded]]:
        """As `encode`, each item beside its wire form."""
        items = self.mapping.apply(record)
        encoded = self._refuse_collisions(record, [self.codec.encode(item) for item in items])
        return list(zip(items, encoded, strict=True))

    def canonical(self, record: Record) -> list[Encoded]:
        """As `encode`, but with the bodies a target that holds exactly these items gives back."""
        return self._refuse_collisions(
            record, [self.codec.canonical(item) for item in self.mapping.apply(record)]
        )

    def digest(self, key: bytes) -> bytes:
        """What stands for the item with this key (as in `Encoded`) where items of several tables are joined."""
        return hashed(self._place + key)

    @cached_property
    def _place(self) -> bytes:
        return b"%b\0" % str(self.route.flow.table.ref).encode()

    def carry(self, page: Page) -> Iterator[tuple[Record, list[Encoded] | Rejection]]:
        """Each record of the page beside its items or why it goes to quarantine. Its `rejected` are left out."""
        for record in page.records:
            try:
                yield record, self.encode(record)
            except Refused as refused:
                yield record, Rejection(record.id, refused.reason, refused.fix, record.fields)

    def carry_all(self, page: Page) -> Iterator[tuple[Record | Undecoded, list[Encoded] | Rejection]]:
        """As `carry`; of a `NativePage` also its `rejected`, in any order. Its documents are carried undecoded where
        the codec can.
        """
        if not isinstance(page, NativePage):
            yield from self.carry(page)
            return
        left: Sequence[bytes] = page.documents
        if (transcode := self.transcoder(page.form)) is not None:
            left = []
            for document, encoded in zip(page.documents, transcode(page.documents), strict=True):
                if encoded is None or (self.route.colliding is not None and encoded.key in self.colliding):
                    left.append(document)
                else:
                    yield Undecoded(document, page), [encoded]
        rest = page.only(left)
        for rejection in rest.rejected:
            yield Record(rejection.id, {}), rejection
        yield from self.carry(rest)

    def passing(self, page: Page) -> Passing | None:
        """All items of the page, where its documents go through as they are and none of them needs a look."""
        if not isinstance(page, NativePage) or self.route.colliding is not None:
            return None
        if (transcode := self.transcoder(page.form)) is None:
            return None
        carried = transcode(page.documents)
        return carried if isinstance(carried, Passing) else None

    def as_they_are(self, page: Page) -> tuple[list[tuple[bytes, bytes]], Page]:
        """Documents of the page that are items as they stand, each behind its key, and a page of the others."""
        if not isinstance(page, NativePage) or not self.mapping.identity:
            return [], page
        if (transcode := self.transcoder(page.form, canonical=True)) is None:
            return [], page
        carried = transcode(page.documents)
        if isinstance(carried, Passing):
            return list(zip(carried.keys, page.documents, strict=True)), page.only([])
        found: list[tuple[bytes, bytes]] = []
        left: list[bytes] = []
        for document, encoded in zip(page.documents, carried, strict=True):
            if encoded is None or encoded.body is not document:
                left.append(document)
            else:
                found.append((encoded.key, document))
        return found, page.only(left)

    def canonical_all(self, page: Page) -> Iterator[tuple[Value, list[Encoded]] | None]:
        """The id of each record of the page, its `rejected` included, beside its items as `canonical` gives them; None
        for what goes to quarantine. In any order; undecoded where the codec can.
        """
        rest = page
        if isinstance(page, NativePage) and (transcode := self.transcoder(page.form, canonical=True)):
            left = []
            for document, encoded in zip(page.documents, transcode(page.documents), strict=True):
                if encoded is None or (self.route.colliding is not None and encoded.key in self.colliding):
                    left.append(document)
                else:
                    yield page.identify(document), [encoded]
            rest = page.only(left)
        for _ in rest.rejected:
            yield None
        for record in rest.records:
            try:
                yield record.id, self.canonical(record)
            except Refused:
                yield None

    def fetch(self, ids: Iterable[Value]) -> Iterator[Record | Undecoded]:
        """The records that exist now, undecoded where the codec can compare them so."""
        source, dataset = self.source, self.route.dataset.dataset
        if not isinstance(source, NativeSource) or not isinstance(self.codec, Transcoding):
            yield from source.fetch(dataset, ids)
            return
        for page in source.fetch_native(dataset, ids):
            if self.transcoder(page.form, canonical=True) is None:
                yield from page.records
            else:
                yield from (Undecoded(each, page) for each in page.documents)

    def transcode(self, record: Undecoded) -> Encoded | None:
        """Its item as `canonical` gives it; None where that takes decoding it."""
        transcoder = self.transcoder(record.form, canonical=True)
        return None if transcoder is None else next(iter(transcoder([record.document])))

    def transcoder(self, form: str, *, canonical: bool = False) -> Transcode | None:
        """See `ports.Transcoding`; None where the codec has none."""
        known = (form, canonical)
        if known not in self._transcoders:
            codec = self.codec
            self._transcoders[known] = (
                codec.transcoder(self.mapping, form, canonical=canonical)
                if isinstance(codec, Transcoding)
                else None
            )
        return self._transcoders[known]

    def close(self) -> None:
        """Close what this lane opened itself."""
        self.colliding.close()
        if self._own is not None:
            self._own.close()

    def _refuse_collisions(self, record: Record, encoded: list[Encoded]) -> list[Encoded]:
        if self.route.colliding is not None:
            for each in encoded:
                if each.key in self.colliding:
                    why = self.colliding.reason(each.key, self.route.name, record.id)
                    raise Refused(why, COLLISION_FIX, "key-collision")
        return encoded


def lane_of(route: Route) -> tuple[bool, str]:
    """Whether the route's records are carried undecoded, and if not, why. No I/O."""
    if route.dataset.family != "bson":
        return False, "the source's records are text"
    with closing(Lane(route)) as lane:
        if lane.transcoder("bson") is not None:
            return True, ""
        flow = route.flow
        sections = ("where", "python", "split", "ttl", "rename", "drop")
        used = [name for name in sections if getattr(flow, name)]
        if {*flow.attributes} - {*flow.table.key}:
            used.append("attributes")
        return (
            False,
            f"the flow has {', '.join(f'`{name}`' for name in used)}" if used else "of its templates",
        )


class Lanes(Generic[Name]):
    """The lanes of one process, by any name of their routes; each is opened when first asked for. They share the
    process's connections. `limit` may be called from another thread.
    """

    def __init__(self, routes: Mapping[Name, Route]) -> None:
        self._routes = routes
        self._connections = Connections()
        self._open: dict[Name, Lane] = {}

    def __getitem__(self, name: Name) -> Lane:
        if name not in self._open:
            self._open[name] = Lane(self._routes[name], self._connections)
        return self._open[name]

    def limit(self, rates: Rates) -> None:
        """Keep to `rates` from now on."""
        self._connections.limit(rates)

    def close(self) -> None:
        """Close every connection."""
        for lane in self._open.values():
            lane.close()
        self._connections.close()
