"""The shape of a BSON document: its names and types in order, everything but the values.

A document has a shape exactly if the shape's expression matches it and the lengths it states are those of what was
matched. Nothing of a document is then unaccounted for: each byte is a literal of the expression, a length, or a value.

Source: https://bsonspec.org/spec.html
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from enum import Enum
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STRING: Final = 0x02
DECIMAL128: Final = 0x13
_MOST_LEAVES: Final = 256
"""Beyond it the expression takes long to make, and few documents share it."""
_DOCUMENT, _ARRAY, _NULL = 0x03, 0x04, 0x0A
_VALUE_PATTERNS: Final = {
    0x01: b"(.{8})",
    0x07: b"(.{12})",
    0x08: rb"([\x00\x01])",
    0x09: b"(.{8})",
    0x10: b"(.{4})",
    0x12: b"(.{8})",
    DECIMAL128: b"(.{16})",
    _NULL: b"()",
}
_VALUE_SIZES: Final = {0x01: 8, 0x07: 12, 0x08: 1, 0x09: 8, 0x10: 4, 0x12: 8, DECIMAL128: 16, _NULL: 0}
_LENGTH: Final = struct.Struct("<i")
_ANY_LENGTH: Final = b"(.{4})"
_ONE_MORE: Final = (1).__add__


class Shapeless(Exception):  # noqa: N818 - it is an answer, not a failure
    """A document that cannot be taken apart so: it has a type that is not here, or is not what BSON should be."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A document or array. `members` are its names or positions in order, each with the number of a leaf (a value that
    is no container; counted from 0 through the whole document) or a branch.
    """

    is_array: bool
    members: tuple[tuple[str | int, int | Branch], ...]


class _Part(Enum):
    """What a part of the expression stands for."""

    LITERAL = "literal"
    VALUE = "value"
    STRING = "string"
    STRING_LENGTH = "string length"
    BRANCH_LENGTH = "branch length"


class Shape:
    """One shape: `kinds` are the BSON types of its leaves, `root` says where they stand."""

    def __init__(self, document: bytes) -> None:
        """Raises Shapeless."""
        reader = _Reader(document)
        try:
            self.root, end = reader.branch(0, is_array=False)
        except (struct.error, IndexError, ValueError) as error:
            raise Shapeless from error
        if end != len(document):
            raise Shapeless
        self.kinds: Sequence[int] = reader.kinds
        groups = [part for part, _ in reader.parts if part is not _Part.LITERAL]

        def picking(*wanted: _Part) -> Callable[[Sequence[bytes]], tuple[bytes, ...]]:
            return _picking([place for place, part in enumerate(groups) if part in wanted])

        self._probe, self._probe_at, self._probe_end = _probe(reader.parts, reader.sizes)
        self._match = re.compile(b"".join(map(_pattern, reader.parts)), re.DOTALL).fullmatch
        self._values = picking(_Part.VALUE, _Part.STRING)
        self._strings = picking(_Part.STRING)
        self._string_lengths = picking(_Part.STRING_LENGTH)
        self._branch_lengths = picking(_Part.BRANCH_LENGTH)
        self._extents = [each for each in reader.extents if each is not None]
        self._pack = struct.Struct(f"<{groups.count(_Part.STRING) + len(self._extents)}i").pack

    def values(self, document: bytes) -> tuple[list[bytes], list[int]] | None:
        """The bytes of each leaf, and the lengths of the strings among them; None for another shape."""
        if document[self._probe_at : self._probe_end] != self._probe:
            return None
        match = self._match(document)
        if match is None:
            return None
        groups = match.groups()
        lengths = list(map(len, self._strings(groups)))
        expected = list(map(_ONE_MORE, lengths))
        expected += [own + sum(lengths[first:end]) for own, first, end in self._extents]
        stated = b"".join(self._string_lengths(groups) + self._branch_lengths(groups))
        if stated != self._pack(*expected):
            return None
        return list(self._values(groups)), lengths


def _pattern(part: tuple[_Part, bytes]) -> bytes:
    return re.escape(part[1]) if part[0] is _Part.LITERAL else part[1]


def _probe(parts: Sequence[tuple[_Part, bytes]], sizes: Sequence[int]) -> tuple[bytes, int, int]:
    """The last literal before the first string, and where it begins and ends: there other shapes differ soonest, and
    a slice is told from another faster than by the expression.
    """
    probe, at, end, place = b"", 0, 0, 0
    for (part, pattern), size in zip(parts, sizes, strict=True):
        if part is _Part.STRING:
            break
        if part is _Part.LITERAL:
            probe, at, end = pattern, place, place + size
        place += size
    return probe, at, end


def _picking(places: Sequence[int]) -> Callable[[Sequence[bytes]], tuple[bytes, ...]]:
    if not places:
        return lambda _: ()
    if len(places) == 1:
        [only] = places
        return lambda groups: (groups[only],)
    pick: Any = itemgetter(*places)
    return pick  # type: ignore[no-any-return]


class _Reader:
    """Walks one document and notes what all of its shape have in common."""

    def __init__(self, document: bytes) -> None:
        self._document = document
        self._strings = 0
        self._fixed_bytes = 0
        self.parts: list[tuple[_Part, bytes]] = []
        """Literals as they are; what else there is, as its pattern."""
        self.sizes: list[int] = []
        """Of the parts in bytes; those of strings are left out."""
        self.kinds: list[int] = []
        self.extents: list[tuple[int, int, int] | None] = []
        """Of each branch with strings inside its bytes without those of the strings, and which strings those are."""

    def branch(self, place: int, *, is_array: bool) -> tuple[Branch, int]:
        """The branch at `place`, and the place behind it."""
        document = self._document
        end = place + int(_LENGTH.unpack_from(document, place)[0])
        fixed_before, strings_before = self._fixed_bytes, self._strings
        part, extent = len(self.parts), len(self.extents)
        self._put(_Part.BRANCH_LENGTH, _ANY_LENGTH, 4)
        self.extents.append(None)
        place += 4
        members: dict[str | int, int | Branch] = {}
        while place < end - 1:
            kind, name_end = document[place], document.index(0, place + 1)
            step: str | int = document[place + 1 : name_end].decode()
            if is_array:
                if step != str(len(members)):
                    raise Shapeless
                step = len(members)
            if step in members:
                raise Shapeless
            self._literal(document[place : name_end + 1])
            members[step], place = self._member(kind, name_end + 1)
        self._literal(b"\0")
        if place != end - 1 or document[place]:
            raise Shapeless
        size = self._fixed_bytes - fixed_before
        if self._strings > strings_before:
            self.extents[extent] = size, strings_before, self._strings
        else:
            self.parts[part] = _Part.LITERAL, _LENGTH.pack(size)
        return Branch(is_array, tuple(members.items())), end

    def _member(self, kind: int, place: int) -> tuple[int | Branch, int]:
        if kind in {_DOCUMENT, _ARRAY}:
            return self.branch(place, is_array=kind == _ARRAY)
        self.kinds.append(kind)
        leaf = len(self.kinds) - 1
        if leaf >= _MOST_LEAVES:
            raise Shapeless
        if kind == STRING:
            self._strings += 1
            self._put(_Part.STRING_LENGTH, _ANY_LENGTH, 4)
            self._put(_Part.STRING, rb"([^\x00]*)", 0)
            self._literal(b"\0")
            return leaf, place + 4 + int(_LENGTH.unpack_from(self._document, place)[0])
        if kind not in _VALUE_PATTERNS:
            raise Shapeless
        self._put(_Part.VALUE, _VALUE_PATTERNS[kind], _VALUE_SIZES[kind])
        return leaf, place + _VALUE_SIZES[kind]

    def _literal(self, content: bytes) -> None:
        self._put(_Part.LITERAL, content, len(content))

    def _put(self, part: _Part, pattern: bytes, size: int) -> None:
        self.parts.append((part, pattern))
        self.sizes.append(size)
        self._fixed_bytes += size
