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


def plain(item: dict[str, Any]) -> dict[str, Any]:
    """An item as boto3 gives it, in DynamoDB JSON: binary as base64."""
    return {name: _plain(value) for name, value in item.items()}


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    [(kind, content)] = value.items()
    if kind == "B":
        return {kind: to_base64(content)}
    if kind == "BS":
        return {kind: [to_base64(each) for each in content]}
    if kind == "M":
        return {kind: plain(content)}
    if kind == "L":
        return {kind: [_plain(each) for each in content]}
    return value
