"""JSON text to values: exact, or refused with the reason, or not JSON with its place."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from greylag.connectors.json import decoding
from greylag.connectors.json.decoding import MAX_DEPTH, decode_batch, decode_lines, decode_value
from greylag.connectors.json.malformed import Malformed
from greylag.core.records import Refused
from tests.unit.json.reading import everything, fields, same, source, written

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.core.values import Value

EXACT: dict[str, Value] = {
    "0": 0,
    "-0": Decimal("-0"),
    "-0.0": Decimal("-0.0"),
    "0e0": Decimal("0e0"),
    "1E5": Decimal("1E+5"),
    "1.50": Decimal("1.50"),
    "1e400": Decimal("1e400"),
    "1e-400": Decimal("1e-400"),
    "1e999999999999999999": Decimal("1e999999999999999999"),
    "9223372036854775808": 2**63,
    "-9223372036854775809": -(2**63) - 1,
    "18446744073709551616": 2**64,
    "123456789012345678901234567890": 123456789012345678901234567890,
    "0.1000000000000000055511151231257827": Decimal("0.1000000000000000055511151231257827"),
    "9" * 4300: int("9" * 4300),
    '"\\u0000\\/\\ud83d\\ude00\x7f"': "\x00/😀\x7f",
    '"2024-01-01T00:00:00-0"': "2024-01-01T00:00:00-0",
    '{"": {"": []}}': {"": {"": []}},
    "true": True,
    "null": None,
}
NEIGHBOURS = [
    "{}",
    '{"a": ":"}',
    '{"n": {"m": 1}}',
    '{"s": "\\":\\""}',
    '{"b": 123456789012345678901, "c": {}}',
]


@pytest.fixture(params=["with the core", "without it"])
def core(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to prove a batch."""
    if request.param == "without it":
        monkeypatch.setattr(decoding, "proven", lambda *_, **__: False)


@pytest.mark.usefixtures("core")
@pytest.mark.parametrize("neighbour", NEIGHBOURS)
@pytest.mark.parametrize("text", EXACT, ids=lambda text: text[:20])
def test_values_are_exact_whatever_stands_beside_them(tmp_path: Path, text: str, neighbour: str) -> None:
    objects = [neighbour] * 3 + [f'{{"v": {text}, "w": [{text}]}}'] + [neighbour] * 3
    for name, content in (("a.json", f"[{','.join(objects)}]"), ("l.jsonl", "\n".join(objects))):
        found = fields(source(written(tmp_path / name, content)))
        assert same(found[3], {"v": EXACT[text], "w": [EXACT[text]]})
        for place in (0, 1, 2, 4, 5, 6):
            assert same(found[place], json.loads(neighbour))


def deep(levels: int, inner: str = "[]") -> str:
    """An object nested `levels` deep, itself counted."""
    return '{"a":' + "[" * (levels - 2) + inner + "]" * (levels - 2) + "}"


REFUSED = {
    '{"a": 1, "a": 1}': "the key 'a' occurs twice",
    '{"a": 1, "\\u0061": 2}': "the key 'a' occurs twice",
    '{"a": {"b": [{"c": "x", "c": "y:z"}]}}': "the key 'c' occurs twice",
    '{"x": "a:b", "y": {"k": 1, "k": {"z": 1}}}': "the key 'k' occurs twice",
    '{"x": "\\u003a", "k": 1, "k": 2}': "the key 'k' occurs twice",
    '{"x" : "\\u003A\\u003a\\u003a", "k" : {"z" : 1} , "k" : 2}': "the key 'k' occurs twice",
    '{"x": ["\\":", "\\u0022:"], "k": [1], "k": [1]}': "the key 'k' occurs twice",
    '{"n": 123456789012345678901, "o": {"k": 1, "k": 1}}': "the key 'k' occurs twice",
    '{"a": "\\ud800"}': "half a surrogate pair",
    '{"a": ["\\udc00\\ud800"]}': "half a surrogate pair",
    '{"\\ud83d": 1}': "half a surrogate pair",
    '{"a": 1e1000000000000000000}': "out of range",
    '{"a": -1e-9999999999999999999}': "out of range",
    '{"a": ' + "9" * 4301 + "}": "an integer of 4301 digits",
    deep(MAX_DEPTH + 1): "nested deeper",
    deep(MAX_DEPTH + 1, '{"a": {}}'): "nested deeper",
    deep(1_000_000): "nested deeper",
    "null": "not an object but null",
    "-1.5": "not an object but a number",
    "1": "not an object but a number",
    '"text"': "not an object but a string",
    "[{}]": "not an object but an array",
    "false": "not an object but true or false",
}


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:30])
def test_what_cannot_be_held_exactly_is_rejected_alone(tmp_path: Path, text: str, neighbour: str) -> None:
    elements = [neighbour] * 3 + [text] + [neighbour] * 3
    for name, content in (("a.json", f"[{','.join(elements)}]"), ("l.jsonl", "\n".join(elements))):
        records, rejected = everything(source(written(tmp_path / name, content)), "")
        assert [record.id for record in records] == [0, 1, 2, 4, 5, 6]
        (rejection,) = rejected
        assert (rejection.id, rejection.raw) == (3, text.encode())
        assert REFUSED[text] in rejection.reason
        assert rejection.fix


@pytest.mark.usefixtures("core")
@pytest.mark.parametrize("inner", ["[]", "{}", "1", '"a:b"', "123456789012345678901"])
def test_the_limit_of_depth_is_the_same_on_every_way(inner: str) -> None:
    levels = MAX_DEPTH + (inner not in ("[]", "{}"))
    for neighbour in NEIGHBOURS:
        fits, exceeds = deep(levels, inner), deep(levels + 1, inner)
        assert decode_batch(f"[{neighbour},{fits}]".encode()) is not None
        assert decode_batch(f"[{neighbour},{exceeds}]".encode()) is None
        assert decode_lines(f"{neighbour}\n{fits}\n".encode()) is not None
        assert decode_lines(f"{neighbour}\n{exceeds}\n".encode()) is None
    assert decode_value(fits.encode(), 0)
    with pytest.raises(Refused, match="nested deeper"):
        decode_value(exceeds.encode(), 0)


@pytest.mark.parametrize(
    ("text", "offset", "reason"),
    [
        (b'{"a": NaN}', 6, "NaN is not JSON"),
        (b'{"NaN": "\xc3\xa9", "b": -Infinity}', 19, "-Infinity is not JSON"),
        (b'{"\xc3\xa9": nope}', 7, "not JSON"),
        (b'{"a": "\x01"}', 7, "control character"),
        (b'{"a": "\xff"}', 7, "not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', 7, "not UTF-8"),
        (b'{"a": 01}', 7, "not JSON"),
        (b'{"a": 1,}', 8, "not JSON"),
        (b"{'a': 1}", 1, "not JSON"),
        (b'{"a": [}]', 7, "not JSON"),
        (b"{} {}", 2, "something follows"),
        (b"truefalse", 4, "something follows"),
    ],
)
def test_what_is_not_json_is_told_with_its_byte(text: bytes, offset: int, reason: str) -> None:
    assert decode_batch(b"[%b]" % text) is None
    with pytest.raises(Malformed, match=f"(?i){reason}") as caught:
        decode_value(text, 1000)
    assert caught.value.offset == 1000 + offset


@pytest.mark.usefixtures("core")
@pytest.mark.parametrize(
    "lines",
    [
        b"{}{}\n",
        b"{} {}\n\n",
        b'{}{}\n{"a":\n1}\n',
        b'{"a":1\n"b":2}\n',
        b'{"a":{}\n}\n{}{}\n',
        b"{},{}\n",
        b'{},0,{}\n{"a":[1\n2]}\n',
        b'{"a":[{}\n{}]}\n{}{}\n',
    ],
)
def test_lines_that_are_not_one_record_each_are_never_taken_for_it(lines: bytes) -> None:
    assert decode_lines(lines) is None


@pytest.mark.usefixtures("core")
@pytest.mark.parametrize("lines", [b"{}\n{}\n", b"{}\r\n{}\r\n", b"{}\r\n{}", b"{}"])
def test_plain_lines_are_decoded_together(lines: bytes) -> None:
    assert decode_lines(lines) == [{}] * lines.count(b"{")


NESTED = (
    '{"id": "a-01", "u": {"x": 1, "y": {"z": []}}, "l": [{"k": 1}, {}], "n": null}',
    '{"u": [{"x": {}}], "l": {"k": [1]}}',
    '{"a": 1}',
)
LOST = (
    '{"u": {"x": 1, "x": 1}}',
    '{"l": [{"k": 1, "k": 1}]}',
    '{"l": [[{"k": 1, "k": {"z": 1}}]]}',
    '{"u": {"y": {"z": 1, "z": 2}}, "l": ":"}',
    '{"rare": {"deep": [{"k": 1, "k": 1}]}, "s": "::"}',
    '{"u": {"x": -0}}',
)


@pytest.mark.usefixtures("core")
@pytest.mark.parametrize("place", [0, 4, 20])
@pytest.mark.parametrize("text", LOST)
def test_what_a_batch_loses_is_noticed_wherever_it_nests(text: str, place: int) -> None:
    objects = list(NESTED) * 8
    assert decode_batch(f"[{','.join(objects)}]".encode()) == list(map(json.loads, objects))
    assert decode_lines("\n".join(objects).encode()) == list(map(json.loads, objects))
    objects.insert(place, text)
    assert decode_batch(f"[{','.join(objects)}]".encode()) is None
    assert decode_lines("\n".join(objects).encode()) is None


@pytest.mark.usefixtures("core")
@pytest.mark.parametrize("place", [0, 20])
def test_depth_is_noticed_beside_what_nests_otherwise(place: int) -> None:
    objects = list(NESTED) * 8
    objects.insert(place, deep(MAX_DEPTH + 1))
    assert decode_batch(f"[{','.join(objects)}]".encode()) is None
    assert decode_lines("\n".join(objects).encode()) is None
    objects[place] = deep(MAX_DEPTH)
    assert decode_batch(f"[{','.join(objects)}]".encode()) is not None
    assert decode_lines("\n".join(objects).encode()) is not None
