"""How a value stands in the text of a template.

===========================  ================================================================================
string                       as it is
int, int64                   decimal digits: `5`, `-5`
double                       the shortest digits that read back as the same double: `1.0`, `0.1`, `1e+16`
decimal, decimal128          as written at the source: `1.50`, `1E+2`
bool                         `true`, `false`
ObjectId                     24 hexadecimal digits
date (years 1 to 9999)       ISO 8601 in UTC with milliseconds: `2024-01-31T10:00:00.000Z`
UUID (binary, subtype 4)     `00112233-4455-6677-8899-aabbccddeeff`
===========================  ================================================================================

1 and 1.0 have different texts. Everything else has none, and a template that asks for it cannot be filled:
null and missing, arrays, documents, other binary, dates beyond the year 9999, -0.0, NaN and infinities, and
BSON's special types. Integers of more than 4000 digits have none either.
"""

from __future__ import annotations

import math
import uuid
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

from greylag.core.values import Binary, Decimal128, Int64, ObjectId

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.core.paths import Missing
    from greylag.core.values import Value

# Python refuses to write integers of more than 4300 digits.
_INTEGER_LIMIT = 10**4000


class Unfilled(Enum):
    """The one value of a template that cannot be filled. Null is a value; this is none."""

    UNFILLED = "unfilled"


UNFILLED: Final = Unfilled.UNFILLED
Text: TypeAlias = str | Unfilled


def text_of(value: Value | Missing) -> Text:
    """`value` as the table says, or UNFILLED."""
    write = WRITERS.get(type(value))
    return UNFILLED if write is None else write(value)


def _string(value: str) -> Text:
    return value


def _integer(value: int) -> Text:
    return int.__repr__(value) if -_INTEGER_LIMIT < value < _INTEGER_LIMIT else UNFILLED


def _double(value: float) -> Text:
    if not math.isfinite(value) or (value == 0 and math.copysign(1, value) < 0):
        return UNFILLED
    return repr(value)


def _decimal(value: Decimal) -> Text:
    if not value.is_finite() or (value.is_zero() and value.is_signed()):
        return UNFILLED
    return Decimal.__str__(value)


def _date(value: datetime) -> Text:
    return f"{value.isoformat(timespec='milliseconds')[:-6]}Z"


def _binary(value: Binary) -> Text:
    return str(uuid.UUID(bytes=bytes(value))) if value.subtype == 4 and len(value) == 16 else UNFILLED


WRITERS: dict[type, Callable[..., Text]] = {
    str: _string,
    int: _integer,
    Int64: _integer,
    float: _double,
    Decimal: _decimal,
    Decimal128: _decimal,
    bool: lambda v: "true" if v else "false",
    ObjectId: lambda v: v.binary.hex(),
    datetime: _date,
    Binary: _binary,
}
"""The function that writes each type, for those that have a text."""
