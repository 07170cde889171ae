"""Generated values: `values(family)` and `documents(family)`, for round trips through every wire format.

"bson" draws every type that BSON has (a plain integer is int32; no `Decimal`); "json" draws what a JSON file
holds: null, booleans, integers of any size, decimals, strings, arrays and documents.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from greylag.core.canonical import EPOCH
from greylag.core.values import (
    INT32_MAX,
    INT32_MIN,
    INT64_MAX,
    INT64_MIN,
    Binary,
    Code,
    DBPointer,
    Decimal128,
    DistantDate,
    Document,
    Int64,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Symbol,
    Timestamp,
    Undefined,
    Value,
)

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_CSTRING = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
_NAMES = {"bson": _CSTRING | st.sampled_from(["_id", "$ref", "$id", "a.b", ""]), "json": _TEXT}
_FIRST_MS = (datetime.min.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
_LAST_MS = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
_UINT32 = st.integers(0, 2**32 - 1)


def _decimal128(parts: tuple[bool, int, int]) -> Decimal128:
    negative, coefficient, exponent = parts
    return Decimal128((int(negative), tuple(map(int, str(coefficient))), exponent))


INT64S: st.SearchStrategy[Int64] = st.integers(INT64_MIN, INT64_MAX).map(Int64)
DECIMAL128S: st.SearchStrategy[Decimal128] = st.one_of(
    st.tuples(st.booleans(), st.integers(0, 10**34 - 1), st.integers(-6176, 6111)).map(_decimal128),
    st.tuples(st.booleans(), st.integers(0, 10**6), st.integers(-8, 8)).map(_decimal128),
    st.sampled_from(["NaN", "Infinity", "-Infinity", "0", "-0", "0.00", "-0E+10", "1.10", "1E+3"]).map(
        Decimal128
    ),
)
DATES: st.SearchStrategy[datetime] = st.integers(_FIRST_MS, _LAST_MS).map(
    lambda count: EPOCH + timedelta(milliseconds=count)
)
DISTANT_DATES: st.SearchStrategy[DistantDate] = st.one_of(
    st.integers(INT64_MIN, _FIRST_MS - 1), st.integers(_LAST_MS + 1, INT64_MAX)
).map(DistantDate)
OBJECT_IDS: st.SearchStrategy[ObjectId] = st.binary(min_size=12, max_size=12).map(ObjectId)
BINARIES: st.SearchStrategy[Binary] = st.builds(
    Binary, st.binary(max_size=20), st.integers(1, 255)
) | st.builds(Binary, st.binary(min_size=16, max_size=16), st.sampled_from([3, 4]))
REGEXES: st.SearchStrategy[Regex] = st.builds(
    Regex, _CSTRING, st.sets(st.sampled_from("ilmsux")).map(lambda letters: "".join(sorted(letters)))
)
JSON_DECIMALS: st.SearchStrategy[Decimal] = st.builds(
    lambda whole, fraction, exponent: Decimal(f"{whole}.{fraction}{exponent}"),
    st.integers(-(10**40), 10**40),
    st.from_regex(r"[0-9]{1,40}", fullmatch=True),
    st.sampled_from(["", "e5", "E-7", "e+400", "e-400"]),
)

_BSON_SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(INT32_MIN, INT32_MAX),
    INT64S,
    st.floats() | st.sampled_from([0.0, -0.0, 5e-324, 1.7976931348623157e308]),
    DECIMAL128S,
    _TEXT,
    st.binary(max_size=20),
    BINARIES,
    OBJECT_IDS,
    DATES,
    DISTANT_DATES,
    REGEXES,
    st.builds(Timestamp, _UINT32, _UINT32),
    st.builds(Code, _TEXT),
    st.builds(DBPointer, _CSTRING, OBJECT_IDS),
    st.builds(Symbol, _TEXT),
    st.sampled_from([Undefined(), MinKey(), MaxKey()]),
)
_JSON_SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**60), 10**60),
    JSON_DECIMALS,
    _TEXT,
)
_SCALARS = {"bson": _BSON_SCALARS, "json": _JSON_SCALARS}


def values(family: str) -> st.SearchStrategy[Value]:
    """Any value of the family "bson" or "json", nested a few levels deep."""

    def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        holders: list[st.SearchStrategy[Any]] = [
            st.lists(inner, max_size=5),
            st.dictionaries(_NAMES[family], inner, max_size=5),
        ]
        if family == "bson":
            scopes = st.dictionaries(_CSTRING, inner, max_size=3)
            holders.append(st.builds(Code, _TEXT, scopes))
        return st.one_of(holders)

    return st.recursive(_SCALARS[family], containers, max_leaves=12)


def documents(family: str) -> st.SearchStrategy[Document]:
    """A document of the family, of up to eight fields."""
    return st.dictionaries(_NAMES[family], values(family), max_size=8)
