"""A flow's items to and from DynamoDB JSON, within DynamoDB's limits."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from greylag.connectors.dynamodb import limits
from greylag.connectors.dynamodb.decoder import Decoder
from greylag.connectors.dynamodb.encoder import Encoder
from greylag.connectors.dynamodb.key_rules import key_rules
from greylag.connectors.dynamodb.keys import key_bytes
from greylag.connectors.dynamodb.native import Compiled, Transcoder, library, program_of
from greylag.connectors.dynamodb.numbers import normal
from greylag.connectors.dynamodb.restore import from_base64
from greylag.connectors.dynamodb.rules import compile_rules
from greylag.connectors.dynamodb.scalars import encode
from greylag.connectors.dynamodb.unfit import Unfit
from greylag.core.records import Encoded, Erased

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from greylag.core.flows import FlowSpec
    from greylag.core.mapping import Mapping as CompiledMapping
    from greylag.core.ports import TableInfo, Transcode
    from greylag.core.records import Item
    from greylag.core.values import Document, Value


class DynamoDBCodec:
    """See `ports.Codec`."""

    def __init__(self, flow: FlowSpec, table: TableInfo, family: str, *, compiled: bool = True) -> None:
        """`compiled` False: carry.c is not used though it be there."""
        self._flow = flow
        self._bson = family == "bson"
        self._compiled = compiled
        self._encoder = Encoder(flow, family)
        self._decoder = Decoder(flow, family)
        self._key = table.key
        self._keys = key_rules(table)
        # UTF-8 has up to four bytes a character
        self._quick = [(each.name, each.kind, each.most_bytes // 4, each) for each in self._keys]

    def encode(self, item: Item) -> Encoded:
        """See `ports.Codec.encode`."""
        return self._encode(item, sort=False)

    def canonical(self, item: Item) -> Encoded:
        """See `ports.Codec.canonical`."""
        return self._encode(item, sort=True)

    def decode(self, body: bytes) -> Document:
        """See `ports.Codec.decode`. Raises Refused for a set, and for a number no BSON type holds."""
        try:
            return self._decoder.attributes(orjson.loads(body))
        except Unfit as unfit:
            raise unfit.refused() from None

    def key(self, body: bytes) -> Document:
        """See `ports.Codec.key`."""
        return peek(body, self._key)

    def erased(self, body: bytes) -> Erased:
        """See `ports.Codec.erased`."""
        item = orjson.loads(body)
        key = {name: item[name] for name in self._key}
        return Erased(key_bytes(key, self._key), orjson.dumps(key))

    def transcoder(self, mapping: CompiledMapping, form: str, *, canonical: bool = False) -> Transcode | None:
        """See `ports.Transcoding`. Canonical bodies are sorted: there is none for them."""
        if canonical or form != "bson" or mapping.direct is None or self._flow.keep_order:
            return None
        rules = compile_rules(self._flow)
        if self._compiled and self._bson and (found := library.compiled()) is not None:
            program = program_of(mapping.direct, rules, self._encoder, self._keys, self._key)
            if program is not None:
                return Compiled(found, program)
        keys = frozenset(rule.name for rule in self._keys)
        return Transcoder(mapping.direct, rules, self._encoder, keys, self._finish)

    def _encode(self, item: Item, *, sort: bool) -> Encoded:
        try:
            return self._finish(*self._encoder.encode(item, sort=sort))
        except Unfit as unfit:
            raise unfit.refused() from None

    def _finish(self, attributes: Mapping[str, Any], body: bytes, size: int) -> Encoded:
        """Raises Unfit for an item that breaks a limit of the table's."""
        for name, kind, surely_fits, rule in self._quick:
            content = attributes[name].get(kind) if name in attributes else None
            if content is None or not 0 < len(content) <= surely_fits:
                rule.check(attributes)
        if size > limits.ITEM_BYTES:
            raise _too_large(size)
        return Encoded(key_bytes(attributes, self._key), body, size)


def _too_large(size: int) -> Unfit:
    return Unfit(
        f"the item has {size:,} bytes as DynamoDB counts them; it allows {limits.ITEM_BYTES:,}",
        "`drop` or `split` a large field, or keep it elsewhere.",
        "oversize",
    )


def peek(body: bytes, names: Sequence[str]) -> Document:
    """See `ports.Target.peek`: integers and decimals, text, bytes, and what they make up. Sets are left out."""
    item = orjson.loads(body)
    found = ((name, _plain(item[name])) for name in names if name in item)
    return {name: value for name, value in found if value is not _SET}


_SET: Any = object()


def _plain(wire: dict[str, Any]) -> Value:
    [(kind, content)] = wire.items()
    if kind == "N":
        text = normal(content)
        return Decimal(text) if "." in text else int(text)
    if kind == "B":
        return from_base64(content)
    if kind == "NULL":
        return None
    if kind == "L":
        return [_plain(each) for each in content]
    if kind == "M":
        return {name: _plain(each) for name, each in content.items()}
    return content if kind in {"S", "BOOL"} else _SET  # type: ignore[no-any-return]


def wire_key(key: Document) -> dict[str, Any]:
    """A key in DynamoDB JSON, from the values that `DynamoDBCodec.key` gives. Raises Refused."""
    try:
        return {name: encode(value, None, "quarantine").wire for name, value in key.items()}
    except Unfit as unfit:
        raise unfit.refused() from None
