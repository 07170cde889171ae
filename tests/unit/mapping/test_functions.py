from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from greylag.core.flows import PythonSpec
from greylag.core.records import Refused
from greylag.core.values import (
    Binary,
    Code,
    DBPointer,
    Decimal128,
    DistantDate,
    Int64,
    ObjectId,
    Regex,
    Symbol,
    Timestamp,
)
from tests.property.strategies import documents
from tests.unit.mapping.flows import apply, error, mapping, refused

if TYPE_CHECKING:
    from greylag.core.mapping import Mapping

BRIEF = settings(max_examples=100, deadline=None)


def with_function(function: Any, attributes: dict[str, Any] | None = None, **more: Any) -> Mapping:
    return mapping(
        attributes or {"PK": "{id}"}, python=PythonSpec("shop.moves:product"), load=lambda _: function, **more
    )


def test_templates_see_what_the_function_gave() -> None:
    compiled = with_function(lambda record: {**record, "id": record["_id"] + 1})
    assert apply(compiled, {"_id": 1}) == [{"PK": 2, "_id": 1, "id": 2}]


def test_it_is_loaded_by_its_name() -> None:
    asked: list[str] = []

    def load(name: str) -> Any:
        asked.append(name)
        return dict

    mapping({"PK": "a"}, python=PythonSpec("shop.moves:product"), load=load)
    assert asked == ["shop.moves:product"]


@pytest.mark.parametrize(("made", "keys"), [(None, []), ([], []), ([{"id": 1}, {"id": 2}], [1, 2])])
def test_none_one_or_several_records(made: Any, keys: list[int]) -> None:
    assert [item["PK"] for item in apply(with_function(lambda _: made), {})] == keys


def test_where_comes_before_it() -> None:
    def never(_: Any) -> Any:
        raise AssertionError

    assert apply(with_function(never, where={"x": 1}), {}) == []


def test_it_gets_a_copy() -> None:
    def greedy(record: Any) -> Any:
        record["list"].append(1)
        record["document"].clear()
        return {"id": 1}

    fields: Any = {"list": [], "document": {"a": 1}}
    apply(with_function(greedy), fields)
    assert fields == {"list": [], "document": {"a": 1}}


def test_its_exceptions_refuse_the_record() -> None:
    def broken(record: Any) -> Any:
        return record["price"]

    assert "`shop.moves:product` raised KeyError: 'price'" in refused(with_function(broken), {})


def test_its_own_refusals_stand() -> None:
    def picky(_: Any) -> Any:
        raise Refused("no price", "set one")

    assert refused(with_function(picky), {}) == "no price"


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (5, "gave a int, not a record"),
        (["a"], "gave a str, not a record"),
        ({"a": {1: 2}}, "a field named 1"),
        ({"a": [{"b": {1}}]}, "gave a set as `a[].b`"),
        ({"a": (1,)}, "gave a tuple as `a`"),
        ({"a": datetime(2024, 1, 1)}, "gave `a` as 2024-01-01"),  # noqa: DTZ001 - that is the mistake
        ({"a": datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1)))}, "gave `a` as 2024-01-01"),
        ({"a": -(10**4300)}, "gave `a` as a int that cannot be shown"),
        ({"a": Int64(2**63)}, "gave `a` as Int64(9223372036854775808)"),
        ({"a": Decimal128("1E+6112")}, "gave `a` as Decimal128('1E+6112')"),
        ({"a": Decimal128("1" * 35)}, "gave `a` as Decimal128('1111"),
        ({"a": Decimal128("sNaN")}, "gave `a` as Decimal128('sNaN')"),
        ({"a": Binary(b"", 0)}, "gave `a` as Binary(b'', 0)"),
        ({"a": Binary(b"", 256)}, "gave `a` as Binary(b'', 256)"),
        ({"a": ObjectId(b"short")}, "gave `a` as ObjectId('73686f7274')"),
        ({"a": ObjectId("5f1d7f3a9d3e4b0001c0ffee")}, "gave `a` as a ObjectId that cannot be shown"),  # type: ignore[arg-type]
        ({"a": DistantDate(0)}, "gave `a` as DistantDate(milliseconds=0)"),
        ({"a": DistantDate(2**63)}, "gave `a` as DistantDate"),
        ({"a": Regex("a", "mi")}, "gave `a` as Regex"),
        ({"a": Timestamp(-1, 0)}, "gave `a` as Timestamp(time=-1, inc=0)"),
        ({"a": Code("f", {"b": (1,)})}, "gave a tuple as `a.b`"),  # type: ignore[dict-item]
        ({"a": DBPointer("b", None)}, "gave `a` as DBPointer"),  # type: ignore[arg-type]
        ({"a": Symbol(5)}, "gave `a` as Symbol(text=5)"),  # type: ignore[arg-type]
    ],
)
def test_only_values_greylag_carries(made: Any, reason: str) -> None:
    assert reason in refused(with_function(lambda _: made), {})


def test_a_record_that_holds_itself_is_refused() -> None:
    record: dict[str, Any] = {"id": "1"}
    record["self"] = [record]
    assert "nests too deep, or that holds itself" in refused(with_function(lambda _: record), {})


@pytest.mark.parametrize("raised", [SystemExit(3), ValueError("\ud800")], ids=["exit", "unprintable"])
def test_no_exception_ends_more_than_the_record(raised: BaseException) -> None:
    def broken(_: Any) -> Any:
        raise raised

    reason = refused(with_function(broken), {})
    assert f"raised {type(raised).__name__}" in reason
    assert reason.encode()


@BRIEF
@given(documents("bson"))
def test_what_connectors_decode_may_be_given_back(document: Any) -> None:
    record = {**document, "id": "1"}
    assert apply(with_function(dict), record) == [{"PK": "1", **record}]


def test_a_zone_object_that_is_utc_under_another_identity_is_utc() -> None:
    moment = datetime(2024, 1, 1, tzinfo=timezone(timedelta(0), "bson's own"))
    assert apply(with_function(dict), {"id": "1", "at": moment}) == [{"PK": "1", "id": "1", "at": moment}]


def test_keys_are_never_provably_distinct() -> None:
    assert not with_function(dict, {"PK": "{_id}"}, unique_id="_id").injective


def test_without_a_loader_it_is_only_checked() -> None:
    compiled = mapping({"PK": "{id}"}, python=PythonSpec("shop:product"))
    assert compiled.lone_fields == {"PK": ("id",)}
    with pytest.raises(AssertionError, match="without `load`"):
        apply(compiled, {"id": 1})


@pytest.mark.parametrize("name", ["shop", "shop:", ":product", "shop.:product", "a b:c", "a:b.c"])
def test_malformed(name: str) -> None:
    assert error(python=PythonSpec(name)).where == "python"
    assert error(python=PythonSpec("a:b", name)).where == "inverse"
