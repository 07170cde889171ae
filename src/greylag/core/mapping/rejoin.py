"""`split` undone: whose child an item is, which place in its array it has, and the element it was."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from greylag.core.mapping.restoring import Loss, Restoring, is_field
from greylag.core.mapping.templates import Origin
from greylag.core.mapping.text import UNFILLED, text_of
from greylag.core.mapping.unfilling import compile_read, restored
from greylag.core.paths import MISSING, format_path, get
from greylag.core.records import Refused
from greylag.core.values import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from greylag.core.mapping.columns import Column
    from greylag.core.mapping.mapping import SplitKind
    from greylag.core.mapping.templates import Placeholder
    from greylag.core.mapping.unfilling import Found
    from greylag.core.paths import Path
    from greylag.core.values import Document, Value


class Family:
    """The children of one split and their way back into the parent."""

    def __init__(self, kind: SplitKind, parent: Sequence[Column], key: tuple[str, ...]) -> None:
        self.path_text = format_path(kind.path)
        self._path = kind.path
        self._parent = [each for each in parent if each.name in key]
        self._restoring = Restoring(kind.columns, kind.carried, kind.rules)
        self._keys = [
            (each.name, compile_read(each.template))
            for each in kind.columns
            if each.template is not None and each.name in key
        ]
        self._places = [
            (each.name, compile_read(each.template))
            for each in kind.columns
            if each.template is not None and not is_field(each, kind.carried) and _exact_index(each)
        ]
        self._value = kind.carried.names.get("value", "value")
        sees = [
            part.origin
            for each in kind.columns
            if each.template is not None and each.role.value != "index"
            for part in each.template.placeholders
        ]
        self._scalars, self._documents = Origin.VALUE in sees, Origin.FIELD in sees
        told = {
            (part.path, part.filters)
            for each in kind.columns
            if each.template is not None and each.name in key
            for part in each.template.placeholders
            if part.origin is Origin.PARENT
        }
        wanted = [part for each in self._parent if each.template for part in each.template.placeholders]
        self._orphans = [part for part in wanted if (part.path, part.filters) not in told]

    def losses(self) -> Iterable[Loss]:
        """What cannot be had back of the elements, and of their place."""
        if self._orphans:
            yield Loss(
                "split-parent",
                self.path_text,
                f"the key of an item of `{self.path_text}` does not hold `{self._orphans[0]}`, which the key of its "
                "parent is made of",
                f"Write `{{@parent.{self._orphans[0]}}}` into the key of the items.",
            )
        if not self._places:
            yield Loss(
                "split-place",
                self.path_text,
                f"no attribute of an item of `{self.path_text}` holds its place in the array",
                "Write `{@index}` into one of them.",
            )
        for loss in self._restoring.losses:
            yield Loss(loss.kind, f"{self.path_text}[].{loss.name}", loss.message, loss.advice)

    def parent_key(self, attributes: Document) -> Document:
        """See `Inverse.parent_key`."""
        told: dict[tuple[Path, object], Value] = {}
        for name, read in self._keys:
            for found in read(attributes[name]):
                if found.placeholder.origin is Origin.PARENT:
                    told.setdefault((found.placeholder.path, found.placeholder.filters), found.value)
        return {column.name: _filled(column, told) for column in self._parent}

    def element(self, attributes: Document) -> tuple[int, Value]:
        """The place and the element. Raises Refused."""
        place = self._place(attributes)
        fields, _ = self._restoring.fields(attributes)
        if fields.keys() != {"value"} or self._documents:
            return place, fields
        value = fields["value"]
        if self._scalars:
            return place, value
        if isinstance(value, dict):
            return place, fields  # an element that is a document is carried as its fields
        raise Refused(
            f"an item of `{self.path_text}` may be of the element {value!r} or of the document {{value: {value!r}}}",
            "write `{@value}` into a key of the items, or a field of documents: then each is one of them",
            "split-element",
        )

    def put(self, fields: Document, elements: list[Value]) -> None:
        """Put the array where it was taken out. Raises Refused where something else stands there."""
        if get(fields, self._path) is not MISSING:
            raise Refused(
                f"the record's own item holds `{self.path_text}`, and there are items of its elements too",
                "keep one of them at the target",
                "split-twice",
            )
        inner = fields
        for step in self._path[:-1]:
            below = inner.get(str(step), {})
            if not isinstance(below, dict):
                raise Refused(
                    f"`{step}` is no document, and there are items of elements inside it",
                    "mend the record's own item at the target",
                    "split-twice",
                )
            inner[str(step)] = inner = dict(below)
        inner[str(self._path[-1])] = elements

    def _place(self, attributes: Document) -> int:
        for name, read in self._places:
            if name not in attributes:
                continue
            [found] = [each for each in read(attributes[name]) if each.placeholder.origin is Origin.INDEX][:1]
            place = _whole(found)
            if place is not None:
                return place
        raise Refused(
            f"an item of `{self.path_text}` does not tell its place in the array",
            "let the application write the attribute that holds `{@index}`",
            "split-place",
        )


def rejoin_losses(families: Sequence[Family]) -> list[Loss]:
    """Of all of them."""
    return [loss for each in families for loss in each.losses()]


def _exact_index(column: Column) -> bool:
    assert column.template is not None
    return any(part.origin is Origin.INDEX and not part.loses for part in column.template.placeholders)


def _whole(found: Found) -> int | None:
    value = found.value
    if isinstance(value, str):
        value = restored(found, "int", lone=False)
    return int(value) if is_number(value) and value == int(value) and value >= 0 else None


def _filled(column: Column, told: Mapping[tuple[Path, object], Value]) -> Value:
    """The parent's key attribute, from what the child's key told of the parent's fields."""
    if column.template is None:
        return column.constant

    def of(part: Placeholder) -> Value:
        if (part.path, part.filters) not in told:
            raise Refused(
                f"the item's key does not tell its parent's `{part}`", "mend the item at the target"
            )
        return told[part.path, part.filters]

    lone = column.template.lone
    if lone is not None:
        value = of(lone)
        return _number(value) if column.key_type == "N" and isinstance(value, str) else value
    texts = []
    for part in column.template.parts:
        text = part if isinstance(part, str) else text_of(of(part))
        if text is UNFILLED:
            raise Refused(
                f"the item's key tells no text of its parent's `{part}`", "mend the item at the target"
            )
        texts.append(text)
    return "".join(texts)


def _number(text: str) -> Value:
    return Decimal(text) if "." in text else int(text)
