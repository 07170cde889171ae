"""The fields of many records as a tree of columns, in bounded memory.

The rule of what is followed: a document with more than `MAP_NAMES` different field names (at the top `TOP_NAMES`) is
taken for a map, all its fields for one, `path.*`. Of what is left, where there are more than `FIELDS` fields, the most
deeply nested levels are left out until there are not. What is left depends on the records, not on their order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from greylag.core.paths import EACH, format_path
from greylag.core.profile import FieldProfile
from greylag.engine.profiling.column import Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from greylag.core.paths import Path
    from greylag.core.values import Document
    from greylag.engine.profiling.column import Found
    from greylag.engine.profiling.target import Holds

TOP_NAMES: Final = 500
MAP_NAMES: Final = 100
FIELDS: Final = 1000
DEEPEST: Final = 32
"""Levels of fields that are followed at all: what lies below is of no target's schema."""


class Place:
    """One field: its column, and what lies below its documents and in its arrays."""

    __slots__ = ("below", "column", "elements", "path", "present")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.present = 0
        self.column = Column(format_path(path), followed=EACH not in path)
        self.below: Fields | None = None
        self.elements: Place | None = None

    def add(self, values: list[Any], holds: Holds | None, found: Found) -> None:
        """Count `values`; `found` as in `Column.add`."""
        self.present += len(values)
        kinds = set(map(type, values))
        groups = {kinds.pop(): values} if len(kinds) == 1 else _by_type(values)
        for kind, group in groups.items():
            if kind is dict:
                self.column.nested("document", len(group))
                if len(self.path) < DEEPEST:
                    self.below = self.below or Fields(self.path)
                    self.below.add(group, holds, found)
            elif kind is list:
                self.column.nested("array", len(group))
                elements = list(chain.from_iterable(group))
                if elements and len(self.path) < DEEPEST:
                    self.elements = self.elements or Place((*self.path, EACH))
                    self.elements.add(elements, holds, found)
            else:
                self.column.add(kind, group, holds, found)

    def merge(self, other: Place) -> None:
        """Take over what `other`, of this path, counted."""
        self.present += other.present
        self.column.merge(other.column)
        if other.below is not None:
            self.below = self.below or Fields(self.path)
            self.below.merge(other.below)
        if other.elements is not None:
            self.elements = self.elements or Place((*self.path, EACH))
            self.elements.merge(other.elements)

    def moved(self, path: Path) -> Place:
        """The same counts under another path, no longer a key's."""
        other = Place(path)
        other.present = self.present
        other.column.merge(self.column)
        other.column.may_be_key = False
        if self.below is not None:
            other.below = Fields(path)
            other.below.documents = self.below.documents
            for step, place in self.below.places.items():
                other.below.places[step] = place.moved((*path, step))
            other.below.is_map = self.below.is_map
        if self.elements is not None:
            other.elements = self.elements.moved((*path, EACH))
        return other


class Fields:
    """The fields of the documents at one path."""

    __slots__ = ("documents", "is_map", "path", "places")

    def __init__(self, path: Path = ()) -> None:
        self.path = path
        self.documents = 0
        self.places: dict[str, Place] = {}
        self.is_map = False

    def add(self, documents: Sequence[Document], holds: Holds | None, found: Found) -> None:
        """Count the fields of `documents`."""
        self.documents += len(documents)
        columns: defaultdict[str, list[Any]] = defaultdict(list)
        for document in documents:
            for name, value in document.items():
                columns[name].append(value)
        self._make_map_if_many(columns)
        if self.is_map and columns:
            self._place("*").add(list(chain.from_iterable(columns.values())), holds, found)
            return
        for name, values in columns.items():
            self._place(name).add(values, holds, found)

    def merge(self, other: Fields) -> None:
        """Take over what `other`, of this path, counted."""
        self.documents += other.documents
        if other.is_map:
            self._make_map()
        else:
            self._make_map_if_many(other.places)
        for step, place in other.places.items():
            if self.is_map and not other.is_map:
                self._place("*").merge(place.moved((*self.path, "*")))
            else:
                self._place(step).merge(place)

    def every(self) -> Iterator[tuple[Place, int]]:
        """Every field here and below, with how many parents it has; by path."""
        for name in sorted(self.places):
            place: Place | None = self.places[name]
            assert place is not None
            yield place, place.present if self.is_map else self.documents
            while place is not None:
                if place.below is not None:
                    yield from place.below.every()
                place = place.elements
                if place is not None:
                    yield place, place.present

    def cut(self, levels: int) -> None:
        """Leave out fields of paths longer than `levels`."""
        for place in [each for each, _ in self.every()]:
            if len(place.path) >= levels:
                place.below = place.elements = None

    def _place(self, step: str) -> Place:
        if step not in self.places:
            self.places[step] = Place((*self.path, step))
        return self.places[step]

    def _make_map_if_many(self, names: Any) -> None:
        limit = MAP_NAMES if self.path else TOP_NAMES
        if not self.is_map and len(self.places) + len(names) > limit and len({*self.places, *names}) > limit:
            self._make_map()

    def _make_map(self) -> None:
        if not self.is_map:
            self.is_map = True
            places, self.places = self.places, {}
            for place in places.values():
                self._place("*").merge(place.moved((*self.path, "*")))
        if "*" in self.places:
            self.places["*"].column.may_be_key = False


def bounded(fields: Fields) -> bool:
    """Cut `fields` to `FIELDS`; whether any were left out."""
    by_level = Counter(len(place.path) for place, _ in fields.every())
    if by_level.total() <= FIELDS:
        return False
    kept = 0
    for level in sorted(by_level):
        kept += by_level[level]
        if kept > FIELDS:
            fields.cut(max(1, level - 1))
            break
    return True


def profiles(fields: Fields) -> tuple[FieldProfile, ...]:
    """As reports show them, by path."""
    return tuple(
        FieldProfile(
            path=format_path(place.path),
            records=place.present,
            missing=parents - place.present,
            types=dict(sorted(place.column.types.items())),
            distinct=_distinct(place),
            examples=place.column.examples,
            empty=place.column.empty,
            longest=place.column.longest,
            unfit=place.column.unfit,
            unfit_example=place.column.unfit_example,
        )
        for place, parents in fields.every()
    )


def _distinct(place: Place) -> int | None:
    column = place.column
    nested = column.types["document"] + column.types["array"]
    if column.distinct is None or nested:
        return None
    return min(column.distinct.count, column.types.total() - column.types["null"])


def _by_type(values: list[Any]) -> dict[type, list[Any]]:
    groups: defaultdict[type, list[Any]] = defaultdict(list)
    for value in values:
        groups[type(value)].append(value)
    return groups
