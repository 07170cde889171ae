"""Terraform's own blocks, described as the provider's are: what may stand in `variable`, `lifecycle` and so on.

Source: https://developer.hashicorp.com/terraform/language (read 2026-11)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greylag.infra.schema import Schema

if TYPE_CHECKING:
    from greylag.infra.schema import Block

_CONDITION = 0
_LIFECYCLE = 1
_BLOCKS: list[dict[str, str]] = [
    {"condition": "!any", "error_message": "!string"},
    {
        "create_before_destroy": "bool",
        "prevent_destroy": "bool",
        "destroy": "bool",
        "ignore_changes": "any",
        "replace_triggered_by": "any",
        "enabled": "bool",
        "precondition": f"*{_CONDITION}",
        "postcondition": f"*{_CONDITION}",
    },
]


def _number(entries: dict[str, str]) -> int:
    _BLOCKS.append(entries)
    return len(_BLOCKS) - 1


_KINDS = {
    "variable": {
        "type": "any",
        "default": "any",
        "description": "string",
        "sensitive": "bool",
        "nullable": "bool",
        "ephemeral": "bool",
        "validation": f"*{_CONDITION}",
    },
    "output": {
        "value": "!any",
        "type": "any",
        "description": "string",
        "sensitive": "bool",
        "ephemeral": "bool",
        "depends_on": "any",
        "precondition": f"*{_CONDITION}",
    },
    "moved": {"from": "!any", "to": "!any"},
    "removed": {"from": "!any", "lifecycle": f"1{_LIFECYCLE}", "provisioner": "*any", "connection": "1any"},
    "import": {
        "to": "!any",
        "id": "string",
        "identity": "any",
        "provider": "any",
        "for_each": "any",
    },
    "lifecycle": _BLOCKS[_LIFECYCLE],
    "assert": _BLOCKS[_CONDITION],
    "terraform": {
        "required_version": "string",
        "experiments": "any",
        "required_providers": "1any",
        "backend": "1any",
        "cloud": "1any",
        "provider_meta": "*any",
    },
}

_MANAGED = {
    "terraform_data": {
        "input": "any",
        "output": "=any",
        "triggers_replace": "any",
        "id": "=string",
    },
}
_READ = {
    "terraform_remote_state": {
        "backend": "!string",
        "config": "any",
        "workspace": "string",
        "defaults": "any",
        "outputs": "=any",
    },
}

_DOCUMENT: dict[str, Any] = {
    "source": "developer.hashicorp.com/terraform/language",
    "provider_version": "",
    "date": "2026-11-21",
    "provider": 0,
    "ephemeral": {kind: _number(entries) for kind, entries in _KINDS.items()},
    "resources": {name: _number(entries) for name, entries in _MANAGED.items()},
    "data": {name: _number(entries) for name, entries in _READ.items()},
    "blocks": _BLOCKS,
}

LANGUAGE = Schema(_DOCUMENT)
"""Terraform's own blocks under "ephemeral"; the resources and data sources it brings along under their kinds."""

TOP_LEVEL = (
    "terraform",
    "provider",
    "variable",
    "locals",
    "output",
    "resource",
    "data",
    "ephemeral",
    "module",
    "moved",
    "removed",
    "import",
    "check",
)
META_ARGUMENTS = frozenset({"count", "for_each", "depends_on", "provider"})
META_BLOCKS = frozenset({"lifecycle", "provisioner", "connection", "dynamic"})
MODULE_ARGUMENTS = frozenset({"source", "version", "providers", "count", "for_each", "depends_on"})


def shape_of(kind: str) -> Block:
    """What may stand in a block of Terraform's own."""
    shape = LANGUAGE.of("ephemeral", kind)
    assert shape is not None
    return shape
