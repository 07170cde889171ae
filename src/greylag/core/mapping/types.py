"""`types:` of a flow and of its splits, checked and brought together into one set of rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.core.mapping.errors import MappingError, nearest
from greylag.core.paths import format_path, parse_path
from greylag.core.values import TYPE_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.core.paths import Path

TYPE_RULES = frozenset({*TYPE_NAMES.values(), "uuid", "int32", "date:ms", "date:s"})
"""The names `types:` may give a path."""

# Which key type a rule's values have, as the fields they are carried in.
_KEY_TYPES = {
    **dict.fromkeys(("string", "objectId", "date"), "S"),
    **dict.fromkeys(("int", "int32", "int64", "double", "decimal", "decimal128", "date:ms", "date:s"), "N"),
    **dict.fromkeys(("binary", "uuid"), "B"),
}


def key_type(rule: str | None, *, carried: bool) -> str | None:
    """S, N or B of a lone field whose path has this rule, None where the rule does not tell.

    `carried` says whether the attribute is the field itself: only there does `date:s` make a number of a
    date.
    """
    if rule in {"date:ms", "date:s"} and not carried:
        return "S"
    return _KEY_TYPES.get(rule) if rule is not None else None


def parse_types(types: Mapping[str, str], where: str) -> dict[Path, str]:
    """The rules by path. Raises MappingError for a path or a type that is none."""
    rules: dict[Path, str] = {}
    for text, name in types.items():
        place = f"{where}.{text}"
        path = path_at(text, place)
        if name not in TYPE_RULES:
            raise MappingError(place, f"there is no type `{name}`", nearest(str(name), TYPE_RULES))
        if rules.setdefault(path, name) != name:
            raise MappingError(place, f"states a second type for `{format_path(path)}`", "keep one of them")
    return rules


def path_at(text: str, where: str) -> Path:
    """The path `text`. Raises MappingError."""
    try:
        return parse_path(text)
    except ValueError as error:
        raise MappingError(
            where, str(error), "paths are written `address.city` or `items[].price`; `\\.` is a dot in a name"
        ) from None


def renamed(path: Path, names: Mapping[str, str]) -> Path:
    """`path` as the attributes have it, its first step renamed."""
    first = path[0]
    assert isinstance(first, str)
    return (names.get(first, first), *path[1:])
