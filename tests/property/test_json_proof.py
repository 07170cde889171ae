"""Whatever the text, a batch is taken only as one value at a time would be: with the compiled proof and without it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greylag.connectors.json import decoding, proof
from greylag.connectors.json.decoding import MAX_DEPTH, decode_batch, decode_lines, decode_value
from greylag.connectors.json.malformed import Malformed
from greylag.core.records import Refused
from greylag.core.values import identical

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.core.values import Document

KEYS = ['"a"', '"b"', '"aa"', '""', '"\\u0061"', '"a:"', '"é"', '"abcdefgh"', '"abcdefghi"', '"a\\"b"']
SCALARS = [
    *(
        '"https://x.org:1/a"',
        '"2024-01-31T10:00:00-0"',
        '"\\":"',
        '"\\\\"',
        '"\\u003a"',
        '"{}[],"',
        '""',
        '"é😀"',
    ),
    *(
        "0",
        "-0",
        "-0.0",
        "-0e1",
        "-1",
        "1e5",
        "9" * 30,
        "1e400",
        "true",
        "false",
        "null",
        '"' + "x" * 40 + '"',
    ),
]
scalars = st.sampled_from(SCALARS)
space = st.sampled_from(["", "", "", " ", "\t", "\r", "\n"])
keys = st.sampled_from(KEYS) | st.integers(0, 60).map(lambda number: f'"key {number}"')


def objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    members = st.tuples(keys, space, space, inner).map(lambda part: f"{part[0]}{part[1]}:{part[2]}{part[3]}")
    return st.tuples(space, st.lists(members, max_size=4)).map(
        lambda part: f"{{{part[0]}{','.join(part[1])}}}"
    )


values = st.recursive(
    scalars,
    lambda inner: objects(inner) | st.lists(inner, max_size=3).map(lambda each: f"[{','.join(each)}]"),
)


def wide(count: int, twice: int) -> str:
    """An object of so many keys that they are sorted, one of them twice perhaps."""
    names = [f"key {number * 7 % count}" for number in range(count)]
    return "{" + ",".join(f'"{name}":1' for name in names + names[twice : twice + 1]) + "}"


def nested(levels: int, lists: int, inner: str) -> str:
    """An object that nests so deep; the bits of `lists` say where it is lists."""
    kinds = [lists >> level & 1 for level in range(levels - 1)]
    opened = "".join('{"a":' if kind else "[" for kind in kinds)
    closed = "".join("}" if kind else "]" for kind in reversed(kinds))
    return f'{{"a":{opened}{inner}{closed}}}'


wides = st.builds(wide, st.sampled_from([20, 23, 24, 25, 40]), st.integers(0, 60))
nesteds = st.builds(
    nested,
    st.integers(MAX_DEPTH - 2, MAX_DEPTH + 2),
    st.integers(0, 1 << MAX_DEPTH),
    scalars | st.sampled_from(["{}", "[]"]),
)
records = objects(values) | wides | nesteds | objects(scalars)
PIECES = [
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"-0", b"0"),
    *(b"\n", b"\r\n", b" ", b"\0", b"\xff", b"\xef\xbb\xbf"),
]


@st.composite
def texts(draw: Any, between: st.SearchStrategy[str]) -> bytes:
    """Records with something between them, mutated as often as not."""
    parts = draw(
        st.lists(records | values, min_size=1, max_size=2) | st.lists(records, min_size=1, max_size=5)
    )
    text = str(draw(between)).join(parts).encode()
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        place = draw(st.integers(0, len(text)))
        piece = draw(st.sampled_from(PIECES))
        changed = [
            text[:place],
            text[place:],
            text[:place] + text[place + 1 :],
            text[:place] + piece + text[place:],
        ]
        text = draw(st.sampled_from(changed))
    return bytes(text)


def each_alone(raws: list[bytes]) -> list[Document] | None:
    try:
        return [decode_value(raw, 0) for raw in raws]
    except (Malformed, Refused):
        return None


def whole_array(text: bytes) -> list[Document] | None:
    """By Python's own decoder, which tells where each element ends."""
    try:
        inside = text.decode()
    except UnicodeDecodeError:
        return None
    decoder, place, found = json.JSONDecoder(), 0, []
    try:
        while True:
            place += len(inside[place:]) - len(inside[place:].lstrip(" \t\r\n"))
            _, end = decoder.raw_decode(inside, place)
            found.append(inside[place:end].encode())
            rest = inside[end:].lstrip(" \t\r\n")
            if not rest:
                return each_alone(found)
            if rest[0] != ",":
                return None
            place = len(inside) - len(rest) + 1
    except (ValueError, RecursionError):
        return None


def alike(some: list[Document], others: list[Document]) -> bool:
    return len(some) == len(others) and all(
        identical(one, other, ordered=True) for one, other in zip(some, others, strict=True)
    )


def check(
    text: bytes,
    expected: list[Document] | None,
    decode: Callable[[bytes], list[Document] | None],
    *,
    lines: bool,
) -> None:
    core = proof.proven
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(decoding, "proven", lambda *_, **__: False)
        slowly = decode(text)
    if slowly is not None:
        assert expected is not None, "taken without the core"
        assert alike(slowly, expected)
    found = decode(text)
    if found is not None:
        assert expected is not None, "taken by the core"
        assert alike(found, expected)
    if b"\\" not in text and expected:
        # Here the core is sure of whatever there is to be sure of.
        plain = not any(token in text for token in (b"-0", b"1e400"))
        assert core(text, MAX_DEPTH, lines=lines) or not plain


@given(texts(st.sampled_from([",", ", ", ",\n"])))
@settings(max_examples=150, deadline=None)
def test_an_array_is_taken_only_as_it_is(text: bytes) -> None:
    check(b"[%b]" % text, whole_array(text), decode_batch, lines=False)


@given(texts(st.sampled_from(["\n", "\r\n", "\n\n", " \n\t\n ", "", " ", ","])))
@settings(max_examples=150, deadline=None)
def test_lines_are_taken_only_as_they_are(text: bytes) -> None:
    expected = each_alone([raw for line in text.split(b"\n") if (raw := line.strip(b" \t\r"))])
    check(text, expected, decode_lines, lines=True)


def test_the_core_is_there() -> None:
    """Otherwise nothing above tries it."""
    assert proof.proven(b"[{}]", MAX_DEPTH, lines=False)
