"""Ranges of `_id` in the order of the `_id` index, across all types, and the queries that read them.

The index orders every value there is, of any type and under the collection's collation; so ranges of it cover a
collection whatever its ids are. Comparisons in a filter would not: `$gt` sees only values of its operand's type.
A bound is the bytes of the document `{_id: …}`, so that it is exact for every type.

Source: https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument

from greylag.connectors.mongodb import wire
from greylag.core.records import Refused
from greylag.core.values import MaxKey
from greylag.errors import SourceDataError

if TYPE_CHECKING:
    from collections.abc import Mapping

GREATEST: Final = wire.encode_document({"_id": MaxKey()})
_ALIKE: Final = frozenset({0x01, 0x02, 0x07, 0x08, 0x09, 0x10, 0x12, 0x13})
"""Numbers, strings, ObjectIds, booleans and dates."""
LENIENT: Final = CodecOptions(
    RawBSONDocument,
    datetime_conversion=DatetimeConversion.DATETIME_MS,
    unicode_decode_error_handler="replace",
)
"""pymongo looks into what it sends; nothing that it may stumble over there is taken from it."""
NULL: Final = wire.encode_document({"_id": None})
"""Where the index has a document without `_id`."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """From `lower` on, up to but without `upper`; None is unbounded."""

    lower: bytes | None = None
    upper: bytes | None = None

    @classmethod
    def from_json(cls, bounds: Mapping[str, object]) -> Self:
        """What `to_json` gave."""
        return cls(_bytes(bounds["lower"]), _bytes(bounds["upper"]))

    def to_json(self) -> dict[str, object]:
        """For `Partition.bounds`: base64 of BSON."""
        return {"lower": _text(self.lower), "upper": _text(self.upper)}

    @property
    def only_greatest(self) -> bool:
        """Whether nothing but the `_id` MaxKey can lie in here: the server takes no range that begins with it."""
        return self.lower == GREATEST

    @property
    def misses_greatest(self) -> bool:
        """Whether the `_id` MaxKey may lie in here without being found by `find_arguments`.

        A `min` without a `max` ends before MaxKey, which it leaves out (but for clustered collections).
        """
        return self.upper is None and self.lower is not None

    @property
    def alike(self) -> bool:
        """Whether they are of types that every server puts in one order."""
        return all(each is None or each[4] in _ALIKE for each in (self.lower, self.upper))

    def find_arguments(self) -> dict[str, Any]:
        """The arguments of `find` that read these bounds in the order of the index."""
        arguments: dict[str, Any] = {"hint": [("_id", 1)], "sort": [("_id", 1)]}
        if self.lower is not None:
            arguments["min"] = as_sent(self.lower)
        if self.upper is not None:
            arguments["max"] = as_sent(self.upper)
        return arguments


def as_sent(document: bytes) -> RawBSONDocument:
    """A document that pymongo puts into a command byte for byte: it has no class for some types of an `_id`."""
    return RawBSONDocument(document, LENIENT)


def place_of(raw: bytes) -> bytes:
    """Where a document stands in the index: the bound that is equal to its `_id`.

    Raises SourceDataError for bytes in which no `_id` can be looked for.
    """
    try:
        return wire.id_element(raw) or NULL
    except Refused as refused:
        raise SourceDataError(
            f"the server sent a document that cannot be read: {refused.reason}"
        ) from refused


def _text(bound: bytes | None) -> str | None:
    return None if bound is None else base64.b64encode(bound).decode()


def _bytes(text: object) -> bytes | None:
    return base64.b64decode(text) if isinstance(text, str) else None
