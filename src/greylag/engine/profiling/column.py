"""What the scalars of one field are: counts by type, different values, examples, whether they could be a key."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from greylag.core import extended_json
from greylag.core.canonical import canonical
from greylag.core.values import TYPE_NAMES, Binary, Decimal128, Int64, ObjectId
from greylag.engine.profiling.distinct import HASH_BYTES, Distinct
from greylag.engine.spill import DIGEST_BYTES

if TYPE_CHECKING:
    from decimal import Decimal

    from greylag.engine.profiling.target import Holds

EXAMPLE_CHARACTERS: Final = 60

LONGEST_KEY_BYTES: Final = 2048
"""A field with a longer value is no candidate key.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

REPEATED_SHARE: Final = 0.1
REPEATED_OF: Final = 100
"""Nor is one of which, in a page of at least so many records, more than this share repeat values of that page."""

KEY_TYPES: Final = frozenset({str, int, Int64, ObjectId, bytes, Binary, datetime})
"""What a candidate key may be: equal exactly when its text is, and no measurement."""

Found = Callable[[bytes, bytes], None]
"""Is told (`mark` of the path, digest) for each value of a field that may be a key."""

_LENGTHY: Final = frozenset({str, bytes, Binary})
_NUMBERS: Final = frozenset(
    each for each, name in TYPE_NAMES.items() if name in {"int", "int64", "double", "decimal", "decimal128"}
)
_SURE: Final = 10**18
"""Integers up to this are numbers in every target."""


class Column:
    """Counts of one field's values. Only a column that is `followed` counts different ones, and may be a key."""

    __slots__ = (
        "_examples",
        "_mark",
        "distinct",
        "empty",
        "longest",
        "may_be_key",
        "types",
        "unfit",
        "unfit_example",
    )

    def __init__(self, path: str, *, followed: bool) -> None:
        self.types: Counter[str] = Counter()
        self.distinct = Distinct() if followed else None
        self.may_be_key = followed
        self.empty = 0
        self.longest = 0
        self.unfit = 0
        self.unfit_example = ""
        self._examples: dict[str, tuple[bytes, str]] = {}
        self._mark = mark(path)

    @property
    def examples(self) -> dict[str, str]:
        """A short text of one value of each scalar type."""
        return {name: text for name, (_, text) in sorted(self._examples.items())}

    def nested(self, name: str, count: int) -> None:
        """Count values that are documents or arrays."""
        self.types[name] += count
        self.may_be_key = False

    def add(self, kind: type, values: Sequence[Any], holds: Holds | None, found: Found) -> None:
        """Count scalars, all of type `kind`."""
        name = TYPE_NAMES[kind]
        self.types[name] += len(values)
        if kind is type(None):
            self.may_be_key = False
            return
        if name not in self._examples:
            self._examples[name] = _example(values[0], kind)
        if holds is not None and kind in _NUMBERS:
            self._count_unfit(kind, values, holds)
        different = _different(values)
        if self.distinct is None and kind not in _LENGTHY:
            return
        contents = _contents(kind, different)
        if kind in _LENGTHY:
            self.longest = max(self.longest, *map(len, contents))
            self.empty += sum(not each for each in values) if b"" in contents else 0
        if self.distinct is None:
            return
        if self._may_still_be_key(kind, len(values), len(different)) and len(different) < len(values):
            contents = _contents(kind, values)
        tag = name.encode()
        digests = [hashlib.blake2b(each, digest_size=DIGEST_BYTES, salt=tag).digest() for each in contents]
        if self.may_be_key:
            for each in digests:
                found(self._mark, each)
        self.distinct.add([each[:HASH_BYTES] for each in digests])

    def merge(self, other: Column) -> None:
        """Take over what `other` counted of the same field."""
        self.types.update(other.types)
        if self.distinct is not None and other.distinct is not None:
            self.distinct.merge(other.distinct)
        else:
            self.distinct = None
        self.may_be_key = self.may_be_key and other.may_be_key
        self.empty += other.empty
        self.longest = max(self.longest, other.longest)
        self.unfit += other.unfit
        self.unfit_example = min(filter(None, (self.unfit_example, other.unfit_example)), default="")
        for name, example in other._examples.items():
            self._examples[name] = min(example, self._examples.get(name, example))

    def _may_still_be_key(self, kind: type, count: int, different: int) -> bool:
        if self.may_be_key:
            repeated = count >= REPEATED_OF and count - different > REPEATED_SHARE * count
            self.may_be_key = (
                kind in KEY_TYPES
                and len(self.types) == 1
                and not repeated
                and self.longest <= LONGEST_KEY_BYTES
            )
        return self.may_be_key

    def _count_unfit(self, kind: type, values: Sequence[Any], holds: Holds) -> None:
        if kind in (int, Int64) and max(values) <= _SURE and min(values) >= -_SURE:
            return
        for each in values:
            problem = holds.number_problem(each)
            if problem:
                self.unfit += 1
                self.unfit_example = min(problem, self.unfit_example or problem)


def mark(path: str) -> bytes:
    """Sixteen bytes that stand for a field."""
    return hashlib.blake2b(path.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _different(values: Sequence[Any]) -> Sequence[Any]:
    """Each value once; all of them where they cannot be told apart (code with a scope, signalling NaN)."""
    try:
        return list(set(values))
    except TypeError:
        return values


def _contents(kind: type, values: Sequence[Any]) -> list[bytes]:
    """Equal bytes for equal values of one type."""
    if kind is str:
        return [each.encode("utf-8", "surrogatepass") for each in values]
    if kind is bytes:
        return list(values)
    if kind is Binary:
        return [bytes(each) for each in values]
    if kind is int or kind is Int64:
        return [b"%d" % each for each in values]
    if kind is ObjectId:
        return [each.binary for each in values]
    return [canonical(each) for each in values]


def _example(value: Any, kind: type) -> tuple[bytes, str]:
    """A value's text, behind a hash that makes the choice among processes the same whoever comes first."""
    if kind is str:
        text = value
    elif kind in _NUMBERS or kind is ObjectId:
        text = _number(value)
    elif kind is datetime:
        text = value.isoformat()
    else:
        text = extended_json.dumps(value)
    text = text.encode("utf-8", "backslashreplace").decode()
    short = text if len(text) <= EXAMPLE_CHARACTERS else text[: EXAMPLE_CHARACTERS - 1] + "…"
    return hashlib.blake2b(text.encode(), digest_size=8).digest(), short


def _number(value: int | Decimal | ObjectId) -> str:
    if isinstance(value, Decimal128):
        return value.__str__()
    return str(int(value)) if isinstance(value, int) else str(value)
