"""From the attributes of a record's own item to the record's fields, `split` and `python` left aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from greylag.core.mapping.templates import Origin
from greylag.core.mapping.unfilling import compile_read, is_exact, restored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from greylag.core.mapping.carried import Carried
    from greylag.core.mapping.columns import Column
    from greylag.core.mapping.templates import Template
    from greylag.core.mapping.ttl import Ttl
    from greylag.core.mapping.unfilling import Found
    from greylag.core.paths import Path
    from greylag.core.values import Document, Value


@dataclass(frozen=True, slots=True)
class Loss:
    """Something of a record that its items do not tell. `kind` is a stable word, `name` the field or function."""

    kind: str
    name: str
    message: str
    advice: str


@dataclass(frozen=True, slots=True)
class _Held:
    """A dropped field that a template holds: in which attribute, and how it is had back."""

    attribute: str
    lone: bool
    rule: str | None
    read: Callable[[Value], list[Found]]


class Restoring:
    """The way back of one kind of item."""

    def __init__(
        self,
        columns: Sequence[Column],
        carried: Carried,
        rules: Mapping[Path, str],
        ttl: Ttl | None = None,
        *,
        needed: bool = True,
    ) -> None:
        self._fields = {attribute: source for source, attribute in carried.names.items()}
        self._derived = {each.name for each in columns if not is_field(each, carried)}
        if ttl is not None and not ttl.own:
            self._derived.add(ttl.attribute)
        self._rows = [
            (each.name, compile_read(each.template))
            for each in columns
            if each.template
            and any(part.origin is Origin.ROW and not part.loses for part in each.template.placeholders)
        ]
        self._held: dict[str, list[_Held]] = {}
        losses: list[Loss] = []
        for name in sorted(map(str, carried.dropped)):
            self._held[name] = _holders(columns, name, rules)
            if not self._held[name] and needed:
                losses.append(_dropped(name, columns))
        for name, _ in carried.prunes:
            losses.append(_dropped(name, (), part=True))
        if any(_sees_digest(each.template) for each in columns):
            losses.append(
                Loss(
                    "digest-in-template",
                    "@digest",
                    "`{@digest}` is the digest of the whole record: an item that the application changes no longer "
                    "has the one in its attributes",
                    "Give the records an id of their own.",
                )
            )
        self.losses = tuple(losses)

    def fields(self, attributes: Document) -> tuple[Document, int | None]:
        """The fields, and the record's row where a template holds it. Raises Refused."""
        names = self._fields
        fields = {
            names.get(name, name): value for name, value in attributes.items() if name not in self._derived
        }
        for name, holders in self._held.items():
            for held in holders:
                if held.attribute in attributes:
                    fields[name] = _value(held, name, attributes[held.attribute])
                    break
        row: int | None = None
        for name, read in self._rows:
            if name in attributes and row is None:
                [text] = [each for each in read(attributes[name]) if each.placeholder.origin is Origin.ROW][
                    :1
                ]
                found = restored(text, "int", lone=False) if isinstance(text.value, str) else text.value
                row = found if type(found) is int else None
        return fields, row


def is_field(column: Column, carried: Carried) -> bool:
    """Whether the attribute is one of the record's own fields, which the template only repeats."""
    source = carried.source_of(column.name)
    lone = column.template.lone if column.template else None
    return column.carried or (
        source is not None and lone is not None and lone.origin is Origin.FIELD and lone.path == (source,)
    )


def _holders(columns: Sequence[Column], name: str, rules: Mapping[Path, str]) -> list[_Held]:
    """Key attributes come first, as columns do."""
    rule = rules.get((name,))
    return [
        _Held(column.name, column.template.lone is not None, rule, compile_read(column.template))
        for column in columns
        if column.template is not None
        and any(
            each.origin is Origin.FIELD
            and each.path == (name,)
            and is_exact(each, lone=column.template.lone is not None, rule=rule)
            for each in column.template.placeholders
        )
    ]


def _value(held: _Held, name: str, value: Value) -> Value:
    for found in held.read(value):
        if found.name == (Origin.FIELD, (name,)) and is_exact(
            found.placeholder, lone=held.lone, rule=held.rule
        ):
            return restored(found, held.rule, lone=held.lone)
    raise AssertionError(name)


def _dropped(name: str, columns: Sequence[Column], *, part: bool = False) -> Loss:
    told = any(
        each.path[:1] == (name,)
        for column in columns
        if column.template
        for each in column.template.placeholders
        if each.origin is Origin.FIELD
    )
    if told:
        return Loss(
            "field-in-template-only",
            name,
            f"`{name}` is dropped, and the template that holds it does not tell its exact value and type",
            f"Do not drop `{name}`; or state its type under `types` where a template holds all of it, without "
            "`upper`, `lower`, `trim` or `date`.",
        )
    what = f"parts of `{name}` are" if part else f"`{name}` is"
    return Loss(
        "dropped-field", name, f"{what} dropped: the target has nothing to give back", f"Carry `{name}`."
    )


def _sees_digest(template: Template | None) -> bool:
    return template is not None and any(each.origin is Origin.DIGEST for each in template.placeholders)
