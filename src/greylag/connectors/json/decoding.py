"""JSON text to values, exactly: in batches where that is provably safe, else one value at a time.

msgspec decodes fast and exactly but for three things: it keeps the last of two equal keys, reads -0 as 0, and
nests as deep as the interpreter allows. `decode_batch` gives its result only where it can prove that none of them
is in the text; `decode_value` decides, slowly and with reasons, about what is left.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from io import BytesIO
from itertools import chain, count, repeat
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import msgspec
import orjson

from greylag.connectors.json.malformed import Malformed
from greylag.connectors.json.proof import proven
from greylag.core.records import Record, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.core.values import Document, Value

MAX_DEPTH = 200
"""How deep a record may nest, itself counted: everything that walks a value later stays far from the
interpreter's limit. DynamoDB takes 32 levels, BSON 100."""

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder()

_NEGATIVE_ZERO = re.compile(rb"-0(?<=[\s:,\[]-0)(?![0-9.eE])")
_ESCAPED_COLON = re.compile(rb"\\u003[aA]")
_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|(NaN|-?Infinity)', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_Shape: TypeAlias = "tuple[tuple[str, type, _Shape, bool], ...]"
_SAMPLED, _SHAPE_DEPTH, _SHAPE_WIDTH = 8, 6, 40
_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    Decimal: "a number",
    str: "a string",
    list: "an array",
}
# What decoding raises for text it cannot take: invalid, not UTF-8, too deep, an exponent out of range.
_UNDECODED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError)


def decode_batch(array: bytes) -> list[Document] | None:
    """The objects of a JSON array. None where one of them needs `decode_value`, or the text is no such array."""
    sure = proven(array, MAX_DEPTH, lines=False)
    try:
        records = _decoder.decode(array)
    except _UNDECODED:
        return None
    return records if sure or _proven(records, array) else None


def decode_lines(lines: bytes) -> list[Document] | None:
    """The objects of whole lines, one on each; None where that is not certain, as for `decode_batch`."""
    sure = proven(lines, MAX_DEPTH, lines=True)
    try:
        if sure:
            return _decoder.decode_lines(lines)
        records = list(map(_decoder.decode, BytesIO(lines).readlines()))
    except _UNDECODED:
        return None
    return records if _proven(records, lines) else None


def numbered(batch: list[Document], row: int) -> Iterator[Record]:
    """The records of `batch`, the first of which is `row`."""
    # Record(…) for each, without a Python call for each.
    return map(tuple.__new__, repeat(Record), zip(count(row), batch, strict=False))


def _proven(records: list[Any], text: bytes) -> bool:
    """Whether `records` are objects, and all that `text` says."""
    if set(map(type, records)) != {dict}:
        return False
    if b"-0" in text and _NEGATIVE_ZERO.search(text):
        return False
    # Outside strings each colon ends a key, so this is at least the number of keys as written.
    written = text.count(b":")
    if written == sum(map(len, records)) and text.count(b"[") < MAX_DEPTH - 2:
        return (
            True  # every key written is a key of a record itself; nothing nests but arrays, around at most {}
        )
    # The keys found by a walk are at most those there are, which are at most those written: equal, none was lost.
    keys, lists = _counted(records, _shape(records[:_SAMPLED], _SHAPE_DEPTH))
    # Every document with keys was found, so what nests beyond the walk is lists, around at most {}.
    if written == keys and text.count(b"[") - lists < MAX_DEPTH - 4 * _SHAPE_DEPTH:
        return True
    # Written again, what is left of the strings has no more colons than before, unless one was an escape; so
    # equal counts leave no room for a key that was lost.
    if b"\\" in text and _ESCAPED_COLON.search(text):
        return False
    return written == _colons(records)


def _shape(records: list[Any], depth: int) -> _Shape:
    """Under which keys of these records documents and lists of documents stand."""
    inside: dict[tuple[str, type], list[Any]] = {}
    for record in records:
        for name, value in record.items():
            if type(value) is dict:
                inside.setdefault((name, dict), []).append(value)
            elif type(value) is list:
                found = inside.setdefault((name, list), [])
                found += [each for each in value[:_SAMPLED] if type(each) is dict]
    if depth == 0 or len(inside) > _SHAPE_WIDTH:
        return ()
    return tuple(
        (name, kind, _shape(found[:_SAMPLED], depth - 1), bool(found))
        for (name, kind), found in inside.items()
    )


def _counted(records: list[Any], shape: _Shape) -> tuple[int, int]:
    """How many keys, and how many lists, the records have where `shape` looks: never more than there are."""
    keys, lists = sum(map(len, records)), 0
    for name, kind, inner, holds in shape:
        found: list[Any] = [v for v in map(dict.get, records, repeat(name)) if type(v) is kind]
        if kind is list:
            lists += len(found)
            found = [each for each in chain.from_iterable(found) if type(each) is dict] if holds else []
        if found:
            more = _counted(found, inner)
            keys, lists = keys + more[0], lists + more[1]
    return keys, lists


def _colons(records: list[Any]) -> int:
    """How many colons the records have when written again; -1 where one is too deep."""
    try:
        return orjson.dumps(_nested(records, _WRAPPING), default=bool).count(b":")
    except TypeError:  # one is too deep, or has an integer beyond 64 bits
        pass
    if len(records) > 1:  # few are so: halves find them soonest
        half = len(records) // 2
        first, second = _colons(records[:half]), _colons(records[half:])
        return -1 if first < 0 or second < 0 else first + second
    if _depth(records) > MAX_DEPTH + 1:
        return -1
    return _encoder.encode(records).count(b":")


def _nested(value: Any, levels: int) -> Any:
    for _ in range(levels):
        value = [value]
    return value


def _encoder_depth() -> int:
    """How many lists deep orjson goes before it refuses."""
    for depth in range(MAX_DEPTH, 10 * MAX_DEPTH):
        try:
            orjson.dumps(_nested([], depth))
        except TypeError:
            return depth
    raise RuntimeError("orjson no longer limits depth: decode_batch needs another check of MAX_DEPTH")


# So many lists around a list of records make orjson refuse records deeper than MAX_DEPTH.
_WRAPPING = _encoder_depth() - MAX_DEPTH - 1


def decode_value(raw: bytes, offset: int) -> Document:
    """The object `raw` holds; `offset` is where it stands.

    Raises Malformed for what is not JSON, Refused for JSON that is no object or that values cannot hold exactly.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Malformed(offset + error.start, f"not UTF-8 ({error.reason})") from error
    problems: list[Refused] = []
    value = _decode_noting(text, offset, problems)
    if problems:
        raise problems[0]
    if not isinstance(value, dict):
        raise Refused(
            f"not an object but {_KINDS[type(value)]}",
            "records are objects: wrap the value in one, or take it out of the file",
        )
    if _depth(value) > MAX_DEPTH:
        raise _too_deep()
    if _SURROGATE.search(text):
        _check_surrogates(value)
    return value


def _decode_noting(text: str, offset: int, problems: list[Refused]) -> Value:
    """The value, and in `problems` what of it could not be held."""

    def integer(digits: str) -> int | Decimal:
        if digits == "-0":
            return Decimal("-0")
        try:
            return int(digits)
        except ValueError:
            problems.append(
                Refused(f"an integer of {len(digits.lstrip('-'))} digits", "write it as a string")
            )
            return 0

    def number(digits: str) -> Decimal:
        try:
            return Decimal(digits)
        except ArithmeticError:
            problems.append(
                Refused(f"the exponent of {digits[:60]} is out of range", "write the number as a string")
            )
            return Decimal(0)

    def document(pairs: list[tuple[str, Value]]) -> Document:
        fields = dict(pairs)
        if len(fields) != len(pairs):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            problems.append(
                Refused(
                    f"the key {twice[:100]!r} occurs twice in one object",
                    "which of the two values counts is not defined: remove one",
                )
            )
        return fields

    def constant(name: str) -> NoReturn:
        place = next(match.start() for match in _CONSTANT.finditer(text) if match[1])
        raise Malformed(offset + len(text[:place].encode()), f"{name} is not JSON")

    decoder = json.JSONDecoder(
        parse_int=integer, parse_float=number, parse_constant=constant, object_pairs_hook=document
    )
    try:
        value, end = decoder.raw_decode(text)
    except json.JSONDecodeError as error:
        place = offset + len(text[: error.pos].encode())
        raise Malformed(place, f"not JSON ({error.msg})") from error
    except RecursionError:
        raise _too_deep() from None
    if end != len(text):
        raise Malformed(offset + len(text[:end].encode()), "not JSON (something follows the value)")
    return value  # type: ignore[no-any-return]


def _too_deep() -> Refused:
    return Refused(f"nested deeper than {MAX_DEPTH} levels", "flatten it, or keep the inner part as a string")


def _levels(value: Value) -> Iterator[list[Any]]:
    """The documents and arrays of each level."""
    level: list[Any] = [value]
    while level:
        yield level
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]


def _depth(value: Value) -> int:
    return sum(1 for _ in _levels(value))


def _check_surrogates(value: Value) -> None:
    for level in _levels(value):
        for outer in level:
            for each in (*outer, *outer.values()) if isinstance(outer, dict) else outer:
                if isinstance(each, str):
                    try:
                        each.encode()
                    except UnicodeEncodeError as error:
                        raise Refused(
                            f"half a surrogate pair (\\u{ord(each[error.start]):04x}) in a string",
                            "no Unicode text holds one: mend the string",
                        ) from None
