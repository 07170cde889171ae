"""A flow's `types` as a tree beside the item: which type a path is taken for before its natural one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from greylag.core.paths import EACH, parse_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.core.flows import FlowSpec

_ALIASES = {"int32": "int"}
NATURAL = frozenset({"null", "bool", "array", "document"})
"""Types that the wire form alone tells: a rule for them changes nothing."""


@dataclass(slots=True)
class Rules:
    """`type` of the value itself (None: no rule), `fields` of a document's, `each` of every element's of an array."""

    type: str | None = None
    fields: dict[str, Rules] = field(default_factory=dict)
    each: Rules | None = None


def compile_rules(flow: FlowSpec) -> Rules:
    """The tree for the attributes of `flow`'s items: source paths, their first step renamed.

    The field that `ttl:` names as its own attribute is carried as seconds. Raises ValueError for what is no path.
    """
    root = Rules()
    _add(root, flow.types, flow.rename)
    for split in flow.split:
        _add(root, split.types, split.rename)
    if flow.ttl is not None and _carries(flow.ttl.field, flow.rename, flow.ttl.attribute):
        root.fields.setdefault(flow.ttl.attribute, Rules()).type = "date:s"
    return root


def _names(rename: Mapping[str, str]) -> dict[object, str]:
    """`rename` by the fields' names; it is written by their paths, in which a dot of a name has a backslash."""
    return {parse_path(text)[0]: attribute for text, attribute in rename.items()}


def _carries(field: str, rename: Mapping[str, str], attribute: str) -> bool:
    """Whether the attribute is this very field."""
    name, *below = parse_path(field)
    return not below and _names(rename).get(name, name) == attribute


def _add(root: Rules, types: Mapping[str, str], rename: Mapping[str, str]) -> None:
    names = _names(rename)
    for text, name in types.items():
        steps = parse_path(text)
        node = root
        for place, step in enumerate(steps):
            if step is EACH:
                node.each = node = node.each or Rules()
            else:
                assert isinstance(step, str)
                own = names.get(step, step) if place == 0 else step
                node = node.fields.setdefault(own, Rules())
        kind = _ALIASES.get(name, name)
        if kind not in NATURAL and node.type is None:
            node.type = kind
