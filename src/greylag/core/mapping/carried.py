"""What of a record is carried beside the templates: all that `drop` does not name, as `rename` calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from greylag.core.mapping.errors import MappingError
from greylag.core.mapping.types import path_at
from greylag.core.paths import EACH, Each, format_path
from greylag.core.records import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from greylag.core.paths import Path
    from greylag.core.values import Document, Value

# What is left out below a name or EACH: everything (None) or parts of it.
_Tree: TypeAlias = "dict[str | Each, _Tree | None]"


class Carried:
    """`drop` and `rename` of one kind of item, checked.

    `names` maps renamed top-level fields to attributes. Raises MappingError for what cannot work.
    """

    def __init__(self, drop: Iterable[str], rename: Mapping[str, str], *, where: str = "") -> None:
        tree: _Tree = {}
        for text in drop:
            place = f"{where}drop.{text}"
            path = path_at(text, place)
            if isinstance(path[-1], Each):
                raise MappingError(
                    place,
                    "would leave an array without its elements",
                    f"drop `{format_path(path[:-1])}` itself",
                )
            _plant(tree, path)
        self.dropped = frozenset(name for name, below in tree.items() if below is None)
        self._trees = {name: below for name, below in tree.items() if below is not None}
        self.names = _names(rename, self.dropped, where)
        self._sources = {attribute: source for source, attribute in self.names.items()}
        self.prunes = tuple(_prune_step(name, below) for name, below in self._trees.items())

    @property
    def changes(self) -> bool:
        """Whether anything is left out or named otherwise."""
        return bool(self.names or self.dropped or self.prunes)

    def source_of(self, attribute: str) -> str | None:
        """The field that would be carried as `attribute`; None where none can be."""
        if attribute in self._sources:
            return self._sources[attribute]
        return None if attribute in self.names or attribute in self.dropped else attribute

    def is_pruned(self, field: str) -> bool:
        """Whether parts of `field` are dropped."""
        return field in self._trees

    def compile(self) -> Callable[[Document], Document]:
        """A function of a record's fields → what of them is carried. It never changes what it is given.

        Raises Refused where a renamed field takes the name of another.
        """
        names, dropped, prunes = self.names, self.dropped, self.prunes
        if not (names or dropped or prunes):
            return lambda fields: fields

        def carry(fields: Document) -> Document:
            kept = (
                {name: value for name, value in fields.items() if name not in dropped} if dropped else fields
            )
            if names:
                renamed = {names.get(name, name): value for name, value in kept.items()}
                if len(renamed) != len(kept):
                    raise _collision(kept, names)
                kept = renamed
            for name, prune in prunes:
                if name in kept:
                    if kept is fields:
                        kept = dict(fields)
                    kept[name] = prune(kept[name])
            return kept

        # Trees are written in the source's names, and pruned under the attributes'.
        prunes = tuple((names.get(name, name), prune) for name, prune in prunes)
        return carry


def _plant(tree: _Tree, path: Path) -> None:
    for step in path[:-1]:
        below = tree.setdefault(step, {})
        if below is None:
            return  # all of it is dropped already
        tree = below
    tree[path[-1]] = None


def _prune_step(name: str | Each, tree: _Tree) -> tuple[str, Callable[[Value], Value]]:
    assert isinstance(name, str)
    return name, lambda value: _pruned(value, tree)


def _pruned(value: Value, tree: _Tree) -> Value:
    """A copy of `value` without what `tree` drops; what does not have the tree's shape stays as it is."""
    if isinstance(value, dict):
        return {
            name: each if (below := tree.get(name, _KEEP)) is _KEEP else _pruned(each, below or {})
            for name, each in value.items()
            if tree.get(name, _KEEP) is not None
        }
    if isinstance(value, list):
        below = tree.get(EACH)
        return value if below is None else [_pruned(each, below) for each in value]
    return value


_KEEP: _Tree = {}


def _names(rename: Mapping[str, str], dropped: frozenset[str | Each], where: str) -> dict[str, str]:
    names: dict[str, str] = {}
    for text, attribute in rename.items():
        place = f"{where}rename.{text}"
        path = path_at(text, place)
        if len(path) != 1 or not isinstance(path[0], str):
            raise MappingError(
                place,
                "only top-level fields can be renamed",
                "fields inside documents keep their names; for a name with a dot write `a\\.b`",
            )
        if path[0] in dropped:
            raise MappingError(
                place, f"`{path[0]}` is dropped, so there is nothing to rename", "keep one of the two"
            )
        if not isinstance(attribute, str) or not attribute:
            raise MappingError(place, f"{attribute!r} is no name", "write the attribute's name")
        other = next((field for field, taken in names.items() if taken == attribute), None)
        if other is not None:
            raise MappingError(
                place, f"`{other}` is renamed to `{attribute}` already", "give every field a name of its own"
            )
        names[path[0]] = attribute
    return {field: attribute for field, attribute in names.items() if field != attribute}


def _collision(fields: Document, names: Mapping[str, str]) -> Refused:
    for field, attribute in names.items():
        if field in fields and attribute in fields and attribute not in names:
            return Refused(
                f"`{field}` is renamed to `{attribute}`, and the record has a field `{attribute}` of its own",
                f"rename `{field}` to another name, or rename or drop `{attribute}` too",
                "two-writers",
            )
    return Refused("two fields are renamed to one name", "give every field a name of its own", "two-writers")
