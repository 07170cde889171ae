"""What can be proved of keys from the templates alone: their types, and that no two records share one."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from greylag.core.mapping.columns import Role
from greylag.core.mapping.errors import MappingError
from greylag.core.mapping.ownership import item_claim, item_keys_disjoint
from greylag.core.mapping.templates import Origin, parse_template
from greylag.core.mapping.types import key_type, path_at
from greylag.core.paths import EACH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from greylag.core.flows import FlowSpec, TableSpec
    from greylag.core.mapping.columns import Column
    from greylag.core.mapping.templates import Placeholder, Template
    from greylag.core.paths import Path

Columns = tuple["Column", ...]


def injective(
    parent: Columns, children: Sequence[Columns], key: tuple[str, ...], unique_id: str | None
) -> bool:
    """Whether distinct records provably have distinct keys, if the source keeps `unique_id` unique."""
    if unique_id is None:
        return False
    path = None if unique_id == Origin.ROW.value else path_at(unique_id, "unique_id")
    unique = _Unique(path)
    if not any(unique.alone(template, Origin.FIELD) for template in _templates(parent, key)):
        return False
    if not all(_children_distinct(_templates(child, key), unique) for child in children):
        return False
    claims = [item_claim(columns, key) for columns in (parent, *children)]
    return all(item_keys_disjoint(one, other) for one, other in combinations(claims, 2))


def keyed_by(columns: Columns, key: tuple[str, ...], field: str | None) -> bool:
    """Whether the key is the value of this field of the source, as it is."""
    raws = [each.raw for each in _templates(columns, key)]
    return (
        field is not None
        and len(key) == 1
        and any(raw is not None and raw.origin is Origin.FIELD and raw.path == (field,) for raw in raws)
    )


def seen_by_keys(columns: Columns) -> frozenset[Path]:
    """What of a record its key is made of: fields, and ("@row",) or ("@digest",) where a template sees those."""
    keys = [each for each in columns if each.role is Role.KEY and each.template is not None]
    placeholders = [one for each in keys if each.template is not None for one in each.template.placeholders]
    return frozenset(each.path or (each.origin.value,) for each in placeholders)


def key_fields(flow: FlowSpec) -> tuple[tuple[Path, ...], bool]:
    """The fields that the templates of a flow's key see, in their order, and whether one sees the record's place."""
    fields: dict[Path, None] = {}
    by_row = False
    for name in flow.table.key:
        written = flow.attributes[name]
        if isinstance(written, str):
            template = parse_template(written, where=f"attributes.{name}", dataset=flow.source.dataset)
            fields |= dict.fromkeys(
                each.path for each in template.placeholders if each.origin is Origin.FIELD
            )
            by_row |= any(each.origin is Origin.ROW for each in template.placeholders)
    return tuple(fields), by_row


class _Unique:
    """Tells which placeholders are the source's unique id: the field at `path`, or `@row` without a path."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def is_id(self, placeholder: Placeholder, origin: Origin) -> bool:
        if placeholder.loses:
            return False
        if self._path is None:
            return placeholder.origin is Origin.ROW
        return placeholder.origin is origin and placeholder.path == self._path

    def alone(self, template: Template, origin: Origin) -> bool:
        """Whether the unique id is all that varies in the template."""
        return len(template.placeholders) == 1 and self.is_id(template.placeholders[0], origin)


def _templates(columns: Columns, key: tuple[str, ...]) -> list[Template]:
    return [column.template for column in columns if column.name in key and column.template is not None]


def _children_distinct(templates: list[Template], unique: _Unique) -> bool:
    if any(_both(template, unique) for template in templates):
        return True
    across = any(unique.alone(template, Origin.PARENT) for template in templates)
    return across and any(_tells_siblings_apart(template) for template in templates)


_SAME_AMONG_SIBLINGS = {Origin.PARENT, Origin.ROW, Origin.DIGEST}


def _is_index(placeholder: Placeholder) -> bool:
    return placeholder.origin is Origin.INDEX and not placeholder.loses


def _tells_siblings_apart(template: Template) -> bool:
    varying = [each for each in template.placeholders if each.origin not in _SAME_AMONG_SIBLINGS]
    return len(varying) == 1 and _is_index(varying[0])


def _both(template: Template, unique: _Unique) -> bool:
    """Whether `template` holds the parent's id and the index so that both can be read back.

    They can where the literal between them keeps the index's digits from running into the id.
    """
    match [part for part in template.parts if not isinstance(part, str)]:
        case [one, two]:
            place = template.parts.index(one)
            between = template.parts[place + 1]
            if not isinstance(between, str):
                return False
            if unique.is_id(one, Origin.PARENT) and _is_index(two):
                return not between[-1].isdigit()
            return _is_index(one) and unique.is_id(two, Origin.PARENT) and not between[0].isdigit()
    return False


def key_types(kinds: Sequence[tuple[Columns, Mapping[Path, str]]], table: TableSpec) -> dict[str, str]:
    """S, N or B of the key and index attributes, where templates or `types` decide. Raises MappingError on
    two.

    `kinds` are the columns of each kind of item with the rules of the fields its templates see.
    """
    found: dict[str, str] = {}
    for columns, rules in kinds:
        for column in columns:
            kind = _key_type(column, rules) if column.keyed else None
            if kind is not None and found.setdefault(column.name, kind) != kind:
                raise MappingError(
                    f"attributes.{column.name}",
                    f"is {found[column.name]} in one template and {kind} in another, and `{table.ref}` has "
                    "one type for it",
                    "make them alike, for example with `{field:S}`",
                )
    return found


def _key_type(column: Column, rules: Mapping[Path, str]) -> str | None:
    if column.key_type is not None:
        return column.key_type
    raw = column.template.raw if column.template else None
    if raw is None or raw.origin is not Origin.FIELD:
        return None
    return key_type(rules.get(raw.path), carried=column.carried)


def lone_fields(columns: Columns, known: Mapping[str, str], within: Path | None = None) -> dict[str, Path]:
    """Attribute → the source's path of a lone field whose values decide the key type.

    `within`: the split array.
    """
    found: dict[str, Path] = {}
    for column in columns:
        raw = column.template.raw if column.template else None
        if not column.keyed or column.name in known or raw is None:
            continue
        if raw.origin is Origin.PARENT or within is None:
            found.setdefault(column.name, raw.path)
        else:
            found.setdefault(column.name, (*within, EACH, *raw.path))
    return found
