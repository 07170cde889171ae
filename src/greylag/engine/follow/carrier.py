"""What apply asks of one flow: the items that a change makes, and the keys that a change's id alone tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from greylag.core.ports import Transcoding
from greylag.core.records import Record, Refused, Rejection
from greylag.engine.quarantine import rejection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from greylag.core.change import RawChange
    from greylag.core.ports import ChangeFeed, Transcode, Writer
    from greylag.core.records import Encoded, Erased
    from greylag.engine.lane import Lane
    from greylag.engine.quarantine import Quarantine


class Carrier(Protocol):
    """One flow in the process that applies its changes."""

    flow: str
    place: str
    """Which of the writers: items of one place with one key are one item."""
    indexed: bool
    """Whether the keys of a record are found in the index: a change's id does not tell them."""
    contested: bool
    """Whether two records could claim one key."""

    @property
    def writer(self) -> Writer:
        """The writer of its items, the same for every flow of its place."""

    def carry(self, change: RawChange) -> Sequence[Encoded] | Rejection:
        """What the record of a change that is no delete becomes, or why it cannot be carried. The same whenever it is
        asked: a window is mapped again after a crash.
        """

    def keys(self, change: RawChange) -> Sequence[Erased]:
        """What deletes the items of the change's record, whether it is one. Asked only where it is not `indexed`."""

    def erased(self, encoded: Encoded) -> Erased:
        """What deletes an item."""

    def rejection(self, change: RawChange, reason: str, fix: str) -> Rejection:
        """The quarantine's entry for a change's record that something else than its mapping refuses."""

    def known(self, id: bytes) -> Record:  # noqa: A002 - it is one
        """What the id of a change tells of its record."""


@runtime_checkable
class Gathering(Protocol):
    """What a carrier offers beside `Carrier` where a record is several items of its stream."""

    def gather(
        self, changes: Iterable[tuple[bytes, RawChange]]
    ) -> Iterator[tuple[bytes, Sequence[Encoded] | Rejection]]:
        """The ids of the records that these changes of items, by the items' ids, concern, each once, with what `carry`
        would say of them; nothing where a record is gone. In place of `carry`.
        """


class Forward:
    """From the source of a flow to its target, as the load does it, but for keys of several records: which of those is
    written the index knows.
    """

    def __init__(self, lane: Lane, feed: ChangeFeed) -> None:
        self.flow = lane.route.name
        self.place = str(lane.route.flow.table.ref)
        self.dataset = lane.route.dataset.dataset
        self.contested = lane.route.colliding is not None
        self.indexed = self.contested or not tells_keys(lane, feed)
        self._lane = lane
        self._feed = feed
        self._transcode: Transcode | None = None
        codec = lane.codec
        if isinstance(codec, Transcoding):
            self._transcode = codec.transcoder(lane.mapping, feed.form)

    @property
    def writer(self) -> Writer:
        """See `Carrier`."""
        return self._lane.writer

    def carry(self, change: RawChange) -> Sequence[Encoded] | Rejection:
        """See `Carrier`."""
        assert change.document is not None
        encoded = None
        if self._transcode is not None:
            [encoded] = self._transcode([change.document])
        if encoded is not None:
            return [encoded]
        found = self._feed.decode(change)
        if isinstance(found, Rejection):
            return found
        try:
            return [self._lane.codec.encode(item) for item in self._lane.items(found)]
        except Refused as refused:
            return Rejection(found.id, refused.reason, refused.fix, found.fields)

    def keys(self, change: RawChange) -> Sequence[Erased]:
        """See `Carrier`. None where the id makes no key: then its record has never had an item."""
        codec = self._lane.codec
        try:
            item = self._lane.mapping.key(self._feed.known(self.dataset, change.id))
            return [codec.erased(codec.encode(item).body)]
        except Refused:
            return []

    def erased(self, encoded: Encoded) -> Erased:
        """See `Carrier`."""
        return self._lane.codec.erased(encoded.body)

    def rejection(self, change: RawChange, reason: str, fix: str) -> Rejection:
        """See `Carrier`."""
        found = self._feed.decode(change) if change.document is not None else self.known(change.id)
        if isinstance(found, Rejection):
            return found
        return Rejection(found.id, reason, fix, found.fields)

    def known(self, id: bytes) -> Record:  # noqa: A002
        """See `Carrier`."""
        return self._feed.known(self.dataset, id)

    def refused(self, quarantine: Quarantine) -> Iterator[tuple[str, bytes, Rejection]]:
        """The flow, the id and the entry of each record that the load could not carry, for `Apply.gather`."""
        for entry in quarantine.entries():
            found = rejection(entry)
            if found.original is not None:
                yield self.flow, self._feed.id_of(self.dataset, Record(found.id, found.original)), found


def tells_keys(lane: Lane, feed: ChangeFeed) -> bool:
    """Whether the id of a change alone tells the key of its record's one item."""
    known = feed.known_fields(lane.route.dataset.dataset)
    return lane.mapping.one_item and all(
        any(path[:length] in known for length in range(1, len(path) + 1))
        for path in lane.mapping.seen_by_keys
    )
