"""Items that Greylag writes to see how far a table's stream has come, and removes again.

Their keys have a reserved form, so that nothing takes them for an application's: text or binary that begins with
`_greylag#mark#`, numbers below -9.7E+125, near the least that DynamoDB holds. Feeds, scans and fetches leave them out.
"""

from __future__ import annotations

import secrets
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from greylag.connectors.dynamodb.restore import from_base64

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from greylag.core.ports import TableInfo

_TEXT: Final = "_greylag#mark#"
_NUMBER: Final = Decimal("-9.7E+125")
_DIGITS: Final = 10**20


def marker(table: TableInfo) -> dict[str, Any]:
    """An item that no other is, as boto3 takes it."""
    return {name: _key(table.key_types[name]) for name in table.key}


def is_marker(item: Mapping[str, Any], key: Sequence[str]) -> bool:
    """Whether an item (in DynamoDB JSON, binary as base64 or bytes), or its key, is a marker."""
    return all(_is_reserved(item[name]) for name in key)


def _key(kind: str) -> dict[str, Any]:
    if kind == "N":
        return {"N": f"-9.7{secrets.randbelow(_DIGITS):020d}1E+125"}
    text = _TEXT + secrets.token_hex(10)
    return {"S": text} if kind == "S" else {"B": text.encode()}


def _is_reserved(wire: Mapping[str, Any]) -> bool:
    [(kind, content)] = wire.items()
    if kind == "S":
        return str(content).startswith(_TEXT)
    if kind == "B":
        data = content if isinstance(content, bytes) else from_base64(content)
        return data.startswith(_TEXT.encode())
    try:
        return content[:1] == "-" and len(content) > 4 and Decimal(content) < _NUMBER
    except InvalidOperation:
        return False
