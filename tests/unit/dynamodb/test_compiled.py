"""What the compiled core carries, that it comes out as the codec would have it, and what it declines."""

from __future__ import annotations

import math
import random
import struct
from datetime import UTC, datetime
from typing import Any

import pytest

from greylag.connectors.dynamodb import limits
from greylag.connectors.dynamodb.codec import DynamoDBCodec
from greylag.connectors.dynamodb.native import Compiled, Transcoder
from greylag.connectors.mongodb import wire
from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
from greylag.core.mapping import compile_mapping
from greylag.core.ports import TableInfo
from greylag.core.values import Binary, Decimal128, Int64, Regex, Timestamp
from tests.property.test_native import Both
from tests.unit.dynamodb.test_native import ID, PLAIN, TYPES

DATE = datetime(2024, 1, 31, 10, 0, 0, 123000, tzinfo=UTC)
RULES = [
    *("string", "objectId", "date", "date:s", "date:ms", "int", "int64", "double", "decimal", "decimal128"),
    *("binary", "uuid", "regex", "bool", "document"),
]
VALUES: list[Any] = [
    *(
        "",
        "x",
        "a\0b\x1f\x7f",
        "".join(map(chr, range(128))),
        'q"\\/',
        "é 日本 😀" * 9,
        "5",
        "f" * 24,
        "f" * 23 + "g",
    ),
    *(True, False, None, ID, DATE, DATE.replace(microsecond=0), datetime(1, 1, 1, tzinfo=UTC)),
    *(
        datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 1000, tzinfo=UTC),
    ),
    *(
        datetime(2000, 2, 29, tzinfo=UTC),
        datetime(1900, 3, 1, tzinfo=UTC),
        datetime(1600, 12, 31, tzinfo=UTC),
    ),
    *(0, 1, -1, 10, -1200, 2**31 - 1, -(2**31)),
    *map(Int64, (0, 5, 2**31, -(2**31) - 1, 2**53, 2**63 - 1, -(2**63), 10**18)),
    *(
        0.0,
        0.1,
        -0.25,
        5.0,
        -1200.0,
        1e15,
        1e16,
        123456789.125,
        1e22,
        1e-7,
        5e-5,
        1.7e-130,
        2.0**63,
        -(2.0**62),
        1e100,
    ),
    *map(
        Decimal128,
        [
            "0",
            "0.00",
            "0E+6",
            "1.50",
            "12.5",
            "-3.10",
            "1E+3",
            "500.00",
            "1E-100",
            "0.1",
            "123456789012345",
            "18446744073709551615",
        ],
    ),
    *(b"", b"a", b"ab", b"abc", Binary(bytes(range(16)), 4), Binary(b"x", 0x80)),
    *([], {}, [1, 2], [ID, ID], [ID, 1, ID], [[ID], [ID]], [[ID, DATE], [ID]], {"a/b": {"~": ID}, "*": [ID]}),
    *(
        [{"a": ID, "b": 1.0}, {"a": ID}],
        [{"a": ID}] * 12,
        [Decimal128("1.0"), Decimal128("1.00")],
        {"é": [ID, ID]},
    ),
]


@pytest.mark.parametrize("rule", [None, *RULES])
def test_every_kind_of_value_under_every_rule(rule: str | None) -> None:
    """Alone, in a list, in a document; carried in most cases, the same in all of them."""
    types = {} if rule is None else {"v": rule, "w[]": rule, "x.y": rule, "z[].y": rule}
    both = Both(types=types)
    shown = [
        both.check(
            wire.encode_document(
                {"_id": 1, "v": each, "w": [each, each], "x": {"y": each}, "z": [{"y": each}]}
            )
        )
        for each in VALUES
    ]
    assert sum(shown) > len(VALUES) * 0.6


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:30])
def test_without_rules_it_declines_none_of_these(value: Any) -> None:
    declined = type(value) is float and math.frexp(abs(value))[0] == 0.5 and not -1e15 < value < 1e15
    long = isinstance(value, Decimal128) and len(value.as_tuple().digits) > 15
    assert Both().check(wire.encode_document({"_id": 1, "v": value})) is not (declined or long)


def test_doubles_of_every_kind_have_the_text_that_python_gives_them() -> None:
    draw = random.Random(5)
    both = Both()
    found = [struct.unpack("<d", draw.randbytes(8))[0] for _ in range(1500)]
    found += [draw.random() * 10 ** draw.randrange(-6, 18) for _ in range(1500)]
    found += [round(draw.random() * 10**6, draw.randrange(18)) for _ in range(1500)]
    found += [
        math.nextafter(each, side) for each in (0.3, 1e15, 1e16, 2.0**53, 1e-5) for side in (-1e300, 1e300)
    ]
    carried = 0
    for value in found:
        carried += both.check(wire.encode_document({"_id": value, "g": value, "v": value}))
    assert carried > 2500


@pytest.mark.parametrize(
    "change",
    [
        {"v": math.nan},
        {"v": -math.inf},
        {"v": -0.0},
        {"v": 1e200},
        {"v": Decimal128("NaN")},
        {"v": Decimal128("-0")},
        {"v": Decimal128("1E+6000")},
        {"v": Decimal128("1234567890123456789012345678.90")},
        {"v": Binary(b"x", 2)},
        {"v": Regex("a")},
        {"v": Timestamp(1, 2)},
        {"v": "x" * 420_000},
        {"g": "k" * 3000},
        {"_greylag": 1},
        {"PK": "another"},
        {"GSIPK": "another"},
        {"": 1},
        {"v": {"": 1}},
        {"n" * 70_000: 1},
    ],
    ids=lambda change: str(change)[:40],
)
def test_what_is_not_sure_is_declined(change: dict[str, Any]) -> None:
    both = Both()
    assert both.check(wire.encode_document({"_id": 1, "v": 1, "g": "x"}))
    assert not both.check(wire.encode_document({"_id": 1, "v": 1, "g": "x", **change}))


def test_depth() -> None:
    both = Both()
    for levels in range(28, 36):
        value: Any = 1
        for _ in range(levels):
            value = [value]
        assert both.check(wire.encode_document({"_id": 1, "v": value})) is (levels <= 31)


def test_bytes_that_are_no_document() -> None:
    both = Both()
    good = wire.encode_document(PLAIN)
    assert both.check(good)
    bad = [b"", b"\0", good[:4], good[:-1], good + b"\0", good[:-1] + b"\1", wire.encode_document({"a": 1})]
    assert list(both.natively(bad)) == [None] * len(bad)


def test_a_name_that_stands_twice() -> None:
    both = Both(rename={"a": "b"}, drop=("c",))
    field = b"\x10%b\0\1\0\0\0"
    for names in ((b"x", b"x"), (b"a", b"b"), (b"a", b"a"), (b"c", b"c")):
        content = field % b"_id" + b"".join(field % name for name in names)
        assert not both.check(wire.document_of(content))
        nested = wire.document_of(field % b"_id" + b"\x03d\0" + wire.document_of(content))
        assert both.check(nested) is (names[0] != names[1]), "only fields of the record are renamed"
    assert both.check(wire.document_of(field % b"_id" + field % b"a" + field % b"c"))


@pytest.mark.parametrize(
    "stray", [b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80"]
)
@pytest.mark.parametrize("padding", range(0, 18, 3))
def test_text_that_is_not_utf8(stray: bytes, padding: int) -> None:
    both = Both(drop=("dropped",))
    for name in ("g", "v", "dropped"):
        document = wire.encode_document(
            {"_id": 1, name: "p" * padding + "x" * len(stray) + "p" * (17 - padding)}
        )
        assert both.check(document)
        assert not both.check(document.replace(b"x" * len(stray), stray))
        named = wire.encode_document({"_id": 1, "v": {"n" * padding + "x" * len(stray): 1}})
        assert not both.check(named.replace(b"x" * len(stray), stray))


def test_many_at_once_in_their_order() -> None:
    both = Both(types=TYPES)
    documents = [
        wire.encode_document({**PLAIN, "_id": place, "text": "x" * (place % 400)}) for place in range(1000)
    ]
    documents[500] = wire.encode_document({"_id": 1, "v": math.nan})
    documents[700] = wire.encode_document({"_id": 2, "v": "y" * 399_000})
    documents[701] = wire.encode_document({"_id": 2, "v": "\x01" * 300_000})
    found = list(both.natively(documents))
    assert [place for place, each in enumerate(found) if each is None] == [500]
    assert found[:500] + found[501:] == list(map(both.slowly, documents[:500] + documents[501:]))


OTHERS: list[dict[str, Any]] = [
    {},
    {"s": "", "d": DATE},
    {"s": "s", "a": {"b": "deep"}, "d": 5},
    {"a": {"b": {"c": "deeper"}}},
]
SPEC = TableSpec(DatasetRef("dynamo", "table"), ("PK", "SK"), {"GSI": ("G",)})
KEYED = TableInfo("table", "id", ("PK", "SK"), {"GSI": ("G",)}, {"PK": "S", "SK": "N", "G": "S"})


@pytest.mark.parametrize(
    "attributes",
    [
        {"PK": "{_id}", "SK": "{n}"},
        {"PK": "é#{a.b}#{_id}", "SK": "{n}", "G": "{a.b.c}"},
        {
            "PK": "{s}{_id}",
            "SK": "{n}",
            "G": "{s}",
            "kind": "THING",
            "other": "{s}",
            "copy": "{s}{_id}",
            "one": 1,
        },
        {"PK": "{_id:S}", "SK": "{n}", "G": "{d}", "one": 1},
        {"PK": "K", "SK": "{n}", "G": 'quoted "{s}"'},
    ],
    ids=str,
)
def test_templates(attributes: dict[str, Any]) -> None:
    flow = FlowSpec("flow", "service", DatasetRef("mongo", "c"), SPEC, attributes)
    both = Both()
    both.mapping = compile_mapping(flow)
    both.codec = DynamoDBCodec(both.mapping.spec, KEYED, "bson")
    found = both.codec.transcoder(both.mapping, "bson")
    assert isinstance(found, Compiled)
    both.natively = found
    carried = 0
    identities: list[Any] = ["x", 'é"', "", 5, 1.0, 1e21, Int64(2**40), ID, DATE, True, None, [1], {"b": 1}]
    numbers: list[Any] = [1, -20, 2.5, Int64(2**50), Decimal128("3.10"), "text", None]
    for identity in identities:
        for number in numbers:
            for more in OTHERS:
                record: dict[str, Any] = {"_id": identity, "n": number, **more}
                carried += both.check(wire.encode_document(record))
    assert carried > 20


@pytest.mark.parametrize("attributes", [{"PK": "{_id|upper}", "SK": "{n}"}, {"PK": "{_id}", "SK": "{n:N}"}])
def test_templates_it_does_not_fill_are_left_to_the_shapes(attributes: dict[str, Any]) -> None:
    mapping = compile_mapping(FlowSpec("flow", "service", DatasetRef("mongo", "c"), SPEC, attributes))
    assert isinstance(DynamoDBCodec(mapping.spec, KEYED, "bson").transcoder(mapping, "bson"), Transcoder)


def test_an_item_may_have_400_kib_and_no_byte_more() -> None:
    both = Both()

    def carried(padding: int) -> bytes | None:
        raw = wire.encode_document({"_id": ID, "v": "x" * padding})
        [found] = both.natively([raw])
        assert found == both.slowly(raw)
        return found and found.body

    most = next(each for each in range(409_300, 409_700) if carried(each) is None) - 1
    [largest] = both.natively([wire.encode_document({"_id": ID, "v": "x" * most})])
    assert largest is not None
    assert largest[2] == limits.ITEM_BYTES
