"""Which field can be a table's key, and how fields become attributes that a key or an index takes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from greylag.core.paths import Each, parse_path
from greylag.operations.init import words

if TYPE_CHECKING:
    from collections.abc import Collection

    from greylag.core.profile import FieldProfile
    from greylag.operations.init.sample import Sample

KEY_TYPES: Final = {
    **dict.fromkeys(("string", "objectId", "date"), "S"),
    **dict.fromkeys(("int", "int64", "double", "decimal", "decimal128"), "N"),
    "binary": "B",
}
"""What a lone `{field}` becomes in a key, by the type of its values."""

LONGEST_BYTES: Final = 1024
"""A field with longer values gets no index: a sort key takes no more.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

_TEXT: Final = frozenset(
    {"string", "objectId", "date", "int", "int64", "double", "decimal", "decimal128", "bool"}
)
_IDENTIFIERS: Final = ("_id", "id", "uuid", "guid", "key", "code", "slug", "sku", "handle")
_NAMING: Final = frozenset({"string", "int", "int64", "objectId"})


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute, the template that fills it, and its type where the sample tells it (S, N or B; empty: unknown).

    `note` says what is odd about it, empty where nothing is.
    """

    name: str
    template: str
    type: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """A table's partition key and why it was chosen."""

    attribute: Attribute
    why: str

    @property
    def field(self) -> str:
        """The field it is, as templates write it; empty for `@row` and `@digest`."""
        inside = self.attribute.template[1:-1]
        return "" if inside.startswith("@") else inside.partition(":")[0]


def braces(path: str, kind: str = "") -> str:
    """The template of a lone field. `path` is as `types:` writes it."""
    inside = re.sub(r"([:|{}])", r"\\\1", path)
    inside = "\\" + inside if inside.startswith("@") else inside
    return "{" + inside + (f":{kind}" if kind else "") + "}"


def choose(sample: Sample, short: str, *, file: bool) -> Key:
    """The key of a dataset that people call `short`; `file`: it is one of rows, not of documents with an `_id`."""
    if not file:
        return _document_key(sample)
    profile = sample.profile
    unique = [
        each.path
        for each in profile.keys
        if not each.duplicates
        and each.type in _NAMING
        and not _empty(sample, each.path)
        and "." not in each.path
    ]
    named = _named(unique, short)
    if named is not None:
        found = sample.field(named)
        assert found is not None
        attribute = as_attribute(found, sample, ())
        assert attribute is not None
        return Key(attribute, f"`{named}` is in {_all(sample)}, and no two have the same.")
    nearly = _named([each.path for each in profile.fields if each.records > each.missing], short)
    why = _defect(sample, nearly) if nearly else "no field looks like an id that every record has."
    attribute = Attribute(words.unused("row", {each.path for each in profile.fields}), "{@row}", "N")
    return Key(
        attribute,
        f"{why} The row in the file is unique, so nothing is lost; but an application cannot look records up by it."
        + (f' Better: mend `{nearly}` and write {{{nearly}: "{braces(nearly)}"}}.' if nearly else ""),
    )


def as_attribute(found: FieldProfile, sample: Sample, taken: Collection[str]) -> Attribute | None:
    """The attribute by which an index finds records by a field: the field itself where each of its values can stand in
    an index, else one of its own beside it. None where no value can.
    """
    kinds = {KEY_TYPES[each] for each in found.types if each in KEY_TYPES}
    if not kinds or found.longest > LONGEST_BYTES:
        return None
    try:
        path = parse_path(found.path)
    except ValueError:  # a field whose name is empty has no path
        return None
    if any(isinstance(step, Each) for step in path) or found.path.endswith(".*"):
        return None
    others = [each for each in found.types if each not in KEY_TYPES]
    clean = len(kinds) == 1 and not others and not found.empty
    if clean and len(path) == 1:
        return Attribute(str(path[0]), braces(found.path), next(iter(kinds)))
    names = {each.path for each in sample.profile.fields} | set(taken)
    name = words.unused(words.camel(found.path) + ("" if clean else "Key"), names)
    if len(kinds) > 1:
        told = ", ".join(sorted(each for each in found.types if each in KEY_TYPES))
        return Attribute(
            name, braces(found.path, "S"), "S", f"`{found.path}` is of more than one type ({told})"
        )
    if clean:
        return Attribute(name, braces(found.path), next(iter(kinds)))
    odd = [*others, *(["empty text"] if found.empty else [])]
    note = f"`{found.path}` is {' or '.join(sorted(odd))} in some records: no index takes those"
    return Attribute(name, braces(found.path), next(iter(kinds)), note)


def _document_key(sample: Sample) -> Key:
    """Of documents, which all have an `_id` that their source keeps unique."""
    found = sample.field("_id")
    types = set(found.types) if found else set()
    kinds = {KEY_TYPES[each] for each in types if each in KEY_TYPES}
    if not types or (len(kinds) == 1 and types <= set(KEY_TYPES) and not _empty(sample, "_id")):
        told = f" ({next(iter(types))})" if len(types) == 1 else ""
        return Key(
            Attribute("_id", "{_id}", next(iter(kinds), "")), f"`_id`{told} is what MongoDB keeps unique."
        )
    names = {each.path for each in sample.profile.fields}
    told = ", ".join(sorted(types))
    if types <= _TEXT and not _empty(sample, "_id"):
        attribute = Attribute(words.unused("id", names), "{_id:S}", "S")
        return Key(
            attribute,
            f"`_id` is of more than one type ({told}): as text each has a place. Check that no two read alike.",
        )
    attribute = Attribute(words.unused("digest", names), "{@digest}", "S")
    return Key(
        attribute,
        f"`_id` is {told}, which no key can be. The digest of the record is unique. CHECK: parts of `_id` are better.",
    )


def _named(paths: Collection[str], short: str) -> str | None:
    """The one of `paths` whose name says that it names the record."""
    own = words.singular(short)
    ranks: dict[str, int] = {}
    for path in paths:
        folded = re.sub(r"[^a-z0-9]", "", path.casefold())
        if "." in path:
            continue
        if path in _IDENTIFIERS[:2]:
            ranks[path] = _IDENTIFIERS.index(path)
        elif folded in {f"{own}id", f"{own}uuid", f"{own}key", f"{own}code", f"{own}no", f"{own}number"}:
            ranks[path] = 10
        elif folded in _IDENTIFIERS:
            ranks[path] = 20 + _IDENTIFIERS.index(folded)
    return min(ranks, key=lambda each: (ranks[each], each), default=None)


def _empty(sample: Sample, path: str) -> bool:
    found = sample.field(path)
    return found is not None and found.empty > 0


def _all(sample: Sample) -> str:
    profile = sample.profile
    if profile.whole:
        return f"every one of {profile.records_read:,} records"
    of = f" of about {profile.records_total:,}" if profile.records_total else ""
    return f"each of the {profile.records_read:,} records read{of} (`run` looks at all and sets aside what is not so)"


def _defect(sample: Sample, path: str) -> str:
    found = sample.field(path)
    assert found is not None
    if found.missing:
        return f"`{path}` is missing in {found.missing:,} of {sample.profile.records_read:,} records read."
    if len(found.types) > 1:
        return f"`{path}` is of more than one type ({', '.join(sorted(found.types))})."
    if found.empty:
        return f"`{path}` is empty text in some records."
    if not set(found.types) <= _NAMING:
        return f"`{path}` is {', '.join(sorted(found.types))}, which names nothing exactly."
    return f"`{path}` is not unique in the {sample.profile.records_read:,} records read."
