"""A flow's items to and from the documents of a collection."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from greylag.connectors.mongodb import wire
from greylag.connectors.mongodb.decoding import decode, encode
from greylag.connectors.mongodb.keys import has_common_id, id_of, is_id, key_bytes, key_of
from greylag.core.passing import Passing
from greylag.core.records import Encoded, Erased, Refused
from greylag.core.values import (
    INT32_MAX,
    INT32_MIN,
    INT64_MAX,
    INT64_MIN,
    Code,
    Decimal128,
    Int64,
    type_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from greylag.core.mapping import Mapping
    from greylag.core.ports import Transcode
    from greylag.core.records import Item
    from greylag.core.values import Document, Value

DOCUMENT_BYTES: Final = 16 * 1024 * 1024
"""Source: https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-BSON-Document-Size"""

_KEY_FIX = "Give `_id` a template that every record fills with a value of its own."


class MongoCodec:
    """See `ports.Codec`. A body is the document's BSON, `_id` first as the server keeps it; so an item has one body.

    Of the family "json" an integer becomes an int32 or int64, as its size asks for, and a decimal a Decimal128.
    """

    def __init__(self, family: str) -> None:
        self._plain_numbers = family == "json"

    def encode(self, item: Item) -> Encoded:
        """See `ports.Codec.encode`."""
        attributes = item.attributes
        if "_id" not in attributes:
            raise Refused("key attribute _id is missing", _KEY_FIX, "unfit-key")
        identity = attributes["_id"]
        if not is_id(identity):
            raise Refused(
                f"key attribute _id is of type {type_name(identity)}, which MongoDB takes for no _id",
                _KEY_FIX,
                "unfit-key",
            )
        if next(iter(attributes)) != "_id":
            attributes = {"_id": identity, **attributes}
        body = encode(_as_bson(attributes) if self._plain_numbers else attributes)
        if len(body) > DOCUMENT_BYTES:
            raise Refused(
                f"the document has {len(body):,} bytes; MongoDB allows {DOCUMENT_BYTES:,}",
                "`drop` or `split` a large field, or keep it elsewhere.",
                "oversize",
            )
        key = b"o" + body[9:21] if body[4] == 7 else key_bytes(identity)
        return Encoded(key, body, len(body))

    def canonical(self, item: Item) -> Encoded:
        """See `ports.Codec.canonical`: the body is canonical as it stands."""
        return self.encode(item)

    def decode(self, body: bytes) -> Document:
        """See `ports.Codec.decode`. Raises Refused for a document that no value says exactly."""
        document = decode(body)
        return _as_json(document) if self._plain_numbers else document

    def key(self, body: bytes) -> Document:
        """See `ports.Codec.key`."""
        return {"_id": id_of(body)}

    def erased(self, body: bytes) -> Erased:
        """See `ports.Codec.erased`."""
        key, element = key_of(body), wire.id_element(body)
        if key is None or element is None:
            raise Refused("key attribute _id is missing", _KEY_FIX, "unfit-key")
        return Erased(key, element)

    def transcoder(
        self,
        mapping: Mapping,
        form: str,
        *,
        canonical: bool = False,  # noqa: ARG002 - a document has one form
    ) -> Transcode | None:
        """See `ports.Transcoding`: documents that stay as they are go through as the bytes they are."""
        return as_they_are if form == "bson" and mapping.identity else None


def as_they_are(documents: Sequence[bytes]) -> Iterable[Encoded | None]:
    """Documents of a collection as those of another; of most `_id` none is looked at on its own."""
    if all(map(has_common_id, documents)):
        return Passing(documents, _certain_key)
    return map(as_it_is, documents)


def as_it_is(document: bytes) -> Encoded | None:
    """A document of a collection as one of another; None where its `_id` says nothing exactly."""
    try:
        key = key_of(document)
    except Refused:
        return None
    return None if key is None else Encoded(key, document, len(document))


def _certain_key(document: bytes) -> bytes:
    key = key_of(document)
    assert key is not None, "its _id was looked at"
    return key


def _as_bson(document: Document) -> Document:
    return {name: _number(value) for name, value in document.items()}


def _number(value: Value) -> Value:
    if isinstance(value, dict):
        return _as_bson(value)
    if isinstance(value, list):
        return [_number(each) for each in value]
    if type(value) is int and not INT32_MIN <= value <= INT32_MAX:
        if not INT64_MIN <= value <= INT64_MAX:
            raise Refused(f"{value} has more digits than MongoDB's largest integer", "Carry it as text.")
        return Int64(value)
    if type(value) is Decimal:
        return Decimal128(value)  # what it cannot hold digit for digit is refused where it is written
    return value


def _as_json(document: Document) -> Document:
    """Numbers as a JSON source has them."""
    return {name: _plain(value) for name, value in document.items()}


def _plain(value: Value) -> Value:
    if isinstance(value, dict):
        return _as_json(value)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, Int64):
        return int(value)
    if isinstance(value, Decimal128):
        return Decimal(value)
    if isinstance(value, Code) and value.scope is not None:
        return Code(value.code, _as_json(value.scope))
    return value
