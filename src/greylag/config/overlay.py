"""`environments:`: an environment's overlay laid over the rest of the file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from greylag.core.nearest import did_you_mean

if TYPE_CHECKING:
    from greylag.config.findings import Findings
    from greylag.config.tree import Node, Step


def overlay(base: Node, over: Node, findings: Findings, path: tuple[Step, ...], depth: int) -> Node:
    """`base` with `over` laid over it: mappings merge, null removes a key, all else replaces.

    `path` leads to `over` in the whole file, and its steps from `depth` on to `base`.
    """
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    merged = dict(base.value)
    for key, node in over.value.items():
        if node.value is not None:
            merged[key] = overlay(merged[key], node, findings, (*path, key), depth) if key in merged else node
        elif key in merged:
            del merged[key]
        else:
            findings.add(
                (*path, key),
                f"null removes a key, but without {path[depth - 1]} there is no {key!r} here"
                + did_you_mean(key, merged),
            )
    return replace(base, value=merged)
