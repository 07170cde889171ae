"""A shape as it stands in an item: the text around its values, what each becomes, and what is counted for both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from greylag.connectors.dynamodb import hints, limits
from greylag.connectors.dynamodb.encoder import check_pointers
from greylag.connectors.dynamodb.native.shape import DECIMAL128, STRING, Branch, Shape, Shapeless
from greylag.connectors.dynamodb.native.values import Write, Writing, value_of
from greylag.connectors.dynamodb.restore import TAGGED_NAMES
from greylag.connectors.dynamodb.rules import Rules
from greylag.connectors.dynamodb.size import CONTAINER_BYTES, value_bytes

if TYPE_CHECKING:
    from greylag.core.mapping.direct import Direct
    from greylag.core.values import Document

_ESCAPED: Final = bytes(range(32)) + b'"\\'
"""The bytes that JSON does not have in a string as they are."""
_VALUE: Final = b"\0"
"""Where a value goes; no JSON has that byte."""
_NO_RULES: Final = Rules()
_RESERVED_KEPT: Final = 1024


class Layout:
    """One shape under one mapping."""

    def __init__(
        self, document: bytes, mapping: Direct, rules: Rules, writing: Writing, keys: frozenset[str]
    ) -> None:
        """`keys` are the attributes that are keys of the table or of an index. Raises Shapeless for a document that
        the encoder must look at itself.
        """
        self._shape = Shape(document)
        self._writing = writing
        self._size = 0
        self._carried: list[int] = []
        self._plain: list[int] = []
        """Strings whose bytes are those of the JSON, but for what it escapes."""
        self._writes: list[tuple[int, Write]] = []
        self._reads: list[tuple[int, int, str]] = []
        self._checks: list[tuple[int, int]] = []
        self._paths: dict[int, tuple[str | int, ...]] = {}
        self._lengths: dict[tuple[str | int, ...], int] = {}
        self._reserved: dict[tuple[tuple[int, str], ...], tuple[bytes, int]] = {}
        text = b",".join(self._attributes(mapping, rules, keys))
        self._pieces = [piece for part in text.split(_VALUE) for piece in (part, b"")][:-1]
        counted = set(self._plain)
        strings = [leaf for leaf, kind in enumerate(self._shape.kinds) if kind == STRING]
        self._uncounted = [number for number, leaf in enumerate(strings) if leaf not in counted]

    def carry(self, document: bytes) -> tuple[bytes, int, Document] | None:
        """The JSON of the carried attributes without the braces around them, what is counted for them, and the fields
        that templates read; None for another shape. Raises Unfit, Refused or ValueError.
        """
        found = self._shape.values(document)
        if found is None:
            return None
        values, lengths = found
        fields: Document = {name: value_of(kind, values[leaf]) for leaf, kind, name in self._reads}
        for leaf, kind in self._checks:
            value_of(kind, values[leaf])
        size = self._size + sum(lengths)
        for number in self._uncounted:
            size -= lengths[number]
        hinted: list[tuple[int, str]] = []
        for leaf, write in self._writes:
            values[leaf], counted, code = write(values[leaf])
            size += counted
            if code:
                hinted.append((leaf, code))
        plain = b"".join([values[leaf] for leaf in self._plain])
        if len(plain.translate(None, _ESCAPED)) < len(plain):
            for leaf in self._plain:
                if len(values[leaf].translate(None, _ESCAPED)) < len(values[leaf]):
                    values[leaf] = orjson.dumps(values[leaf].decode())[1:-1]
        pieces = self._pieces.copy()
        pieces[1::2] = [values[leaf] for leaf in self._carried]
        text = b"".join(pieces)
        if not text.isascii():
            text.decode()  # raises where it is not UTF-8
        if hinted:
            reserved, counted = self._hints(tuple(hinted))
            return text + reserved, size + counted, fields
        return text, size, fields

    def _attributes(self, mapping: Direct, rules: Rules, keys: frozenset[str]) -> list[bytes]:
        """The text of each carried attribute. What `drop` names, and what only templates see, is passed over."""
        attributes: dict[str, bytes] = {}
        fields: set[str] = set()
        for step, member in self._shape.root.members:
            field = str(step)
            fields.add(field)
            if field in mapping.reads:
                if isinstance(member, Branch):
                    raise Shapeless
                self._reads.append((member, self._shape.kinds[member], field))
            if field in mapping.dropped:
                self._drop(member)
                continue
            name = mapping.renamed.get(field, field)
            if name in attributes or name in keys or name in mapping.writes or name == hints.RESERVED:
                raise Shapeless
            attributes[name] = self._named(name) + self._member((name,), member, rules.fields.get(name))
        if "_id" not in fields or not attributes:
            raise Shapeless
        return list(attributes.values())

    def _drop(self, member: int | Branch) -> None:
        """What is left out is looked at all the same: a record that is not BSON goes to quarantine as a whole."""
        if isinstance(member, Branch):
            for _, below in member.members:
                self._drop(below)
        elif self._shape.kinds[member] in {STRING, DECIMAL128}:
            self._checks.append((member, self._shape.kinds[member]))

    def _named(self, name: str) -> bytes:
        """A name in the text, counted. Raises Shapeless for one that DynamoDB does not allow."""
        size = len(name.encode())
        if not 0 < size <= limits.NAME_BYTES:
            raise Shapeless
        self._size += size
        return orjson.dumps(name) + b":"

    def _member(self, path: tuple[str | int, ...], member: int | Branch, rules: Rules | None) -> bytes:
        rules = rules or _NO_RULES
        if isinstance(member, int):
            return self._leaf(path, member, rules)
        if len(path) > limits.NESTING_LEVELS - 1 or (rules.type in TAGGED_NAMES and not member.is_array):
            raise Shapeless
        self._size += CONTAINER_BYTES + len(member.members)
        parts = []
        for step, below in member.members:
            if isinstance(step, int):
                parts.append(self._member((*path, step), below, rules.each))
            else:
                parts.append(self._named(step) + self._member((*path, step), below, rules.fields.get(step)))
        if member.is_array:
            self._lengths[path] = len(member.members)
            return b'{"L":[%b]}' % b",".join(parts)
        return b'{"M":{%b}}' % b",".join(parts)

    def _leaf(self, path: tuple[str | int, ...], leaf: int, rules: Rules) -> bytes:
        self._carried.append(leaf)
        self._paths[leaf] = path
        write = self._writing.of(self._shape.kinds[leaf], rules.type)
        if write is None:
            self._plain.append(leaf)
            return b'{"S":"%b"}' % _VALUE
        self._writes.append((leaf, write))
        return _VALUE

    def _hints(self, hinted: tuple[tuple[int, str], ...]) -> tuple[bytes, int]:
        known = self._reserved.get(hinted)
        if known is None:
            found = hints.of_paths([(self._paths[leaf], code) for leaf, code in hinted], self._lengths)
            check_pointers(found)
            value = hints.attribute(found, [])
            text = b',"%b":%b' % (hints.RESERVED.encode(), orjson.dumps(value))
            if len(self._reserved) >= _RESERVED_KEPT:
                self._reserved.clear()
            known = self._reserved[hinted] = text, len(hints.RESERVED) + value_bytes(value)
        return known
