"""Numbers as DynamoDB writes them: plain notation, no leading zeros, no zeros after the last decimal place.

No function here does arithmetic on Decimals: the context's precision would round.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

import orjson

from greylag.connectors.dynamodb.limits import (
    NUMBER_DIGITS,
    NUMBER_LARGEST_EXPONENT,
    NUMBER_SMALLEST_EXPONENT,
)
from greylag.connectors.dynamodb.unfit import Unfit
from greylag.core.values import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, Decimal128, Int64

if TYPE_CHECKING:
    from greylag.core.values import Value

NumberText: TypeAlias = tuple[str, int]
"""A number's text and the bytes DynamoDB counts for it."""

DECIMAL128_DIGITS: Final = 34
MOST_ZEROS: Final = 1_000_000
"""How many zeros after its last digit a decimal may have been written with and still be carried."""

_DECIMAL128_EXPONENTS: Final = range(-6176, 6112)
_EXACT_INT: Final = 10**NUMBER_DIGITS
_NORMAL: Final = re.compile(r"0|-?(?:[1-9][0-9]*(?:\.[0-9]*[1-9])?|0\.[0-9]*[1-9])")
_FIX: Final = "Set `numbers: string` on the flow to carry such numbers as tagged strings, or mend the source."


def int_text(value: int) -> NumberText:
    """Raises Unfit outside of what an N holds."""
    if not -_EXACT_INT < value < _EXACT_INT:
        return decimal_text(Decimal(int(value)))
    text = int.__repr__(value)
    negative = value < 0
    if value % 10:
        return text, (len(text) - negative + 1) // 2 + 1 + negative
    bare = text.rstrip("0")
    if not bare:
        return text, 1
    return text, _bytes(len(bare) - negative, len(text) - len(bare), negative)


def float_text(value: float) -> NumberText:
    """The shortest decimal that denotes `value`. Raises Unfit for NaN, infinities, -0.0 and what is out of range."""
    if 1.0 <= value < 1e15:
        text = orjson.dumps(value).decode()  # what repr gives, in a third of its time
        places = len(text) - 1 - text.index(".")
        if places > 1 or text[-1] != "0":
            return text, (len(text) + (places & 1)) // 2 + 1
        return int_text(int(value))
    text = repr(value)
    if "e" in text or "n" in text or value == 0:
        return decimal_text(Decimal(text))
    if text.endswith(".0"):
        return int_text(int(value))
    return text, _fraction_bytes(text)


def normal_fraction(text: str) -> NumberText | None:
    """A decimal written as DynamoDB writes it, of up to 34 digits and with a fraction; None for any other text."""
    if len(text) > DECIMAL128_DIGITS or "." not in text or not _NORMAL.fullmatch(text):
        return None
    return text, _fraction_bytes(text)


def _fraction_bytes(text: str) -> int:
    whole, _, fraction = text.partition(".")
    negative = whole[0] == "-"
    digits = len(fraction.lstrip("0")) if whole in {"0", "-0"} else len(whole) - negative + len(fraction)
    return _bytes(digits, -len(fraction), negative)


def decimal_text(value: Decimal) -> NumberText:
    """Raises Unfit for NaN, infinities, -0, more than 38 digits and what is out of range."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise Unfit(f"DynamoDB has no number for {_shown(value)}", _FIX)
    text = "".join(map(str, digits)).lstrip("0")
    bare = text.rstrip("0")
    if not bare:
        if sign:
            raise Unfit("DynamoDB has no negative zero", _FIX)
        return "0", 1
    exponent += len(text) - len(bare)
    count = len(bare)
    if count > NUMBER_DIGITS:
        raise Unfit(f"a number of {count} digits; DynamoDB keeps {NUMBER_DIGITS}", _FIX)
    if not NUMBER_SMALLEST_EXPONENT <= exponent + count - 1 <= NUMBER_LARGEST_EXPONENT:
        raise Unfit(f"the number {_shown(value)} is out of DynamoDB's range (1E-130 to 9.99E+125)", _FIX)
    if exponent >= 0:
        plain = bare + "0" * exponent
    elif count > -exponent:
        plain = f"{bare[:exponent]}.{bare[exponent:]}"
    else:
        plain = f"0.{'0' * (-exponent - count)}{bare}"
    return ("-" + plain if sign else plain), _bytes(count, exponent, bool(sign))


def _bytes(digits: int, exponent: int, negative: bool) -> int:
    """Two digits to a byte, pairs aligned at the decimal point, one byte more, another for a sign.

    The documentation says "approximately"; this is what DynamoDB Local counts.
    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return (digits + (exponent & 1) + 1) // 2 + 1 + negative


def _shown(value: Decimal) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def normal(text: str) -> str:
    """`text` of an N as the real service returns it; emulators may return what was sent."""
    return text if _NORMAL.fullmatch(text) else decimal_text(Decimal(text))[0]


def natural(text: str, family: str) -> Value:
    """What a normal N is taken for where no rule and no hint decides.

    Raises Unfit for a number of the family "bson" that no BSON type holds.
    """
    if family == "json":
        return Decimal(text) if "." in text else int(text)
    if "." not in text:
        whole = int(text)
        if INT32_MIN <= whole <= INT32_MAX:
            return whole
        if INT64_MIN <= whole <= INT64_MAX:
            return Int64(whole)
    double = as_double(text)
    if double is not None:
        return double
    decimal = as_decimal128(text)
    if decimal is None:
        raise Unfit(f"no BSON number holds {text} exactly", "Mend the item: Decimal128 keeps 34 digits.")
    return decimal


def as_double(text: str) -> float | None:
    """The double whose shortest decimal is `text`, if there is one."""
    value = float(text)
    shortest = repr(value)
    return value if shortest == text or Decimal(shortest) == Decimal(text) else None


def as_decimal128(text: str) -> Decimal128 | None:
    """The Decimal128 with the digits of `text`: exponent 0 for an integer of up to 34 digits."""
    value = Decimal128(text)
    if len(value.as_tuple().digits) <= DECIMAL128_DIGITS:
        return value
    bare = text.rstrip("0")
    if "." in text or len(bare.lstrip("-")) > DECIMAL128_DIGITS:
        return None
    return Decimal128(f"{bare}E+{len(text) - len(bare)}")


def with_exponent(text: str, exponent: int) -> Decimal | None:
    """The decimal equal to `text` with this exponent; None if it would lose digits."""
    sign, digits, own = Decimal(text).as_tuple()
    assert isinstance(own, int)
    if digits == (0,):
        return Decimal((sign, digits, exponent))
    if own - exponent > MOST_ZEROS:
        return None
    while own < exponent and digits[-1] == 0:
        digits, own = digits[:-1], own + 1
    if own < exponent:
        return None
    return Decimal((sign, digits + (0,) * (own - exponent), exponent))


def decimal128_with_exponent(text: str, exponent: int) -> Decimal128 | None:
    """As `with_exponent`, None too for what no Decimal128 holds."""
    value = with_exponent(text, exponent)
    if (
        value is None
        or len(value.as_tuple().digits) > DECIMAL128_DIGITS
        or exponent not in _DECIMAL128_EXPONENTS
    ):
        return None
    return Decimal128(value)


def from_string(text: str, code: str) -> Value | None:
    """The number that `as_string` wrote as `text`; None if `text` is no such text.

    `code` is the number's hint: i, l, d, n or N.
    """
    try:
        value: float | Decimal
        if code == "d":
            value = float(text)
        elif code in {"n", "N"}:
            value = Decimal(text) if code == "n" else Decimal128(text)
        elif not re.fullmatch(r"-?[0-9]+", text):
            return None
        else:
            value = int(Decimal(text))
            if code == "l":
                value = Int64(value)
    except (ArithmeticError, ValueError):
        return None
    return value if as_string(value) == text else None


def as_string(value: float | Decimal) -> str:
    """The text that `from_string` reads back. Python's limit on digits of int does not bind it."""
    if isinstance(value, float):
        return repr(value)
    return str(value) if isinstance(value, Decimal) else f"{Decimal(int(value)):f}"
