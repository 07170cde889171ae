r"""Templates: text with placeholders, `ORDER#{_id}`, and what each placeholder names.

=====================  =====================================================================================
`{field}`              a field of the source's record; `{address.city}` one inside it (core/paths.py)
`{field:S}`            the field as a string, `:N` as a number, `:B` as binary; N of text only where it is
                       the number exactly as Greylag would write it (`12`, `-1.5`; not `012`, `1.50`, `1e3`)
`{field|upper}`        the field's text through filters (filters.py)
`{@row}`               the record's place in its file, from 0
`{@digest}`            SHA-256 of the canonical record, 64 hexadecimal digits
`{@dataset}`           the dataset's name, as `from:` has it after the connection
`{@index}`             within `split`: the element's place in its array, from 0
`{@value}`             within `split`: an element that is not a document
`{@parent.field}`      within `split`: a field of the record the element belongs to
`{{` and `}}`          one brace
=====================  =====================================================================================

A placeholder that is all of a template keeps its value's type; with other text, or with a filter, the
template makes a string (text.py tells how each type is written). In a field's name `.`, `[`, `\`, `:`, `|`,
`}` and a leading `@` are written with a backslash before them. Within `split`, `{field}` is a field of the
element, and `{@row}` and `{@digest}` are the record's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from greylag.core.mapping.errors import MappingError, nearest
from greylag.core.mapping.filters import Filter, parse_filter
from greylag.core.paths import EACH, format_path, parse_path

if TYPE_CHECKING:
    from greylag.core.paths import Path


class Origin(Enum):
    """Where a placeholder takes its value from."""

    FIELD = "field"
    ROW = "@row"
    DIGEST = "@digest"
    INDEX = "@index"
    VALUE = "@value"
    PARENT = "@parent"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One placeholder. `path` is set for fields and for fields of the parent; `force` is S, N, B or None."""

    origin: Origin
    path: Path = ()
    force: str | None = None
    filters: tuple[Filter, ...] = ()

    def __str__(self) -> str:
        if self.origin is Origin.FIELD:
            return format_path(self.path)
        return f"@parent.{format_path(self.path)}" if self.origin is Origin.PARENT else self.origin.value

    @property
    def loses(self) -> bool:
        """Whether two values of the field can give one text through the filters."""
        return any(each.loses for each in self.filters)


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template: literal text and placeholders in turn; never two literals side by side."""

    text: str
    parts: tuple[str | Placeholder, ...]

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """The placeholders, in order."""
        return tuple(part for part in self.parts if isinstance(part, Placeholder))

    @property
    def literal(self) -> str | None:
        """The text of a template without placeholders."""
        if not self.parts:
            return ""
        return self.parts[0] if len(self.parts) == 1 and isinstance(self.parts[0], str) else None

    @property
    def lone(self) -> Placeholder | None:
        """The placeholder that is all of the template."""
        return self.parts[0] if len(self.parts) == 1 and isinstance(self.parts[0], Placeholder) else None

    @property
    def raw(self) -> Placeholder | None:
        """The lone placeholder whose value is taken over as it is: neither typed nor filtered."""
        lone = self.lone
        return lone if lone is not None and lone.force is None and not lone.filters else None

    @property
    def key_type(self) -> str | None:
        """S, N or B where the template alone decides; None where the field's value does."""
        lone = self.lone
        if lone is None or lone.filters:
            return "S"
        if lone.force is not None:
            return lone.force
        return {Origin.ROW: "N", Origin.INDEX: "N", Origin.DIGEST: "S"}.get(lone.origin)


def parse_template(text: str, *, where: str, dataset: str, child: bool = False) -> Template:
    """`text` parsed; `{@dataset}` becomes literal. `child` allows what only `split` has.

    Raises MappingError.
    """
    parts: list[str | Placeholder] = []
    literal: list[str] = []
    place = 0
    while place < len(text):
        character = text[place]
        if character not in "{}":
            literal.append(character)
            place += 1
        elif text[place : place + 2] == character * 2:
            literal.append(character)
            place += 2
        elif character == "}":
            raise MappingError(
                where,
                f"`}}` at character {place} of `{text}` closes nothing",
                "write `}}` for a brace in the text",
            )
        else:
            content, place = _content(text, place, where)
            if content.strip() == "@dataset":
                literal.append(dataset)
                continue
            if literal:
                parts.append("".join(literal))
                literal.clear()
            parts.append(_placeholder(content, where, child=child))
    if literal:
        parts.append("".join(literal))
    template = Template(text, tuple(parts))
    for each in template.placeholders:
        if each.force in {"N", "B"} and template.lone is None:
            raise MappingError(
                where,
                f"`{{{each}:{each.force}}}` stands in a text, which is a string",
                f"write `{{{each}}}`, or make the placeholder the whole template",
            )
    return template


# Up to the first brace, bar or colon that no backslash precedes.
_UNTIL_BRACE = re.compile(r"(?:\\.|[^\\{}])*", re.DOTALL)
_UNTIL_COLON = re.compile(r"(?:\\.|[^\\:|])*", re.DOTALL)


def _content(text: str, place: int, where: str) -> tuple[str, int]:
    match = _UNTIL_BRACE.match(text, place + 1)
    assert match is not None
    if text[match.end() : match.end() + 1] != "}":
        raise MappingError(
            where,
            f"`{{` at character {place} of `{text}` is never closed",
            "write `{{` for a brace in the text",
        )
    return match[0], match.end() + 1


def _placeholder(content: str, where: str, *, child: bool) -> Placeholder:
    match = _UNTIL_COLON.match(content)
    assert match is not None
    name, rest = match[0].strip(), content[match.end() :].strip()
    origin, path = _reference(name, content, where, child=child)
    if rest.startswith(":"):
        if rest[1:] not in {"S", "N", "B"}:
            raise MappingError(
                where,
                f"`{{{content}}}` asks for the type `{rest[1:]}`",
                "types are S (string), N (number) and B (binary), without filters; filters already make "
                "strings",
            )
        return Placeholder(origin, path, rest[1:])
    filters = tuple(parse_filter(each.strip(), where) for each in rest.split("|")[1:])
    return Placeholder(origin, path, None, filters)


_ALWAYS = {origin.value: origin for origin in (Origin.ROW, Origin.DIGEST)}
_IN_SPLIT = {origin.value: origin for origin in (Origin.INDEX, Origin.VALUE)}


def _reference(name: str, content: str, where: str, *, child: bool) -> tuple[Origin, Path]:
    if not name.startswith("@"):
        return Origin.FIELD, _path(name, content, where)
    if name in _ALWAYS:
        return _ALWAYS[name], ()
    if name in _IN_SPLIT or name.startswith("@parent"):
        if not child:
            raise MappingError(
                where, f"`{{{content}}}` exists only in templates of `split`", "name a field instead"
            )
        if name in _IN_SPLIT:
            return _IN_SPLIT[name], ()
        if not name.startswith("@parent."):
            raise MappingError(where, f"`{{{content}}}` names no field", "write `{@parent.field}`")
        return Origin.PARENT, _path(name.removeprefix("@parent."), content, where)
    known = {*_ALWAYS, "@dataset"} | ({*_IN_SPLIT, "@parent.field"} if child else set())
    raise MappingError(
        where,
        f"there is no `{{{content}}}`",
        f"{nearest(name, known)}; for a field of that name write `{{\\{name}}}`",
    )


def _path(text: str, content: str, where: str) -> Path:
    try:
        path = parse_path(text)
    except ValueError as error:
        raise MappingError(where, f"`{{{content}}}` names no field: {error}", "write `{field}`") from None
    if EACH in path:
        raise MappingError(
            where,
            f"`{{{content}}}` names every element of an array, not one value",
            "use `split:` or `python:`",
        )
    return path
