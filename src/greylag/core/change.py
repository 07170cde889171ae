"""What a change stream gives: changes as their source holds them, and the positions between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.core.paths import Path

SPOOL_BYTES: Final = 10 << 30
"""What a stream may spool unless told otherwise."""


class RawChange(NamedTuple):
    """The whole state of one record after a write to it, or that it was deleted (law 3).

    `id` is equal exactly where two changes concern one record; `ChangeFeed.id_of` gives the same bytes for a record
    that was read. `document` is the record in its feed's own `form`, None where it was deleted. `written_ms` is the
    source's clock, milliseconds since 1970, as exactly as the source tells.
    """

    dataset: str
    id: bytes
    document: bytes | None
    written_ms: int


@dataclass(frozen=True, slots=True)
class DatasetEvent:
    """Something happened to a dataset as a whole, which no change of a record says.

    `kind` is "dropped", "renamed", "invalidated" or "moved" (rows of an append-only file changed places); `detail`
    says it in words. Everything before it has been given; nothing after it is.
    """

    dataset: str
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class ChangeBatch:
    """Changes in the order of their writes, as far as one record is concerned, and the position after them.

    `position` is the connector's own text: a stream begun there gives what comes after. An idle stream gives empty
    batches, whose positions move on all the same. `event` ends the stream. `clock_ms` is the source's time up to
    which this stream has seen everything, where it can tell.
    """

    changes: Sequence[RawChange]
    position: str
    clock_ms: int | None = None
    event: DatasetEvent | None = None


@dataclass(frozen=True, slots=True)
class History:
    """How much of its past a source keeps: `kept_seconds` in all, of which `left_seconds` lie before the position
    asked about, the time after which it would be lost at today's pace. None where the source cannot tell.
    """

    kept_seconds: float | None
    left_seconds: float | None


@dataclass(frozen=True, slots=True)
class Followed:
    """A dataset to follow, and what tells its records apart where the source has no id of its own.

    `fields` are the source's fields that key templates see, over all flows of the dataset, sorted; `rows`: a template
    sees a record's place, so the dataset may only grow at its end; `digests`: one sees the record's digest. A source
    that keeps an id (`_id`, a table's key) uses that and none of these.
    """

    dataset: str
    fields: tuple[Path, ...] = ()
    rows: bool = False
    digests: bool = False
