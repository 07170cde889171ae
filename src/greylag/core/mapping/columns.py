"""`attributes:` read: each attribute a template or a constant, and what it is for in its table."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from greylag.core.mapping.errors import MappingError
from greylag.core.mapping.templates import Origin, parse_template

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from greylag.core.flows import TableSpec
    from greylag.core.mapping.carried import Carried
    from greylag.core.mapping.templates import Template
    from greylag.core.values import Value


class Role(Enum):
    """What an attribute is for, which decides what happens where its template cannot be filled."""

    KEY = "key"  # the record is refused
    INDEX = "index"  # the attribute is left out, and the item with it out of the index
    OTHER = "other"  # the record is refused


@dataclass(frozen=True, slots=True)
class Column:
    """One attribute that the mapping writes: by `template`, or always `constant` where that is None.

    `carried` says that the template is the very field the attribute carries anyway; `any_type`, that the table takes
    values of every type for its key.
    """

    name: str
    role: Role
    template: Template | None
    constant: Value = None
    carried: bool = False
    any_type: bool = False

    @property
    def keyed(self) -> bool:
        """Whether its values must be ones a key or index can have."""
        return self.role is not Role.OTHER and not self.any_type

    @property
    def key_type(self) -> str | None:
        """S, N or B where the mapping alone decides."""
        if self.template is not None:
            return self.template.key_type
        if isinstance(self.constant, bool):
            return None
        return "S" if isinstance(self.constant, str) else "N"


def read_columns(
    attributes: Mapping[str, Any],
    table: TableSpec,
    carried: Carried,
    *,
    where: str,
    dataset: str,
    child: bool,
) -> tuple[Column, ...]:
    """The columns, key attributes first. Raises MappingError for what cannot work or provably conflicts."""
    indexed = {name for names in table.indexes.values() for name in names}
    for name in table.key:
        if name not in attributes:
            raise MappingError(
                where,
                f"the key attribute `{name}` of `{table.ref}` has no template",
                f'say what it is, for example `{name}: "{{id}}"`',
            )
    columns = []
    for name in _keys_first(attributes, table.key):
        role = Role.KEY if name in table.key else Role.INDEX if name in indexed else Role.OTHER
        column = _column(name, attributes[name], role, f"{where}.{name}", dataset=dataset, child=child)
        column = replace(column, any_type=table.any_type)
        columns.append(_beside_carried(column, carried, f"{where}.{name}"))
    return tuple(columns)


def _keys_first(names: Iterable[str], key: tuple[str, ...]) -> list[str]:
    return [*key, *(name for name in names if name not in key)]


def _column(name: str, written: Any, role: Role, where: str, *, dataset: str, child: bool) -> Column:
    if not isinstance(written, str):
        column = Column(name, role, None, _constant(written, where))
    else:
        template = parse_template(written, where=where, dataset=dataset, child=child)
        literal = template.literal
        column = Column(name, role, template if literal is None else None, literal)
    if column.keyed and (column.constant == "" or isinstance(column.constant, bool)):
        raise MappingError(
            where, f"a key cannot be {column.constant!r}", "keys are text, numbers or binary, never empty"
        )
    return column


def _constant(written: Any, where: str) -> Value:
    if isinstance(written, bool):
        return written
    if isinstance(written, int):
        return int(written)
    if isinstance(written, float) and math.isfinite(written):
        return float(written)
    if isinstance(written, Decimal) and written.is_finite():
        return Decimal(written)
    raise MappingError(
        where,
        f"{written!r} is no template and no constant",
        "write text (quoted, where YAML would read a date), a finite number, true or false",
    )


def _beside_carried(column: Column, carried: Carried, where: str) -> Column:
    """`column`, told whether it is a carried field.

    Raises MappingError where it provably differs from one.
    """
    source = carried.source_of(column.name)
    if source is None:
        return column
    raw = column.template.raw if column.template else None
    if raw is not None and raw.origin is Origin.FIELD and raw.path == (source,):
        whole = not carried.is_pruned(source)
        return replace(column, carried=whole)
    if source != column.name:
        lone = column.template.lone if column.template else None
        if lone is None or lone.origin is not Origin.FIELD or lone.path != (source,):
            raise MappingError(
                where,
                f"`rename` carries the field `{source}` under this name, the template writes something else",
                f'write "{{{source}}}", or choose another name for one of them',
            )
    elif column.template and column.template.lone is None:
        own = [
            each
            for each in column.template.placeholders
            if each.origin is Origin.FIELD and each.path == (source,)
        ]
        if own:
            raise MappingError(
                where,
                f"`{column.template.text}` differs from the field `{source}`, which is carried under the "
                "same name",
                f"give the attribute another name, or `rename` or `drop` the field `{source}`",
            )
    return column
