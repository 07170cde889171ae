"""Which secondary indexes a table gets: those its source has, and those that its fields' names suggest."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from greylag.operations.init import words
from greylag.operations.init.keys import as_attribute

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from greylag.core.inventory import Index
    from greylag.core.profile import FieldProfile
    from greylag.operations.init.keys import Attribute, Key
    from greylag.operations.init.sample import Sample

MOST: Final = 20
"""Global secondary indexes a table may have unless AWS raises the quota.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
"""

_LOOKED_UP: Final = frozenset({"email", "username", "login", "slug", "sku", "handle", "phone", "barcode"})
_MOMENTS: Final = ("createdAt", "created_at", "created", "createdOn", "timestamp", "date")
_REFERENCE: Final = re.compile(r"(.+?)(?:[_-]?(?:id|ref|key|code)|Id|ID|Ref|Key|Code)$")


@dataclass(frozen=True, slots=True)
class TableIndex:
    """One index of the table: its partition key, perhaps a sort key, and why it is there."""

    name: str
    attributes: tuple[Attribute, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Expiry:
    """Items that expire: `after` seconds from the date in `field`; 0: at that date."""

    field: str
    attribute: str
    after: int


@dataclass
class Indexes:
    """What is proposed for one table. `left` says, in sentences, what was not."""

    found: list[TableIndex] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    expiry: Expiry | None = None


def choose(sample: Sample, key: Key, *, others: Sequence[str], short: str) -> Indexes:
    """The indexes of a dataset; `others` are what people call all datasets of the application."""
    chosen = _Choice(sample, key)
    for index in sample.indexes:
        chosen.of_source(index)
    for found in sample.profile.fields:
        if "." not in found.path and "[" not in found.path:
            chosen.of_field(found, others, short)
    return chosen.indexes


class _Choice:
    def __init__(self, sample: Sample, key: Key) -> None:
        self._sample = sample
        self._key = key
        self._attributes: dict[str, Attribute | None] = {}
        self.indexes = Indexes()

    def of_source(self, index: Index) -> None:
        paths = [path for path, _ in index.keys]
        kinds = {kind for _, kind in index.keys}
        if paths == ["_id"]:
            return
        told = f"index {index.name} ({', '.join(paths)})"
        if not kinds <= {"ascending", "descending"}:
            self._leave(f"{told} is {', '.join(sorted(kinds))}, for which DynamoDB has no index")
            return
        if index.ttl_seconds is not None and self._expire(index, paths[0]):
            return
        attributes = [self._attribute(path) for path in paths[:2]]
        if attributes[0] is None:
            self._leave(f"{told}: no value of `{paths[0]}` in the records read can stand in an index")
            return
        pair = self._pair(attributes)
        notes = [f"MongoDB has it as {index.name}"]
        if len(paths) > 2:
            notes.append(f"`{'`, `'.join(paths[2:])}` of it are left out: an index here has two attributes")
        if len(pair) < min(2, len(paths)):
            notes.append(f"`{paths[1]}` cannot be its sort key")
        if index.unique:
            notes.append("there it is unique, here none is: the application must see to it")
        if index.partial:
            notes.append("there it covers only some documents; here every item that has the attribute")
        self._add(paths[: len(pair)], pair, notes)

    def of_field(self, found: FieldProfile, others: Sequence[str], short: str) -> None:
        if found.path == self._key.field:
            return
        folded = re.sub(r"[^a-z]", "", found.path.casefold())
        referred = self._referred(found, others, short)
        if referred is None and not (folded in _LOOKED_UP and self._mostly_different(found)):
            return
        attribute = self._attribute(found.path)
        if attribute is None or any(each.attributes[0] == attribute for each in self.indexes.found):
            return
        if referred is None:
            self._add([found.path], (attribute,), [f"finds a record by `{found.path}`"])
            return
        moment = next((each for each in self._moments() if each.path != found.path), None)
        sort = self._attribute(moment.path) if moment else None
        pair = self._pair([attribute, sort] if sort and not sort.note else [attribute])
        paths = [found.path, *([moment.path] if moment and len(pair) > 1 else [])]
        by = f", in the order of `{moment.path}`" if moment and len(pair) > 1 else ""
        self._add(paths, pair, [f"`{found.path}` seems to name a record of {referred}: finds all of one{by}"])

    def _attribute(self, path: str) -> Attribute | None:
        if path not in self._attributes:
            found = self._sample.field(path)
            taken = {each.name for each in self._attributes.values() if each}
            taken |= {self._key.attribute.name}
            self._attributes[path] = None if found is None else as_attribute(found, self._sample, taken)
            if path == self._key.field:
                self._attributes[path] = self._key.attribute
        return self._attributes[path]

    def _pair(self, attributes: Sequence[Attribute | None]) -> tuple[Attribute, ...]:
        """The attributes up to the first that cannot be one."""
        pair: list[Attribute] = []
        for each in attributes:
            if each is None or each in pair:
                break
            pair.append(each)
        return tuple(pair)

    def _add(self, paths: Sequence[str], attributes: tuple[Attribute, ...], notes: Sequence[str]) -> None:
        if any(each.attributes == attributes for each in self.indexes.found):
            return
        if len(self.indexes.found) >= MOST:
            self._leave(f"index on {', '.join(paths)}: a table has at most {MOST}")
            return
        odd = [each.note for each in attributes if each.note]
        base = "".join(words.pascal(path) for path in paths)[:200] + "Index"
        name = words.unused(base, {each.name for each in self.indexes.found})
        self.indexes.found.append(TableIndex(name, attributes, "; ".join([*notes, *odd])))

    def _leave(self, sentence: str) -> None:
        self.indexes.left.append(sentence)

    def _expire(self, index: Index, path: str) -> bool:
        """Take over a TTL index; whether it was taken over and is nothing else."""
        found = self._sample.field(path)
        seconds = index.ttl_seconds or 0
        if found is None or set(found.types) - {"date", "null"} or "." in path or seconds != int(seconds):
            self._leave(f"index {index.name} lets documents expire by `{path}`, which is not always a date")
            return False
        if self.indexes.expiry is None:
            names = {each.path for each in self._sample.profile.fields}
            attribute = words.unused("expiresAtSeconds", names) if seconds else path
            self.indexes.expiry = Expiry(path, attribute, int(seconds))
        return True

    def _referred(self, found: FieldProfile, others: Sequence[str], short: str) -> str | None:
        """The dataset whose records the field seems to name: called like it, perhaps with `Id` behind."""
        match = _REFERENCE.fullmatch(found.path)
        stems = {words.singular(found.path), *([words.singular(match[1])] if match else [])}
        named = [each for each in others if words.singular(each) in stems]
        if not named or not set(found.types) & {"string", "int", "int64", "objectId"}:
            return None
        if words.singular(named[0]) == words.singular(short):
            return None  # its own id
        return named[0]

    def _mostly_different(self, found: FieldProfile) -> bool:
        return found.distinct is not None and found.distinct * 2 >= found.records and "string" in found.types

    def _moments(self) -> Iterator[FieldProfile]:
        for name in _MOMENTS:
            found = self._sample.field(name)
            if (
                found is not None
                and not found.missing
                and set(found.types) <= {"string", "date", "int", "int64"}
            ):
                yield found
