"""What DynamoDB asks of attributes that are keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greylag.connectors.dynamodb import limits
from greylag.connectors.dynamodb.restore import from_base64
from greylag.connectors.dynamodb.unfit import Unfit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.core.ports import TableInfo


class KeyRule:
    """What DynamoDB asks of an attribute that is a key of the table or of an index."""

    __slots__ = ("kind", "most_bytes", "name", "required", "what")

    def __init__(self, name: str, kind: str, most_bytes: int, what: str, *, required: bool) -> None:
        self.name = name
        self.kind = kind
        self.most_bytes = most_bytes
        self.what = what
        self.required = required

    def check(self, item: Mapping[str, Any]) -> None:
        """Raises Unfit."""
        wire = item.get(self.name)
        if wire is None:
            if self.required:
                raise self._unfit("is missing", "Give it a template that every record fills.")
            return
        content = wire.get(self.kind)
        if content is None:
            [found] = wire
            raise self._unfit(
                f"is of type {found}, the table says {self.kind}",
                "Change its template or `types`"
                + ("." if self.required else ", or `rename` or `drop` the field."),
            )
        if (
            self.kind == "N" or 0 < len(content) <= self.most_bytes // 4
        ):  # UTF-8 has up to four bytes a character
            return
        size = len(content.encode() if self.kind == "S" else from_base64(content))
        if not size:
            raise self._unfit(
                "is empty, which DynamoDB does not allow in a key",
                "Give it a template that every record fills"
                + ("." if self.required else ", or `rename` or `drop` the field."),
            )
        if size > self.most_bytes:
            raise self._unfit(
                f"has {size:,} bytes, DynamoDB allows {self.most_bytes:,}",
                "Build the key from a shorter field.",
            )

    def _unfit(self, reason: str, fix: str) -> Unfit:
        return Unfit(f"{self.what} {self.name} {reason}", fix, "unfit-key")


def key_rules(table: TableInfo) -> tuple[KeyRule, ...]:
    """One rule for each key attribute, its strictest: an attribute may be a key of the table and of many indexes."""
    rules: dict[str, KeyRule] = {}
    places = [
        ("key attribute", table.key),
        *((f"key of index {name},", keys) for name, keys in table.indexes.items()),
    ]
    for what, names in places:
        for position, name in enumerate(names):
            most = limits.SORT_KEY_BYTES if position else limits.PARTITION_KEY_BYTES
            rule = rules.setdefault(
                name, KeyRule(name, table.key_types[name], most, what, required=name in table.key)
            )
            rule.most_bytes = min(rule.most_bytes, most)
    return tuple(rules.values())
