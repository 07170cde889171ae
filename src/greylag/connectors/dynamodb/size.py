"""How many bytes DynamoDB counts for an item.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from greylag.connectors.dynamodb.limits import WRITE_UNIT_BYTES
from greylag.connectors.dynamodb.numbers import decimal_text

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTAINER_BYTES: Final = 3
"""Of a list or map, beside one for each of its elements."""


def item_bytes(item: Mapping[str, Any]) -> int:
    """Of an item in DynamoDB JSON."""
    return sum(text_bytes(name) + value_bytes(value) for name, value in item.items())


def value_bytes(value: Mapping[str, Any]) -> int:
    """Of one attribute value in DynamoDB JSON; sets are outside of what Greylag writes."""
    [(kind, content)] = value.items()
    if kind == "S":
        return text_bytes(content)
    if kind == "N":
        return decimal_text(Decimal(content))[1]
    if kind == "B":
        return len(base64.b64decode(content))
    if kind == "L":
        return CONTAINER_BYTES + sum(1 + value_bytes(each) for each in content)
    if kind == "M":
        return CONTAINER_BYTES + sum(
            1 + text_bytes(name) + value_bytes(each) for name, each in content.items()
        )
    assert kind in {"BOOL", "NULL"}, kind
    return 1


def text_bytes(text: str) -> int:
    """UTF-8 bytes. Raises UnicodeEncodeError for a lone surrogate."""
    return len(text) if text.isascii() else len(text.encode())


def write_units(size_bytes: int) -> int:
    """What writing an item of this size costs in its table, indexes not counted."""
    return max(1, -(-size_bytes // WRITE_UNIT_BYTES))
