"""Every value but lists and documents as a wire value, with the hint that would restore it.

The encoder deals with the frequent types itself; this is for the others, and where a rule of `types` speaks.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from greylag.connectors.dynamodb import numbers
from greylag.connectors.dynamodb.restore import date_text, to_base64
from greylag.connectors.dynamodb.size import text_bytes
from greylag.connectors.dynamodb.unfit import Unfit
from greylag.core.canonical import milliseconds
from greylag.core.values import Binary, Decimal128, DistantDate, Int64, ObjectId

if TYPE_CHECKING:
    from collections.abc import Callable

NULL: Final[dict[str, Any]] = {"NULL": True}
TRUE: Final[dict[str, Any]] = {"BOOL": True}
FALSE: Final[dict[str, Any]] = {"BOOL": False}

_NUMBER_CODES: Final = {int: "i", Int64: "l", float: "d", Decimal: "n", Decimal128: "N"}


class Scalar(NamedTuple):
    """A wire value, the bytes DynamoDB counts for it, and the code (see `restore`) that gives its type back."""

    wire: dict[str, Any]
    size: int
    code: str


def text_size(text: str) -> int:
    """Bytes DynamoDB counts for a string. Raises Unfit for what is no Unicode text."""
    try:
        return text_bytes(text)
    except UnicodeEncodeError:
        raise Unfit(
            "a string with half a surrogate pair, which UTF-8 cannot hold",
            "Mend the text at the source, or `drop` the field.",
        ) from None


def encode(value: Any, rule: str | None, policy: str) -> Scalar:
    """`rule` chooses between the forms of a date; `policy` is the flow's `numbers`.

    Raises Unfit for what DynamoDB cannot hold and for what is outside the union of values.
    """
    encoder = _ENCODERS.get(type(value))
    if encoder is not None:
        return encoder(value, rule)
    if type(value) in _NUMBER_CODES:
        try:
            return _number(value)
        except Unfit:
            if policy != "string":
                raise
            text = numbers.as_string(value)
            return Scalar({"S": text}, len(text), _NUMBER_CODES[type(value)])
    raise Unfit(
        f"a Python {type(value).__name__}, which Greylag does not carry",
        "Make the mapping give one of its types.",
    )


def _number(value: Any) -> Scalar:
    if isinstance(value, float):
        text, size = numbers.float_text(value)
    elif isinstance(value, Decimal):
        text, size = numbers.decimal_text(value)
        exponent = value.as_tuple().exponent
        assert isinstance(exponent, int)
        if -exponent > numbers.MOST_ZEROS and text != "0":
            raise Unfit("a decimal with over a million zeros at its end", "Mend the number at the source.")
        return Scalar({"N": text}, size, f"{_NUMBER_CODES[type(value)]}{exponent}")
    else:
        text, size = numbers.int_text(value)
    return Scalar({"N": text}, size, _NUMBER_CODES[type(value)])


def _date(value: datetime, rule: str | None) -> Scalar:
    if value.tzinfo is not UTC and value.utcoffset() != UTC.utcoffset(None):
        raise Unfit("a date that is not in UTC", "Make the mapping give dates in UTC.")
    if value.microsecond % 1000:
        raise Unfit("a date finer than milliseconds", "Make the mapping give whole milliseconds.")
    if rule in {"date:s", "date:ms"}:
        return _epoch(milliseconds(value), rule)
    return Scalar({"S": date_text(value)}, 24, "t")


def _epoch(count: int, rule: str | None) -> Scalar:
    if rule == "date:s":
        seconds, rest = divmod(count, 1000)
        text, size = numbers.int_text(seconds)
        return Scalar({"N": text}, size, f"T{rest}")
    text, size = numbers.int_text(count)
    return Scalar({"N": text}, size, "t")


def _string(value: str, _: str | None) -> Scalar:
    return Scalar({"S": value}, text_size(value), "s")


def _bool(value: bool, _: str | None) -> Scalar:
    return Scalar(TRUE if value else FALSE, 1, "")


def _binary(value: bytes, _: str | None) -> Scalar:
    subtype = value.subtype if isinstance(value, Binary) else 0
    return Scalar({"B": to_base64(value)}, len(value), f"b{subtype}")


_ENCODERS: Final[dict[type, Callable[[Any, str | None], Scalar]]] = {
    type(None): lambda _, __: Scalar(NULL, 1, ""),
    bool: _bool,
    str: _string,
    bytes: _binary,
    Binary: _binary,
    ObjectId: lambda value, _: Scalar({"S": str(value)}, 24, "o"),
    datetime: _date,
    DistantDate: lambda value, rule: _epoch(value.milliseconds, rule),
}
