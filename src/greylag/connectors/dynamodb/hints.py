"""The reserved attribute: what an item's wire form alone does not tell.

`_greylag` is a map of up to two maps, `types` and `order`. Their names are JSON pointers (RFC 6901) relative to the
item's attributes; in a list the step `*` stands for every element, and an index wins over it. Whether a step is a
place in a list or a name in a map, the container tells. `types` holds the codes of `restore`; `order`, where
a flow says `order: keep`, the names of a map in the order of the source. The item itself, to which RFC 6901 points
with the empty string, is `/`: DynamoDB has no attribute with an empty name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

RESERVED: Final = "_greylag"
ITEM: Final = "/"
"""The pointer to the item itself."""

Code: TypeAlias = "str | tuple[str, ...]"
"""A type's code, or the names of a map in order."""
Hints: TypeAlias = "list[tuple[str, Code]]"
"""Pointers with their codes, in the order of the encoder's walk."""


def step(name: str) -> str:
    """`name` as a step of a pointer."""
    if "~" in name or "/" in name:
        name = name.replace("~", "~0").replace("/", "~1")
    return "/" + name


def first(pointer: str) -> str:
    """The name of the attribute that `pointer` leads to or into."""
    return pointer[1:].partition("/")[0].replace("~1", "/").replace("~0", "~")


def prefix(hints: Hints, start: int, name: str) -> None:
    """Put `name` before the pointers from `start` on."""
    head = step(name)
    for place in range(start, len(hints)):
        pointer, code = hints[place]
        hints[place] = (head + pointer, code)


def collapse(hints: Hints, spans: Sequence[tuple[int, int, int]], elements: int) -> None:
    """Put places, or `*` where all of a list's `elements` agree, before the pointers of its elements' hints.

    `spans` holds for each element that has hints its index, and where its hints start and end.
    """
    start = spans[0][1]
    counts: dict[tuple[str, Code], int] = {}
    for hint in hints[start:]:
        counts[hint] = counts.get(hint, 0) + 1
    found: Hints = []
    for index, first, last in spans:
        for pointer, code in hints[first:last]:
            count = counts[pointer, code]
            if elements == 1 or count < elements:
                found.append((f"/{index}{pointer}", code))
            elif count == elements:
                found.append((f"/*{pointer}", code))
                counts[pointer, code] = elements + 1  # said once
    hints[start:] = found


def of_paths(
    found: Sequence[tuple[tuple[str | int, ...], Code]],
    lengths: Mapping[tuple[str | int, ...], int],
    here: tuple[str | int, ...] = (),
) -> Hints:
    """The hints of values that stand below `here`, given by their paths in the order of the encoder's walk. `lengths`
    has how many elements the list at a path has.
    """
    out: Hints = []
    spans: list[tuple[int, int, int]] = []
    place = 0
    while place < len(found):
        path, code = found[place]
        if len(path) == len(here):
            out.append(("", code))
            place += 1
            continue
        step_, first_place = path[len(here)], place
        while place < len(found) and found[place][0][len(here)] == step_:
            place += 1
        start = len(out)
        out += of_paths(found[first_place:place], lengths, (*here, step_))
        if isinstance(step_, int):
            spans.append((step_, start, len(out)))
        else:
            prefix(out, start, step_)
    if spans:
        collapse(out, spans, lengths[here])
    return out


def attribute(types: Hints, orders: Hints) -> dict[str, Any]:
    """The reserved attribute's value in DynamoDB JSON."""
    content: dict[str, Any] = {}
    if types:
        content["types"] = {"M": {pointer: {"S": code} for pointer, code in types}}
    if orders:
        content["order"] = {
            "M": {pointer or ITEM: {"L": [{"S": each} for each in names]} for pointer, names in orders}
        }
    return {"M": content}


def orders(value: dict[str, Any]) -> Hints:
    """The names of every map inside a wire value whose order is not the sorted one, by pointers relative to it."""
    found: Hints = []
    [(kind, content)] = value.items()
    if kind == "M":
        names = tuple(content)
        if names != tuple(sorted(names)):
            found.append(("", names))
        for name, each in content.items():
            start = len(found)
            found += orders(each)
            prefix(found, start, name)
    elif kind == "L":
        spans = []
        for index, each in enumerate(content):
            start = len(found)
            found += orders(each)
            if len(found) != start:
                spans.append((index, start, len(found)))
        if spans:
            collapse(found, spans, len(content))
    return found


class Hint:
    """A step's hint and those of the steps below it."""

    __slots__ = ("below", "code")

    def __init__(self) -> None:
        self.code: Code | None = None
        self.below: dict[str, Hint] = {}


def read(value: Any) -> tuple[Hint | None, Hint | None]:
    """The trees of types and orders in a reserved attribute. What an application left there instead is no hint."""
    content = value.get("M") if isinstance(value, dict) else None
    if not isinstance(content, dict):
        return None, None
    return (
        _tree((pointer, each.get("S")) for pointer, each in _entries(content.get("types"))),
        _tree((pointer, _names(each)) for pointer, each in _entries(content.get("order"))),
    )


def _entries(value: Any) -> Iterable[tuple[str, dict[str, Any]]]:
    content = value.get("M") if isinstance(value, dict) else None
    return content.items() if isinstance(content, dict) else ()


def _names(value: dict[str, Any]) -> tuple[str, ...] | None:
    names = [each.get("S") for each in value.get("L", ())]
    return tuple(names) if all(isinstance(name, str) for name in names) else None


def _tree(entries: Iterable[tuple[str, Code | None]]) -> Hint | None:
    root: Hint | None = None
    for pointer, code in entries:
        if code is None or not pointer.startswith("/"):
            continue
        root = root or Hint()
        node = root
        for text in pointer.split("/")[1:] if pointer != ITEM else ():
            name = text.replace("~1", "/").replace("~0", "~")
            node = node.below.setdefault(name, Hint())
        node.code = code
    return root


def under(nodes: Sequence[Hint], *names: str) -> list[Hint]:
    """The nodes below `nodes` for the first of `names`, then for the next: the order in which they count."""
    return [node.below[name] for name in names for node in nodes if name in node.below]
