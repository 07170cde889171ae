"""Decimal128 to and from the 16 bytes BSON holds it in (IEEE 754-2008 decimal128, binary integer coding).

Source: https://github.com/mongodb/specifications/blob/master/source/bson-decimal128/decimal128.md
"""

from __future__ import annotations

import struct
from decimal import Context, Decimal
from typing import Final

from greylag.core.records import Refused
from greylag.core.values import Decimal128

_BIAS: Final = 6176
_LARGEST_EXPONENT: Final = 6111
_LARGEST_COEFFICIENT: Final = 10**34 - 1
_BITS = struct.Struct("<QQ")
_SIGN, _INFINITY, _NAN = 1 << 63, 0x78 << 56, 0x7C << 56
_ROOMY = Context(prec=34, Emax=999_999, Emin=-999_999)


def from_bid(bid: bytes) -> Decimal128 | None:
    """The number in `bid`, which it keeps; None for bits that stand for one but are not its canonical ones.

    Those are coefficients over 34 digits (which count as zero), infinities with trailing bits, and NaNs that are
    negative, signalling or carry a payload: no decimal type gives the same bits back.
    """
    low, high = _BITS.unpack(bid)
    if high & (3 << 61) == 3 << 61:
        return _SPECIAL.get(bid)
    coefficient = (high & 0x1FFFFFFFFFFFF) << 64 | low
    if coefficient > _LARGEST_COEFFICIENT:
        return None
    sign = "-" if high & _SIGN else ""
    return _read(f"{sign}{coefficient}E{(high >> 49 & 0x3FFF) - _BIAS}", bid)


def to_bid(value: Decimal) -> bytes:
    """The canonical 16 bytes of `value`. Raises Refused for what no Decimal128 holds digit for digit."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        if value.is_infinite():
            return _BITS.pack(0, _INFINITY | (_SIGN if sign else 0))
        if exponent == "n" and not sign and not digits:
            return _BITS.pack(0, _NAN)
        raise Refused(f"{value} is a NaN with a sign, a payload or a signal")
    if len(digits) > 34 or not -_BIAS <= exponent <= _LARGEST_EXPONENT:
        raise Refused(f"{value} does not fit into a Decimal128 digit for digit")
    coefficient = int(value.copy_abs().scaleb(-exponent, _ROOMY))
    high = (exponent + _BIAS) << 49 | coefficient >> 64 | (_SIGN if sign else 0)
    return _BITS.pack(coefficient & 0xFFFFFFFFFFFFFFFF, high)


def _read(text: str, bid: bytes) -> Decimal128:
    value = Decimal128(text)
    value.bid = bid
    return value


_SPECIAL: Final = {
    bid: _read(text, bid)
    for text, bid in {
        "Infinity": _BITS.pack(0, _INFINITY),
        "-Infinity": _BITS.pack(0, _INFINITY | _SIGN),
        "NaN": _BITS.pack(0, _NAN),
    }.items()
}
