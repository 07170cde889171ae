"""A flow for carry.c: its rules, fields, templates and keys as the records that stand at the top of that file."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import orjson

from greylag.connectors.dynamodb import hints, limits
from greylag.connectors.dynamodb.restore import TAGGED_NAMES
from greylag.connectors.dynamodb.unfit import Unfit
from greylag.core.mapping.templates import Template
from greylag.core.records import Item

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from greylag.connectors.dynamodb.encoder import Encoder
    from greylag.connectors.dynamodb.key_rules import KeyRule
    from greylag.connectors.dynamodb.rules import Rules
    from greylag.core.mapping.direct import Direct
    from greylag.core.mapping.templates import Placeholder
    from greylag.core.values import Document

_RULES: Final = {
    "string": 1,
    "objectId": 2,
    "date": 3,
    "date:s": 4,
    "date:ms": 5,
    "int": 6,
    "int64": 7,
    "double": 8,
    "decimal": 9,
    "decimal128": 10,
    "binary": 11,
    "uuid": 12,
}
_TAGGED: Final = 13
_OTHER: Final = 14
_MOST_READS: Final = 63
_MOST_TAKEN: Final = 1000

_TEXT: Final = struct.Struct("=2I")
_RULE: Final = struct.Struct("=4I")
_FIELD: Final = struct.Struct("=Q4I")
_TOP: Final = struct.Struct("=Q10I")
_PART: Final = struct.Struct("=6I")
_OWN: Final = struct.Struct("=8I")
_KEY: Final = struct.Struct("=4I")
_HASH: Final = struct.Struct("=Q")
_PROGRAM: Final = struct.Struct("=14I")


class _Unwritable(Exception):  # noqa: N818 - it is an answer, not a failure
    """A flow that carry.c does not know."""


def program_of(
    mapping: Direct, rules: Rules, encoder: Encoder, keys: Sequence[KeyRule], key: Sequence[str]
) -> bytes | None:
    """The program; None for a flow with templates that carry.c does not fill. `key` names the attributes that are the
    table's key, `keys` has what is asked of those and of the keys of its indexes.
    """
    try:
        return _Program(mapping, rules, encoder).compiled(keys, key)
    except (_Unwritable, Unfit):
        return None


class _Program:
    """The records so far. Each stands at a place that eight divides."""

    def __init__(self, mapping: Direct, rules: Rules, encoder: Encoder) -> None:
        self._mapping = mapping
        self._rules = rules
        self._encoder = encoder
        self._out = bytearray(_PROGRAM.size)
        self._slots = {name: slot for slot, name in enumerate(sorted(mapping.reads), start=1)}

    def compiled(self, keys: Sequence[KeyRule], key: Sequence[str]) -> bytes:
        mapping = self._mapping
        constants, fills = self._written({each.name for each in keys})
        taken = {*mapping.writes, *(each.name for each in keys), hints.RESERVED}
        if len(self._slots) > _MOST_READS or len(taken) > _MOST_TAKEN:
            raise _Unwritable
        _, text, counted = self._encoder.encode(Item(constants, frozenset(constants)), sort=False)
        names = sorted({*mapping.reads, *mapping.dropped, *mapping.renamed, *self._rules.fields})
        tops = self._records([self._top(name) for name in names])
        owns = self._records([self._own(*each) for each in fills])
        checks = self._records(self._checks(keys, key, [name for name, *_ in fills]))
        hashes = self._records([_HASH.pack(_hash(name)) for name in sorted(taken)])
        written = text[1:-1] + b"," if constants else b""
        self._out[: _PROGRAM.size] = _PROGRAM.pack(
            *(tops, len(names), owns, len(fills), checks, len(keys), hashes, len(taken)),
            *(len(self._slots), limits.ITEM_BYTES, *self._text(written), counted, 0),
        )
        return bytes(self._out)

    def _written(self, keys: set[str]) -> tuple[Document, Sequence[tuple[str, Template, bool, bool]]]:
        """Constants and templates. Where a constant is a key, all of them are templates: those are looked at."""
        constants, fills = self._mapping.constants, self._mapping.fills
        if keys.isdisjoint(constants):
            return constants, fills
        found = []
        for name, value in constants.items():
            if not isinstance(value, str):
                raise _Unwritable
            found.append((name, Template(value, (value,)), False, True))
        return {}, [*found, *fills]

    def _put(self, content: bytes) -> int:
        place = len(self._out)
        self._out += content + bytes(-len(content) % 8)
        return place

    def _records(self, records: Iterable[bytes]) -> int:
        """Records of one kind, one behind the other."""
        return self._put(b"".join(records))

    def _text(self, content: bytes) -> tuple[int, int]:
        return self._put(content), len(content)

    def _head(self, name: str) -> tuple[int, int, int]:
        """The name as it stands in an item, and the bytes counted for it."""
        counted = len(name.encode())
        if not 0 < counted <= limits.NAME_BYTES:
            raise _Unwritable
        return *self._text(orjson.dumps(name) + b":"), counted

    def _top(self, field: str) -> bytes:
        name = self._mapping.renamed.get(field, field)
        place, size, counted = self._head(name)
        rule = self._rules.fields.get(name)
        return _TOP.pack(
            _hash(field),
            *self._text(field.encode()),
            *(place, size),
            *self._text(name.encode()),
            counted,
            0 if rule is None else self._rule(rule),
            self._slots.get(field, 0),
            field in self._mapping.dropped,
        )

    def _rule(self, rule: Rules) -> int:
        each = 0 if rule.each is None else self._rule(rule.each)
        fields = self._records(
            [
                _FIELD.pack(_hash(name), *self._text(name.encode()), self._rule(below), 0)
                for name, below in rule.fields.items()
            ]
        )
        kind = _TAGGED if rule.type in TAGGED_NAMES else _RULES.get(rule.type or "", _OTHER)
        return self._put(_RULE.pack(kind if rule.type else 0, each, fields, len(rule.fields)))

    def _own(self, name: str, template: Template, keyed: bool, required: bool) -> bytes:
        lone = template.lone
        if lone is not None and lone.force in {"N", "B"}:
            raise _Unwritable
        parts = self._records([self._part(each) for each in template.parts])
        typed = lone is not None and lone.force is None
        return _OWN.pack(*self._head(name), parts, len(template.parts), keyed, required, typed)

    def _part(self, part: str | Placeholder) -> bytes:
        if isinstance(part, str):
            return _PART.pack(*self._text(part.encode()), 0, 0, 0, 0)
        if part.filters:
            raise _Unwritable
        field, *below = part.path
        steps = self._records([_TEXT.pack(*self._text(str(step).encode())) for step in below])
        return _PART.pack(0, 0, self._slots[str(field)], steps, len(below), 0)

    def _checks(self, keys: Sequence[KeyRule], key: Sequence[str], fills: Sequence[str]) -> list[bytes]:
        """What is asked of attributes that are keys. One that a field fills is left to the codec, document by document:
        its name is taken.
        """
        places = {name: place for place, name in enumerate(fills)}
        found = []
        for rule in keys:
            in_key = key.index(rule.name) + 1 if rule.name in key else 0
            if in_key and rule.name not in places:
                raise _Unwritable
            place = places.get(rule.name, 0xFFFFFFFF)
            found.append(_KEY.pack(place, ord(rule.kind), rule.most_bytes, in_key))
        return found


def _hash(name: str) -> int:
    """FNV-1a of 64 bits."""
    found = 0xCBF29CE484222325
    for byte in name.encode():
        found = (found ^ byte) * 0x100000001B3 % (1 << 64)
    return found
