"""The closed union of values Greylag carries.

A record is a `dict[str, Value]`. Every connector turns its wire format into exactly these types and nothing
else; whatever it cannot turn exactly it refuses. Two values are the same only if `identical` says so: the same
value in the same numeric form.

Python's own types stand where one fits exactly:

=============  ======================================================================================
None           null
bool           boolean
int            BSON int32; a JSON integer of any size (up to 4300 digits, the interpreter's limit)
float          BSON double. JSON numbers never pass through float
Decimal        a JSON number with a fraction or an exponent, its digits and exponent as written
str, bytes     string; binary of BSON subtype 0
datetime       BSON date of the years 1 to 9999: aware, UTC, whole milliseconds
list, dict     array, document (string keys, in order)
=============  ======================================================================================

The classes below are for what Python has no exact type for. Those with a `_type_marker` are written by pymongo's
BSON encoder as they stand: it recognises its own classes by that number, not by their type.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Callable

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


class Int64(int):
    """BSON int64, whatever its size: 5 as int64 is not 5 as int32."""

    __slots__ = ()
    _type_marker = 18

    def __repr__(self) -> str:
        return f"Int64({int(self)})"


class Decimal128(Decimal):
    """BSON Decimal128: digits, scale, sign of zero, NaN and infinities as stored.

    `bid` is no part of the value: the sixteen bytes it was read from, on values read from BSON, and nowhere else.
    """

    __slots__ = ("bid",)
    _type_marker = 19
    bid: bytes

    def __repr__(self) -> str:
        return f"Decimal128('{self}')"


class Binary(bytes):
    """Binary of a BSON subtype other than 0; subtype 4 is a UUID."""

    _type_marker = 5
    subtype: int

    def __new__(cls, data: bytes, subtype: int) -> Self:
        """`subtype` is 1 to 255; plain binary is `bytes`."""
        self = super().__new__(cls, data)
        self.subtype = subtype
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Binary) and self.subtype == other.subtype and bytes.__eq__(self, other)

    def __hash__(self) -> int:
        return hash((bytes(self), self.subtype))

    def __repr__(self) -> str:
        return f"Binary({bytes(self)!r}, {self.subtype})"

    def __reduce__(self) -> tuple[Callable[[bytes, int], Binary], tuple[bytes, int]]:
        return Binary, (bytes(self), self.subtype)


class ObjectId:
    """A BSON ObjectId: 12 bytes in `binary`; `str()` gives 24 hexadecimal digits."""

    __slots__ = ("binary",)
    _type_marker = 7

    def __init__(self, binary: bytes) -> None:
        self.binary = binary

    @classmethod
    def from_hex(cls, text: str) -> ObjectId:
        """The ObjectId of 24 hexadecimal digits. Raises ValueError for anything else."""
        binary = bytes.fromhex(text)
        if len(binary) != 12:
            raise ValueError(f"an ObjectId has 12 bytes, not {len(binary)}")
        return cls(binary)

    def __str__(self) -> str:
        return self.binary.hex()

    def __repr__(self) -> str:
        return f"ObjectId('{self.binary.hex()}')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectId) and self.binary == other.binary

    def __hash__(self) -> int:
        return hash(self.binary)


@dataclass(frozen=True, slots=True)
class DistantDate:
    """A BSON date outside the years 1 to 9999: milliseconds since 1970, UTC."""

    milliseconds: int


@dataclass(frozen=True, slots=True)
class Regex:
    """A BSON regular expression; `options` are BSON's letters, in alphabetical order."""

    pattern: str
    options: str = ""


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A BSON timestamp: seconds since 1970 and an ordinal, both unsigned 32 bits."""

    time: int
    inc: int
    _type_marker = 17


@dataclass(frozen=True, slots=True)
class Code:
    """JavaScript code, with a scope or (None) without."""

    code: str
    scope: dict[str, Value] | None = None


@dataclass(frozen=True, slots=True)
class DBPointer:
    """BSON's deprecated DBPointer. A DBRef is an ordinary document and stays one."""

    namespace: str
    id: ObjectId


@dataclass(frozen=True, slots=True)
class Symbol:
    """BSON's deprecated symbol: not the same as an equal string."""

    text: str


@dataclass(frozen=True, slots=True)
class Undefined:
    """BSON's deprecated undefined: neither null nor missing."""


@dataclass(frozen=True, slots=True)
class MinKey:
    """BSON's value below all others."""

    _type_marker = 255


@dataclass(frozen=True, slots=True)
class MaxKey:
    """BSON's value above all others."""

    _type_marker = 127


Value: TypeAlias = (
    "bool | int | Int64 | float | Decimal | Decimal128 | str | bytes | Binary | ObjectId | datetime"
    " | DistantDate | Regex | Timestamp | Code | DBPointer | Symbol | Undefined | MinKey | MaxKey"
    " | list[Value] | dict[str, Value] | None"
)
Document: TypeAlias = dict[str, Value]

TYPE_NAMES: dict[type, str] = {
    type(None): "null",
    bool: "bool",
    int: "int",
    Int64: "int64",
    float: "double",
    Decimal: "decimal",
    Decimal128: "decimal128",
    str: "string",
    bytes: "binary",
    Binary: "binary",
    ObjectId: "objectId",
    datetime: "date",
    DistantDate: "date",
    Regex: "regex",
    Timestamp: "timestamp",
    Code: "code",
    DBPointer: "dbPointer",
    Symbol: "symbol",
    Undefined: "undefined",
    MinKey: "minKey",
    MaxKey: "maxKey",
    list: "array",
    dict: "document",
}
"""The name of each type, as `types:` in greylag.yaml, hints and messages write it. `int` is int32 in BSON."""


def type_name(value: Value) -> str:
    """The type's name as greylag.yaml writes it; raises TypeError for what is outside the union."""
    try:
        return TYPE_NAMES[type(value)]
    except KeyError:
        raise TypeError(f"{type(value).__name__} is not a value Greylag carries") from None


def is_number(value: Value) -> TypeGuard[int | float | Decimal]:
    """Whether `value` is numeric; a bool is not."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def is_well_formed(value: Value) -> bool:
    """Whether a scalar of the union is one that its type allows: Python's classes keep no range and no length.

    What connectors decode is; what a user's own function made may not be.
    """
    check = _FORMS.get(type(value))
    return check is None or check(value)


def _is_date(value: datetime) -> bool:
    return (value.tzinfo is UTC or value.utcoffset() == timedelta(0)) and value.microsecond % 1000 == 0


def _is_distant(value: DistantDate) -> bool:
    count = value.milliseconds
    return type(count) is int and INT64_MIN <= count <= INT64_MAX and not _FIRST_MS <= count <= _LAST_MS


def _is_decimal128(value: Decimal128) -> bool:
    if hasattr(value, "bid"):
        return True  # it was read from BSON
    _, digits, exponent = value.as_tuple()
    if isinstance(exponent, int):
        return len(digits) <= 34 and -6176 <= exponent <= 6111
    return value.is_infinite() or str(value) == "NaN"


def _are_uint32(*parts: object) -> bool:
    return all(type(part) is int and 0 <= part < 2**32 for part in parts)


def _are_text(*parts: object) -> bool:
    return all(type(part) is str for part in parts)


def _is_object_id(value: object) -> bool:
    return isinstance(value, ObjectId) and type(value.binary) is bytes and len(value.binary) == 12


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
_LAST_MS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
_INTEGER_LIMIT = 10**4300  # the interpreter reads and writes no longer ones
_FORMS: dict[type, Callable[[Any], bool]] = {
    int: lambda v: -_INTEGER_LIMIT < v < _INTEGER_LIMIT,
    Int64: lambda v: INT64_MIN <= v <= INT64_MAX,
    Decimal128: _is_decimal128,
    Binary: lambda v: type(v.subtype) is int and 1 <= v.subtype <= 255,
    ObjectId: _is_object_id,
    datetime: _is_date,
    DistantDate: _is_distant,
    Regex: lambda v: _are_text(v.pattern, v.options) and list(v.options) == sorted(set(v.options)),
    Timestamp: lambda v: _are_uint32(v.time, v.inc),
    Code: lambda v: _are_text(v.code) and (v.scope is None or type(v.scope) is dict),
    DBPointer: lambda v: _are_text(v.namespace) and _is_object_id(v.id),
    Symbol: lambda v: _are_text(v.text),
}


def identical(one: Value, other: Value, *, ordered: bool = False) -> bool:
    """Whether two values are the same value in the same form.

    1, Int64(1), 1.0 and Decimal("1.0") all differ; so do 0.0 and -0.0, and Decimal128("1.0") and ("1.00"). NaN is
    identical to NaN. The order of a document's fields counts only with `ordered`.
    """
    kind = type(one)
    if kind is not type(other):
        return False
    if isinstance(one, dict):
        assert isinstance(other, dict)
        if len(one) != len(other) or (ordered and list(one) != list(other)):
            return False
        return all(
            name in other and identical(value, other[name], ordered=ordered) for name, value in one.items()
        )
    if isinstance(one, list):
        assert isinstance(other, list)
        return len(one) == len(other) and all(
            identical(a, b, ordered=ordered) for a, b in zip(one, other, strict=True)
        )
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, Decimal):
        assert isinstance(other, Decimal)
        return one.as_tuple() == other.as_tuple()
    if isinstance(one, Code):
        assert isinstance(other, Code)
        return one.code == other.code and identical(one.scope, other.scope, ordered=ordered)
    return one == other
