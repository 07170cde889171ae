"""Where each value goes, which hint it leaves, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from greylag.connectors.dynamodb.codec import DynamoDBCodec, peek, wire_key
from greylag.connectors.dynamodb.hints import RESERVED
from greylag.core.flows import DatasetRef, FlowSpec, SplitSpec, TableSpec, TtlSpec
from greylag.core.ports import TableInfo
from greylag.core.records import Item, Refused
from greylag.core.values import (
    Binary,
    Code,
    DBPointer,
    Decimal128,
    DistantDate,
    Int64,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Symbol,
    Timestamp,
    Undefined,
    identical,
)

TABLE = TableInfo("table", "id", ("PK",), {}, {"PK": "S"})
OID = ObjectId(bytes(range(12)))
OID_TEXT = "000102030405060708090a0b"


def codec(family: str = "bson", table: TableInfo = TABLE, **flow: Any) -> DynamoDBCodec:
    spec = TableSpec(DatasetRef("dynamo", "table"), table.key)
    return DynamoDBCodec(FlowSpec("flow", "service", DatasetRef("m", "c"), spec, **flow), table, family)


def wire(value: Any, **options: Any) -> tuple[Any, Any]:
    """The wire value of an attribute `a`, and the code of its hint."""
    item = orjson.loads(codec(**options).encode(Item({"PK": "k", "a": value})).body)
    types = item.get(RESERVED, {"M": {"types": {"M": {}}}})["M"]["types"]["M"]
    assert set(types) <= {"/a"}
    return item["a"], types.get("/a", {}).get("S")


@pytest.mark.parametrize(
    ("value", "expected", "code"),
    [
        ("", {"S": ""}, None),
        ("é", {"S": "é"}, None),
        (None, {"NULL": True}, None),
        (True, {"BOOL": True}, None),
        (5, {"N": "5"}, None),
        (-2147483648, {"N": "-2147483648"}, None),
        (2**31, {"N": "2147483648"}, "i"),
        (Int64(2**31), {"N": "2147483648"}, None),
        (Int64(5), {"N": "5"}, "l"),
        (1.5, {"N": "1.5"}, None),
        (5.0, {"N": "5"}, "d"),
        (0.0, {"N": "0"}, "d"),
        (1e22, {"N": "10000000000000000000000"}, None),
        (1e-7, {"N": "0.0000001"}, None),
        (0.1 + 0.2, {"N": "0.30000000000000004"}, None),
        (Decimal128("19.99"), {"N": "19.99"}, "N-2"),
        (Decimal128("1.10"), {"N": "1.1"}, "N-2"),
        (Decimal128("1E+2"), {"N": "100"}, "N2"),
        (Decimal128("0.12345678901234567890123456789"), {"N": "0.12345678901234567890123456789"}, None),
        (OID, {"S": OID_TEXT}, "o"),
        (datetime(2024, 5, 1, 1, 2, 3, 45000, UTC), {"S": "2024-05-01T01:02:03.045Z"}, "t"),
        (datetime(1969, 12, 31, 23, 59, 59, 999000, UTC), {"S": "1969-12-31T23:59:59.999Z"}, "t"),
        (datetime(1, 1, 1, tzinfo=UTC), {"S": "0001-01-01T00:00:00.000Z"}, "t"),
        (DistantDate(-(2**63)), {"N": str(-(2**63))}, "t"),
        (b"\x00\xff", {"B": "AP8="}, None),
        (Binary(b"\x00\xff", 5), {"B": "AP8="}, "b5"),
        ([], {"L": []}, None),
        ({}, {"M": {}}, None),
        (Timestamp(1, 2), {"M": {"$timestamp": {"M": {"t": {"N": "1"}, "i": {"N": "2"}}}}}, "x"),
        (
            Regex("^a", "i"),
            {"M": {"$regularExpression": {"M": {"options": {"S": "i"}, "pattern": {"S": "^a"}}}}},
            "x",
        ),
        (MinKey(), {"M": {"$minKey": {"N": "1"}}}, "x"),
        (Undefined(), {"M": {"$undefined": {"BOOL": True}}}, "x"),
        (
            Code("f", {"n": Int64(1)}),
            {"M": {"$code": {"S": "f"}, "$scope": {"M": {"n": {"M": {"$numberLong": {"S": "1"}}}}}}},
            "x",
        ),
        ({"$minKey": 1}, {"M": {"$minKey": {"N": "1"}}}, None),
    ],
    ids=repr,
)
def test_bson(value: Any, expected: Any, code: str | None) -> None:
    assert wire(value) == (expected, code)
    one = codec()
    assert identical(one.decode(one.encode(Item({"PK": "k", "a": value})).body)["a"], value)


@pytest.mark.parametrize(
    ("value", "expected", "code"),
    [
        (5, {"N": "5"}, None),
        (10**37, {"N": "1" + "0" * 37}, None),
        (10**100, {"N": "1" + "0" * 100}, None),
        (Decimal("1.5"), {"N": "1.5"}, None),
        (Decimal("1.50"), {"N": "1.5"}, "n-2"),
        (Decimal("1E+2"), {"N": "100"}, "n2"),
        (Decimal("1.0"), {"N": "1"}, "n-1"),
        (Decimal(5), {"N": "5"}, "n0"),
        (Decimal("0.00"), {"N": "0"}, "n-2"),
        (1.5, {"N": "1.5"}, "d"),
    ],
    ids=repr,
)
def test_json(value: Any, expected: Any, code: str | None) -> None:
    assert wire(value, family="json") == (expected, code)


@pytest.mark.parametrize(
    ("rule", "value", "expected", "code"),
    [
        ("objectId", OID, {"S": OID_TEXT}, None),
        ("objectId", OID_TEXT, {"S": OID_TEXT}, "s"),
        ("objectId", OID_TEXT.upper(), {"S": OID_TEXT.upper()}, None),
        ("date", datetime(2024, 1, 1, tzinfo=UTC), {"S": "2024-01-01T00:00:00.000Z"}, None),
        ("date", "2024-01-01T00:00:00.000Z", {"S": "2024-01-01T00:00:00.000Z"}, "s"),
        ("date", "2024-02-30T00:00:00.000Z", {"S": "2024-02-30T00:00:00.000Z"}, None),
        ("date", "yesterday", {"S": "yesterday"}, None),
        ("date", 5, {"N": "5"}, None),
        ("date:ms", datetime(1969, 12, 31, 23, 59, 59, 999000, UTC), {"N": "-1"}, None),
        ("date:ms", DistantDate(2**62), {"N": str(2**62)}, None),
        ("date:ms", 5, {"N": "5"}, "i"),
        ("date:s", datetime(1970, 1, 1, 0, 0, 7, tzinfo=UTC), {"N": "7"}, None),
        ("date:s", datetime(1969, 12, 31, 23, 59, 59, 999000, UTC), {"N": "-1"}, "T999"),
        ("double", 5.0, {"N": "5"}, None),
        ("double", 5, {"N": "5"}, "i"),
        ("int64", Int64(5), {"N": "5"}, None),
        ("decimal128", Decimal128("19.99"), {"N": "19.99"}, None),
        ("decimal128", Decimal128("19.90"), {"N": "19.9"}, "N-2"),
        ("uuid", Binary(bytes(16), 4), {"B": "AAAAAAAAAAAAAAAAAAAAAA=="}, None),
        ("uuid", bytes(16), {"B": "AAAAAAAAAAAAAAAAAAAAAA=="}, "b0"),
        ("minKey", MinKey(), {"M": {"$minKey": {"N": "1"}}}, None),
        ("minKey", {"$minKey": 1}, {"M": {"$minKey": {"N": "1"}}}, "m"),
        ("minKey", MaxKey(), {"M": {"$maxKey": {"N": "1"}}}, "x"),
        ("string", "a", {"S": "a"}, None),
        ("int32", 5, {"N": "5"}, None),
    ],
    ids=repr,
)
def test_types_are_tried_first(rule: str, value: Any, expected: Any, code: str | None) -> None:
    assert wire(value, types={"a": rule}) == (expected, code)
    one = codec(types={"a": rule})
    assert identical(one.decode(one.encode(Item({"PK": "k", "a": value})).body)["a"], value)


def test_types_name_source_paths() -> None:
    one = codec(types={"_id": "objectId", "items[].at": "date", "ids[]": "objectId"}, rename={"_id": "id"})
    fields: Any = {"id": OID, "items": [{"at": datetime(2024, 1, 1, tzinfo=UTC)}], "ids": [OID, OID]}
    body = one.encode(Item({"PK": "k", **fields})).body
    assert RESERVED not in orjson.loads(body)
    assert identical(one.decode(body), {"PK": "k", **fields})


def test_types_of_a_split_hold_for_its_children() -> None:
    split = SplitSpec("reviews", {}, rename={"user": "userId"}, types={"user": "objectId"})
    body = codec(split=(split,)).encode(Item({"PK": "k", "userId": OID})).body
    assert RESERVED not in orjson.loads(body)


def test_a_ttl_field_is_carried_in_seconds() -> None:
    one = codec(
        ttl=TtlSpec("expires", "expiresAt"), rename={"expiresAt": "expires"}, types={"expiresAt": "date"}
    )
    moment = datetime(2024, 1, 1, 0, 0, 0, 250000, UTC)
    body = one.encode(Item({"PK": "k", "expires": moment})).body
    assert orjson.loads(body)["expires"] == {"N": "1704067200"}
    assert one.decode(body)["expires"] == moment


@pytest.mark.parametrize(
    ("value", "text", "code"),
    [
        (float("nan"), "nan", "d"),
        (float("-inf"), "-inf", "d"),
        (-0.0, "-0.0", "d"),
        (1e300, "1e+300", "d"),
        (5e-324, "5e-324", "d"),
        (Decimal128("NaN"), "NaN", "N"),
        (Decimal128("-0.0"), "-0.0", "N"),
        (Decimal128("1E-6176"), "1E-6176", "N"),
        (10**200 + 1, str(10**200 + 1), "i"),
        (Decimal("0." + "1" * 39), "0." + "1" * 39, "n"),
    ],
    ids=repr,
)
def test_numbers_dynamodb_has_none_for(value: Any, text: str, code: str) -> None:
    assert wire(value, numbers="string") == ({"S": text}, code)
    with pytest.raises(Refused) as caught:
        wire([value])
    assert caught.value.reason.startswith("a[0]: ")
    assert "numbers: string" in caught.value.fix


def test_an_integer_longer_than_python_prints() -> None:
    value = 10**5000 + 7
    one = codec("json", numbers="string")
    assert one.decode(one.encode(Item({"PK": "k", "a": value})).body)["a"] == value
    with pytest.raises(Refused, match="5001 digits"):
        wire(value, family="json")


def test_hints_of_a_list_collapse_where_all_elements_agree() -> None:
    def types(value: Any) -> Any:
        body = orjson.loads(codec().encode(Item({"PK": "k", "a/b": value})).body)
        return {path: code["S"] for path, code in body[RESERVED]["M"]["types"]["M"].items()}

    assert types([OID, OID]) == {"/a~1b/*": "o"}
    assert types([OID]) == {"/a~1b/0": "o"}
    assert types([OID, "x"]) == {"/a~1b/0": "o"}
    assert types([Int64(1), 1.0]) == {"/a~1b/0": "l", "/a~1b/1": "d"}
    assert types([{"x": OID, "y": 1.0}, {"x": OID, "y": 1}]) == {"/a~1b/*/x": "o", "/a~1b/0/y": "d"}
    assert types([[OID, OID], [OID]]) == {"/a~1b/0/*": "o", "/a~1b/1/0": "o"}
    assert types({"*": OID, "~0": 1.0}) == {"/a~1b/*": "o", "/a~1b/~00": "d"}


def test_an_index_wins_over_all_elements_and_a_map_knows_no_all() -> None:
    hints = {"types": {"M": {"/l/*": {"S": "o"}, "/l/1": {"S": "s"}, "/m/*": {"S": "o"}}}}
    text = {"S": OID_TEXT}
    stored = {"l": {"L": [text, text]}, "m": {"M": {"*": text, "x": text}}, RESERVED: {"M": hints}}
    assert codec().decode(orjson.dumps(stored)) == {"l": [OID, OID_TEXT], "m": {"*": OID, "x": OID_TEXT}}


@pytest.mark.parametrize(
    ("code", "overwritten", "expected"),
    [
        ("d", {"S": "x"}, "x"),
        ("d", {"N": "7"}, 7.0),
        ("d", {"N": "0.12345678901234567890"}, Decimal128("0.1234567890123456789")),
        ("N-2", {"N": "7.25"}, Decimal128("7.25")),
        ("N-2", {"N": "7.125"}, 7.125),
        ("o", {"S": "not hex"}, "not hex"),
        ("t", {"S": "2024-01-01"}, "2024-01-01"),
        ("l", {"N": "1.5"}, 1.5),
        ("x", {"M": {"$minKey": {"S": "1"}}}, {"$minKey": "1"}),
        ("x", {"M": {"$symbol": {"N": "1"}}}, {"$symbol": 1}),
        ("b300", {"B": "AA=="}, b"\x00"),
        ("nonsense", {"N": "5"}, 5),
        ("o", {"NULL": True}, None),
    ],
)
def test_a_hint_counts_only_while_it_fits(code: str, overwritten: Any, expected: Any) -> None:
    body = orjson.dumps({"a": overwritten, RESERVED: {"M": {"types": {"M": {"/a": {"S": code}}}}}})
    assert identical(codec().decode(body)["a"], expected)


@pytest.mark.parametrize(
    "left",
    [
        {"S": "x"},
        {"M": {}},
        {"M": {"types": {"S": "x"}, "order": {"L": []}}},
        {
            "M": {
                "types": {"M": {"a": {"S": "o"}, "/b": {"N": "1"}}},
                "order": {"M": {"/": {"L": [{"N": "1"}]}, "": {"L": [{"S": "a"}]}}},
            }
        },
    ],
)
def test_what_an_application_left_in_the_reserved_attribute_is_no_hint(left: Any) -> None:
    assert codec().decode(orjson.dumps({"a": {"S": "x"}, RESERVED: left})) == {"a": "x"}


def test_templates_leave_no_hint_and_follow_no_rule() -> None:
    one = codec(types={"a": "int64"})
    item = Item({"PK": "k", "a": 5, "b": OID, "c": datetime(2024, 1, 1, tzinfo=UTC)}, frozenset("abc"))
    assert orjson.loads(one.encode(item).body) == {
        "PK": {"S": "k"},
        "a": {"N": "5"},
        "b": {"S": OID_TEXT},
        "c": {"S": "2024-01-01T00:00:00.000Z"},
    }


def test_the_order_of_fields_is_kept_only_where_asked() -> None:
    document: Any = {"PK": "k", "b": {"z": 1, "a": [{"y": 1, "x": 2}, {"y": 3, "x": 4}]}, "a": 1}
    kept = codec(keep_order=True)
    body = kept.canonical(Item(document)).body
    assert identical(kept.decode(body), document, ordered=True)
    orders = orjson.loads(body)[RESERVED]["M"]["order"]["M"]
    assert set(orders) == {"/", "/b", "/b/a/*"}
    assert RESERVED not in orjson.loads(codec().encode(Item(document)).body)


def test_canonical_bodies_do_not_depend_on_order() -> None:
    one = codec()
    first = one.canonical(Item({"PK": "k", "a": 1, "b": {"x": 1.0, "y": OID}}))
    second = one.canonical(Item({"b": {"y": OID, "x": 1.0}, "a": 1, "PK": "k"}))
    assert first == second


def nested(levels: int, leaf: Any) -> Any:
    for _ in range(levels):
        leaf = [leaf]
    return leaf


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"a": nested(31, []), "PK": "k"}, "deeper than DynamoDB's 32 levels"),
        ({"a": nested(30, MinKey()), "b": nested(31, MinKey()), "PK": "k"}, "deeper than"),
        ({"a": nested(29, Timestamp(1, 1)), "b": nested(30, Timestamp(1, 1)), "PK": "k"}, "deeper than"),
        ({"": 1, "PK": "k"}, "no empty attribute name"),
        ({"a": {"": 1}, "PK": "k"}, "a.(empty name): DynamoDB allows no empty attribute name"),
        ({"n" * 65_536: 1, "PK": "k"}, "an attribute name of 65536 bytes"),
        ({"a": ["\ud800"], "PK": "k"}, "a[0]: a string with half a surrogate pair"),
        ({"\ud800": 1, "PK": "k"}, "surrogate"),
        ({"a": {"b": [1, {"c": "\udfff"}]}, "PK": "k"}, "a.b[1].c: a string"),
        ({RESERVED: {}, "PK": "k"}, "Greylag's own"),
        ({"a": "x" * 409_600, "PK": "k"}, "409,604 bytes as DynamoDB counts them"),
        ({"a": 1}, "key attribute PK is missing"),
        ({"PK": ""}, "key attribute PK is empty"),
        ({"PK": 5}, "key attribute PK is of type N, the table says S"),
        ({"PK": None}, "key attribute PK is of type NULL"),
        ({"PK": "k" * 2049}, "key attribute PK has 2,049 bytes"),
        ({"PK": "é" * 1025}, "key attribute PK has 2,050 bytes"),
        ({"PK": "k", "G": ""}, "key of index GSI, G is empty"),
        ({"PK": "k", "G": None}, "key of index GSI, G is of type NULL"),
        ({"PK": "k", "H": "5"}, "key of index GSI, H is of type S, the table says N"),
        ({"PK": "k", "B": b""}, "key of index Bin, B is empty"),
        ({"PK": "k", "B": bytes(1025)}, "key of index Bin, B has 1,025 bytes"),
        ({"PK": "k", "a": 1 << 200}, "61 digits"),
        ({"PK": "k", "a": object()}, "a Python object"),
        ({"PK": "k", "a": datetime(2024, 1, 1)}, "not in UTC"),  # noqa: DTZ001
        ({"PK": "k", "a": datetime(2024, 1, 1, microsecond=1, tzinfo=UTC)}, "finer than milliseconds"),
        ({"PK": "k", "a": {1: 2}}, "a name"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_refused(attributes: Any, reason: str) -> None:
    table = TableInfo(
        "table",
        "id",
        ("PK",),
        {"GSI": ("G", "H"), "Bin": ("G", "B")},
        {"PK": "S", "G": "S", "H": "N", "B": "B"},
    )
    with pytest.raises(Refused) as caught:
        codec(table=table).encode(Item(attributes))
    assert reason.replace("a name", "attribute name that is a int") in caught.value.reason
    assert caught.value.fix
    caught.value.reason.encode()


@pytest.mark.parametrize(
    "attributes",
    [
        {"a": nested(31, "x")},
        {"a": nested(30, {})},
        {"a": nested(29, MinKey())},
        {"n" * 65_535: 1},
        {"a": "x" * (409_600 - 4)},
        {"G": "g" * 2048, "H": 5},
        {"G": "g", "B": bytes(1024)},
    ],
    ids=lambda value: next(iter(value))[:3],
)
def test_allowed_to_the_limit(attributes: Any) -> None:
    table = TableInfo(
        "table",
        "id",
        ("PK",),
        {"GSI": ("G", "H"), "Bin": ("G", "B")},
        {"PK": "S", "G": "S", "H": "N", "B": "B"},
    )
    one = codec(table=table)
    document = {"PK": "k", **attributes}
    assert identical(one.decode(one.encode(Item(document)).body), document)


def test_keys_and_peek_tell_what_the_target_alone_knows() -> None:
    table = TableInfo("table", "id", ("P", "S"), {}, {"P": "S", "S": "N"})
    one = codec(table=table)
    body = one.encode(Item({"P": OID, "S": 5.0, "x": [OID, None], "y": 1})).body
    assert one.key(body) == {"P": OID_TEXT, "S": 5}
    assert wire_key(one.key(body)) == {"P": {"S": OID_TEXT}, "S": {"N": "5"}}
    assert peek(body, ["x", "z", "S"]) == {"x": [OID_TEXT, None], "S": 5}
    assert peek(b'{"s":{"SS":["a"]}}', ["s"]) == {}


def test_keys_cannot_be_confused() -> None:
    table = TableInfo("table", "id", ("P", "S"), {}, {"P": "S", "S": "S"})
    one = codec(table=table)
    pairs = [("a", "b1:S"), ("ab", "1:S"), ("aS", "b1:"), ("aS2:b", "x"), ("a", "S2:bx")]
    assert len({one.encode(Item({"P": p, "S": s})).key for p, s in pairs}) == len(pairs)


def test_sets_are_not_guessed_at() -> None:
    with pytest.raises(Refused, match=r"a\.b\[0\]: a DynamoDB set"):
        codec().decode(b'{"a":{"M":{"b":{"L":[{"SS":["x"]}]}}}}')


def test_other_tagged_types() -> None:
    one = codec()
    document: Any = {
        "PK": "k",
        "a": [Symbol("s"), DBPointer("ns", OID), Code("x"), MaxKey(), Regex("", "")],
        "b": Code("y", {"z": Decimal128("NaN"), "$oid": "x"}),
    }
    assert identical(one.decode(one.encode(Item(document)).body), document)


def test_a_number_no_bson_type_holds() -> None:
    with pytest.raises(Refused, match=r"no BSON number holds 0\.12345678901234567890123456789012345678"):
        codec().decode(b'{"a":{"N":"0.12345678901234567890123456789012345678"}}')
    assert codec("json").decode(b'{"a":{"N":"1.50"}}')["a"] == Decimal("1.5")


@pytest.mark.parametrize(
    "names", [("n" * 60_000, "m" * 6_000), ("~" * 40_000,), ("é" * 32_767, "é")], ids=["long", "~", "utf-8"]
)
def test_a_hint_whose_pointer_is_longer_than_a_name_may_be_is_refused(names: tuple[str, ...]) -> None:
    """A pointer is an attribute's name at the target, which would refuse it."""

    def within(value: Any) -> dict[str, Any]:
        for name in reversed(names):
            value = {name: value}
        return {"PK": "k", **value}

    codec().encode(Item(within(1)))
    with pytest.raises(Refused, match="have together more than"):
        codec().encode(Item(within(Int64(1))))
    with pytest.raises(Refused, match="have together more than"):
        codec(keep_order=True).encode(Item(within({"b": 1, "a": 2})))


def test_rules_reach_renamed_fields_whose_names_have_dots() -> None:
    split = SplitSpec("l", {}, rename={r"x\.y": "until"}, types={r"x\.y": "date:ms"})
    at = datetime(2024, 1, 1, tzinfo=UTC)
    one = codec(rename={r"a\.b": "since"}, types={r"a\.b": "date:s"}, split=(split,))
    body = orjson.loads(one.encode(Item({"PK": "k", "since": at, "until": at})).body)
    assert body == {"PK": {"S": "k"}, "since": {"N": "1704067200"}, "until": {"N": "1704067200000"}}
    one = codec(rename={r"a\.b": "expires"}, ttl=TtlSpec("expires", r"a\.b"))
    assert orjson.loads(one.encode(Item({"PK": "k", "expires": at})).body)["expires"] == {"N": "1704067200"}
