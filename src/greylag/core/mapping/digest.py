"""The digest of a mapping: the same as long as every record becomes the same items."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from greylag.core.flows import FlowSpec, SplitSpec

# To be raised when a new version of Greylag makes other items of the same mapping.
_FORM = 1


def mapping_digest(spec: FlowSpec, *, uses_dataset: bool) -> str:
    """SHA-256, in hexadecimal, of what decides how records become items; names of services and connections do
    not.

    The dataset's name counts only where a template uses it.
    """
    ttl, python = spec.ttl, spec.python
    content = {
        "form": _FORM,
        "key": spec.table.key,
        "indexes": sorted(spec.table.indexes.values()),
        "dataset": spec.source.dataset if uses_dataset else None,
        "attributes": spec.attributes,
        "where": spec.where,
        "rename": spec.rename,
        "drop": sorted(set(spec.drop)),
        "types": spec.types,
        "ttl": [ttl.attribute, ttl.field, ttl.after_seconds] if ttl else None,
        "split": sorted((_split(each) for each in spec.split), key=lambda each: str(each["path"])),
        "python": [python.function, python.inverse] if python else None,
        "numbers": spec.numbers,
        "order": spec.keep_order,
    }
    return hashlib.sha256(json.dumps(_plain(content), sort_keys=True).encode()).hexdigest()


def _split(spec: SplitSpec) -> dict[str, Any]:
    return {
        "path": spec.path,
        "attributes": spec.attributes,
        "rename": spec.rename,
        "drop": sorted(set(spec.drop)),
        "types": spec.types,
    }


def _plain(value: Any) -> Any:
    """`value` as JSON, every type told apart: 1, 1.0, "1" and true differ."""
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return {"float": float.__repr__(value)}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return {str(name): _plain(each) for name, each in value.items()}
