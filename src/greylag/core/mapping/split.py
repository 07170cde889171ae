"""`split:` takes an embedded array out of a record: each element becomes a child item of its own.

An empty array stays in the parent, as does whatever else stands at the path: only what became children is
taken out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.core.mapping.errors import MappingError
from greylag.core.mapping.filling import Element
from greylag.core.mapping.types import path_at
from greylag.core.paths import EACH, MISSING, format_path, get

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greylag.core.flows import SplitSpec
    from greylag.core.mapping.filling import Scope
    from greylag.core.paths import Path
    from greylag.core.records import Item, Record
    from greylag.core.values import Document, Value


class Split:
    """One array to take out; `make` builds a child from (its fields, what to carry, the element)."""

    def __init__(self, path: Path, make: Callable[[Document, Document, Scope], Item]) -> None:
        self._path = path
        self._make = make

    def take(self, record: Record, remaining: Document) -> tuple[Document, list[Item]]:
        """What remains of the record's fields, and the children. Raises Refused if one cannot be made."""
        elements = get(record.fields, self._path)
        if not isinstance(elements, list) or not elements:
            return remaining, []
        children = [self.child(record, index, element) for index, element in enumerate(elements)]
        return _without(remaining, self._path), children

    def remaining(self, record: Record, remaining: Document) -> Document:
        """As `take`, without making the children."""
        elements = get(record.fields, self._path)
        return _without(remaining, self._path) if isinstance(elements, list) and elements else remaining

    def child(self, record: Record, index: int, element: Value) -> Item:
        """The child of one element at the place `index`. Raises Refused."""
        if isinstance(element, dict):
            return self._make(element, element, Element(record.id, record.fields, index, MISSING))
        return self._make({}, {"value": element}, Element(record.id, record.fields, index, element))


def split_paths(splits: Sequence[SplitSpec]) -> list[Path]:
    """The paths of the arrays. Raises MappingError where one is no array of its own."""
    paths: list[Path] = []
    for spec in splits:
        where = f"split.{spec.path}"
        path = path_at(spec.path, where)
        if EACH in path:
            raise MappingError(
                where,
                "an array within an array's elements cannot be split",
                "name an array of the record itself",
            )
        for other in paths:
            if path[: len(other)] == other or other[: len(path)] == path:
                raise MappingError(
                    where,
                    f"`{format_path(other)}` is split already",
                    "name arrays that do not contain each other",
                )
        paths.append(path)
    return paths


def check_inside(paths: Sequence[Path], inside: Path, where: str, section: str) -> None:
    """Raises MappingError where `inside` names something within a split array."""
    for path in paths:
        if len(inside) > len(path) and inside[: len(path)] == path and inside[len(path)] is EACH:
            text = format_path(path)
            raise MappingError(
                where,
                f"the elements of `{text}` are items of their own",
                f"write it under `{section}` of `split: {text}`",
            )


def _without(document: Document, path: Path) -> Document:
    name, *rest = path
    assert isinstance(name, str)
    copy = dict(document)
    if rest:
        inner = copy[name]
        assert isinstance(inner, dict)
        copy[name] = _without(inner, tuple(rest))
    else:
        del copy[name]
    return copy
