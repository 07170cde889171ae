"""The key of an item as bytes: equal exactly when DynamoDB takes both items for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greylag.connectors.dynamodb.numbers import normal
from greylag.connectors.dynamodb.restore import from_base64, to_base64

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def key_bytes(item: Mapping[str, Any], names: Sequence[str]) -> bytes:
    """`item` is DynamoDB JSON and has the key attributes `names`, each an S, N or B."""
    parts = []
    for name in names:
        [(kind, content)] = item[name].items()
        if kind == "N":
            content = normal(content)
        elif kind == "B":
            content = to_base64(from_base64(content))
        parts.append(f"{kind}{len(content)}:{content}")
    return "".join(parts).encode()
