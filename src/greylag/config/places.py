"""Finds the line that a mapping's error is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from greylag.config.tree import Node, Step


def path_of(flow: Node, where: str) -> tuple[Step, ...]:
    """The path below `flow` of what a mapping calls `where`: `attributes.PK`, `split.items.types`, `ttl`.

    Names may contain dots: the longest that is there wins. An attribute may stand under `key` or `indexes`, whose
    templates a mapping sees among the attributes. What is not found leads to the nearest part around it.
    """
    path: list[Step] = []
    node, rest = flow, where
    while rest:
        key = max(
            (key for key in node.entries if rest == key or rest.startswith(f"{key}.")), key=len, default=None
        )
        if key is None:
            break
        path.append(key)
        node, rest = node.entries[key], rest[len(key) + 1 :]
    before, found, attribute = where.rpartition("attributes.")
    if not (found and rest):
        return tuple(path)
    start = path_of(flow, before.removesuffix("."))
    around = flow.at(*start)
    places: list[tuple[Step, ...]] = [
        ("key",),
        *(("indexes", index) for index in around.at("indexes").entries),
    ]
    for place in places:
        if "indexes" in around.entries or place == ("key",):
            section = around.at(*place)
            if section is not around and attribute in section.entries:
                return (*start, *place, attribute)
    return tuple(path)
