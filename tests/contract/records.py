"""The records that every source must give back as they are, and every target must keep."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

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
)

if TYPE_CHECKING:
    from greylag.core.values import Document

_OF_BOTH: list[Document] = [
    {},
    {"a": None, "b": True, "c": False, "d": 0, "e": -1, "f": ""},
    {"text": "plain", "more": 'ünï\u2028\U0001f9a2 "quoted" \\ \n\t', "empty": "", "long": "x" * 5000},
    {"nested": {"deep": {"deeper": [{"a": [[], [[]], {}]}]}}, "array": [1, "1", None, [True]]},
    {"a.b": 1, "$set": {"$oid": "no"}, "name with space": 2, "ключ": 3},
    {"1": 1, "0": 0},
]

_PLENTY: list[Document] = [
    {"number": number, "text": f"record {number} " + "y" * (number % 50)} for number in range(60)
]

JSON: list[Document] = [
    *_OF_BOTH,
    {
        "big": 10**40,
        "small": -(10**40),
        "exact": Decimal("1.50"),
        "one": Decimal("1.0"),
        "exponent": Decimal("1E+2"),
    },
    {"tiny": Decimal("1E-400"), "digits": Decimal("0.1234567890123456789012345678901234567890")},
    *_PLENTY,
]

BSON: list[Document] = [
    *_OF_BOTH,
    {"int32": 1, "int64": Int64(1), "double": 1.0, "decimal": Decimal128("1.00")},
    {"large": Int64(2**63 - 1), "least": Int64(-(2**63)), "negative zero": -0.0, "tenth": 0.1},
    {
        "nan": float("nan"),
        "infinity": float("inf"),
        "decimal nan": Decimal128("NaN"),
        "scale": Decimal128("0E-5"),
    },
    {"oid": ObjectId(bytes(range(12))), "hex": "000102030405060708090a0b"},
    {"bytes": b"\x00\xff", "uuid": Binary(bytes(range(16)), 4), "empty": b"", "user": Binary(b"x", 128)},
    {"date": datetime(1969, 12, 31, 23, 59, 59, 999000, UTC), "far": DistantDate(10**17)},
    {
        "regex": Regex("^a", "im"),
        "stamp": Timestamp(1, 2),
        "code": Code("f()"),
        "scoped": Code("f()", {"x": 1}),
    },
    {"symbol": Symbol("s"), "undefined": Undefined(), "least": MinKey(), "most": MaxKey()},
    {"pointer": DBPointer("db.c", ObjectId(bytes(12)))},
    *_PLENTY,
]

OF_FAMILY = {"json": JSON, "bson": BSON}
