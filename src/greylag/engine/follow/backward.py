"""Carries a flow's items back: who owns them, what records they are, and how the old store holds those.

The keys of a record at the old store are not a function of its item's key (types are in the item, and an application
may have written it), so they are always found in the index: primed by one pass over the target when reverse begins.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from greylag.core.mapping.inverse import Inverse
from greylag.core.ports import Returning
from greylag.core.records import Erased, Item, Record, Refused, Rejection
from greylag.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from greylag.core.change import RawChange
    from greylag.core.flows import FlowSpec
    from greylag.core.ports import Codec, OldCodec, OldStore, Target, Writer
    from greylag.core.records import Encoded
    from greylag.core.values import Document
    from greylag.engine.route import Route


class Backward:
    """See `carrier.Carrier`."""

    indexed = True
    contested = True
    """Two items are one record's while an application moves its key: it puts one item and deletes another."""

    def __init__(self, route: Route, target: Target, store: OldStore) -> None:
        """`target` is where the application writes, `store` where its changes are carried to."""
        self.route = route
        self.flow = route.name
        self.place = str(route.flow.source)
        mapping = route.mapping()
        self._spec = mapping.spec
        self._claim = mapping.claim
        self._inverse = Inverse(mapping.spec, route.functions)
        self._target = target
        self._store = store
        self._codec: Codec = target.codec(mapping.spec, route.table, route.dataset.family)
        self._old: OldCodec = store.codec(mapping.spec, route.dataset.family)

    @cached_property
    def writer(self) -> Writer:
        """See `Carrier`."""
        return self._store.writer(self._spec)

    def owns(self, body: bytes) -> bool:
        """Whether the item is one of this flow's."""
        return self._claim.matches(self._target.peek(body, self._claim.names))

    def key(self, body: bytes) -> Document:
        """The key attributes of an item."""
        return self._codec.key(body)

    def record(self, body: bytes) -> Record:
        """What the item is at the old store. Raises Refused."""
        return self._inverse.record(self._codec.decode(body))

    def encode(self, record: Record) -> Encoded:
        """As the old store holds it. Raises Refused."""
        return self._old.encode(record)

    def with_ids(self, records: Sequence[Record]) -> Iterator[Record]:
        """Records that were read from the old store, with the ids that its codec knows them by."""
        return self._store.with_ids(self._spec, records)

    def carry(self, change: RawChange) -> list[Encoded] | Rejection:
        """See `Carrier`; nothing for an item that another flow owns, or none."""
        assert change.document is not None
        if not self.owns(change.document):
            return []
        made = self.restored(change)
        return made if isinstance(made, Rejection) else [made[1]]

    def restored(self, change: RawChange) -> tuple[Record, Encoded] | Rejection:
        """What an item of the flow's is at the old store, and how that holds it, or why it cannot be carried back."""
        assert change.document is not None
        try:
            record = self.record(change.document)
            return record, self.encode(record)
        except Refused as refused:
            return self.rejection(change, refused.reason, refused.fix)

    def keys(self, change: RawChange) -> list[Erased]:
        """See `Carrier`: never asked."""
        raise AssertionError(change.id)

    def erased(self, encoded: Encoded) -> Erased:
        """See `Carrier`."""
        return self._old.erased(encoded)

    def rejection(self, change: RawChange, reason: str, fix: str) -> Rejection:
        """See `Carrier`."""
        known = self.known(change.id)
        if change.document is None:
            return Rejection(known.id, reason, fix)
        try:
            return Rejection(known.id, reason, fix, self._codec.decode(change.document))
        except Refused:
            return Rejection(known.id, reason, fix, raw=change.document)

    def known(self, id: bytes) -> Record:  # noqa: A002 - it is one
        """See `Carrier`: an item is called by its key."""
        return Record(id.decode("utf-8", "backslashreplace"), {})

    def close(self) -> None:
        """Close the writer."""
        if "writer" in self.__dict__:
            self.writer.close()


def old_store(route: Route) -> OldStore:
    """The source of a flow, to be written. Raises ConfigurationError where it takes nothing back."""
    connector = route.source
    return connector.old_store() if isinstance(connector, Returning) else _Database(connector.target())


class _Database:
    """A kind that is a target too: its own codec and writer, for the dataset as it stands."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def codec(self, flow: FlowSpec, family: str) -> OldCodec:
        table = self._target.describe(flow.source.dataset)
        if table is None:
            raise SchemaError(
                f"{flow.source} does not exist any more", advice="Create it, empty, and compare."
            )
        return _Items(self._target.codec(flow, table, family))

    def writer(self, flow: FlowSpec) -> Writer:
        table = self._target.describe(flow.source.dataset)
        assert table is not None
        return self._target.writer(table)

    def with_ids(self, flow: FlowSpec, records: Sequence[Record]) -> Iterator[Record]:  # noqa: ARG002
        return iter(records)

    def close(self) -> None:
        self._target.close()


class _Items:
    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    def encode(self, record: Record) -> Encoded:
        return self._codec.encode(Item(record.fields))

    def erased(self, encoded: Encoded) -> Erased:
        return self._codec.erased(encoded.body)
