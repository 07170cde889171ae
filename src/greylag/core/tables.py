"""A table as it stands beside the one greylag.yaml describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.core.flows import TableSpec
    from greylag.core.ports import TableInfo


def differences(spec: TableSpec, info: TableInfo) -> list[str]:
    """In what the table is not as `spec` says; indexes that `spec` does not name may be there."""
    found = []
    if tuple(spec.key) != info.key:
        found.append(f"its key is {_names(info.key)}, not {_names(spec.key)}")
    for name, keys in spec.indexes.items():
        if name not in info.indexes:
            found.append(f"it has no index {name} ({_names(keys)})")
        elif info.indexes[name] != tuple(keys):
            found.append(f"index {name} has the key {_names(info.indexes[name])}, not {_names(keys)}")
    for name, kind in spec.key_types.items():
        if info.key_types.get(name, kind) != kind:
            found.append(f"{name} is of type {info.key_types[name]}, not {kind}")
    return found


def _names(names: Sequence[str]) -> str:
    return ", ".join(names)
