"""Sample records that look like those of a profile: its fields, types, how often each is there, how large it is.

The same profile, seed and number give the same record, whatever was made before. No value of the data is in them but
those of fields with few values, of which a report shows one: of an example only its shape is taken.
"""

from __future__ import annotations

import random
import string
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from greylag.core.paths import EACH, parse_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.core.paths import Each
    from greylag.core.profile import DatasetProfile, FieldProfile

_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)
_SPAN_SECONDS: Final = 6 * 365 * 86_400
_LONGEST: Final = 2_000
_MOST_ELEMENTS: Final = 50


@dataclass
class _Node:
    """A place in a record, with what the profile says of it and the places below."""

    found: FieldProfile | None = None
    below: dict[str | Each, _Node] = field(default_factory=dict)


class Seeds:
    """Makes the records of one dataset."""

    def __init__(self, profile: DatasetProfile, *, seed: int) -> None:
        self._profile = profile
        self._seed = f"{seed}/{profile.dataset}"
        self._unique = {each.path for each in profile.keys if not each.duplicates}
        self._root = _Node()
        for each in profile.fields:
            node = self._root
            for step in _steps(each.path):
                node = node.below.setdefault(step, _Node())
            node.found = each

    def record(self, number: int) -> dict[str, Any]:
        """Record `number`, from 0."""
        chance = random.Random(f"{self._seed}/{number}")  # noqa: S311 - sample data
        return self._document(self._root, chance, number)

    def _document(self, node: _Node, chance: random.Random, number: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, below in node.below.items():
            if not isinstance(name, str):
                continue
            found = below.found
            if found is not None and chance.random() * (found.records + found.missing) >= found.records:
                continue
            if name == "*":  # a map of too many names to list them
                for each in range(chance.randint(1, 3)):
                    made[f"key-{chance.randrange(1000)}-{each}"] = self._value(below, chance, number)
            else:
                made[name] = self._value(below, chance, number)
        return made

    def _value(self, node: _Node, chance: random.Random, number: int) -> Any:
        found = node.found
        if found is None or not found.types:
            return self._document(node, chance, number)
        kind = chance.choices(list(found.types), list(found.types.values()))[0]
        if kind == "document":
            return self._document(node, chance, number)
        if kind == "array":
            return self._array(node, found.types["array"], chance, number)
        unique = found.path in self._unique
        if kind == "string":
            return _text(found, chance, number if unique else None)
        make = _MAKERS.get(kind)
        return None if make is None else make(chance, found, number if unique else None)

    def _array(self, node: _Node, arrays: int, chance: random.Random, number: int) -> list[Any]:
        """As many elements as the arrays of the profile have on average, more or less."""
        below = node.below.get(EACH)
        if below is None or below.found is None:
            return []
        mean = sum(below.found.types.values()) / max(1, arrays)
        count = min(_MOST_ELEMENTS, round(chance.uniform(0, 2 * mean)))
        return [self._value(below, chance, number) for _ in range(count)]


def _steps(path: str) -> tuple[str | Each, ...]:
    """A field may be named by no character; what else cannot be read as a path is a field below such a one."""
    try:
        return parse_path(path) if path else ("",)
    except ValueError:
        return (path,)


def _text(found: FieldProfile, chance: random.Random, number: int | None) -> str:
    """In the shape of an example: letters and digits become others, all else stays. Unique where `number` is given."""
    total = found.types.get("string", 0)
    if number is None and total and chance.random() * total < found.empty:
        return ""
    if number is None and found.distinct is not None and found.distinct * 20 <= total:
        chance = random.Random(f"{found.path}/{chance.randrange(max(1, found.distinct))}")  # noqa: S311
    example = found.examples.get("string", "").strip('"')
    shape = example.removesuffix("…") or "sample"
    if example.endswith("…") and found.longest > len(shape):  # a profile cuts off a long example
        length = min(_LONGEST, chance.randint(len(shape) + 1, found.longest))
        shape = " ".join([shape] * (length // len(shape) + 1))[:length]
    elif found.longest > len(shape) * 4 and number is None:
        words = min(_LONGEST, chance.randint(1, found.longest)) // max(1, len(shape))
        shape = " ".join([shape] * max(1, words))
    made = "".join(_like(each, chance) for each in shape)
    return made if number is None else f"{made}-{number}"


def _like(character: str, chance: random.Random) -> str:
    if character.isdigit():
        return chance.choice(string.digits)
    if character.isalpha():
        return chance.choice(string.ascii_uppercase if character.isupper() else string.ascii_lowercase)
    return character


def _whole(chance: random.Random, found: FieldProfile, number: int | None) -> int:
    if number is not None:
        return number + 1
    example = next((each for each in found.examples.values() if each.lstrip("-").isdigit()), "1000")
    return chance.randrange(10 ** min(9, len(example.lstrip("-"))))


def _fraction(chance: random.Random, found: FieldProfile, number: int | None) -> float:
    return round(_whole(chance, found, number) + chance.random(), 2)


def _date(chance: random.Random) -> datetime:
    return _EPOCH + timedelta(seconds=chance.randrange(_SPAN_SECONDS))


_MAKERS: Final[dict[str, Callable[[random.Random, FieldProfile, int | None], Any]]] = {
    "null": lambda chance, found, number: None,  # noqa: ARG005
    "bool": lambda chance, found, number: chance.random() < 0.5,  # noqa: ARG005
    "int": _whole,
    "int64": lambda chance, found, number: Int64(_whole(chance, found, number)),
    "double": _fraction,
    "decimal": _fraction,
    "decimal128": lambda chance, found, number: Decimal128(f"{_fraction(chance, found, number):.2f}"),
    "binary": lambda chance, found, number: Binary(chance.randbytes(min(64, max(1, found.longest)))),  # noqa: ARG005
    "objectId": lambda chance, found, number: ObjectId(  # noqa: ARG005
        chance.randbytes(4) + (chance.randbytes(8) if number is None else number.to_bytes(8))
    ),
    "date": lambda chance, found, number: _date(chance),  # noqa: ARG005
    "regex": lambda chance, found, number: Regex("^sample", "i"),  # noqa: ARG005
    "timestamp": lambda chance, found, number: Timestamp(1_600_000_000 + chance.randrange(10**8), 1),  # noqa: ARG005
    "code": lambda chance, found, number: Code("return 1"),  # noqa: ARG005
    "minKey": lambda chance, found, number: MinKey(),  # noqa: ARG005
    "maxKey": lambda chance, found, number: MaxKey(),  # noqa: ARG005
}
