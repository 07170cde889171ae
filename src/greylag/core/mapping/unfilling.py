"""Templates read backwards: what a template wrote, taken apart into the values of its placeholders."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from greylag.core.mapping.templates import Origin
from greylag.core.mapping.text import text_of
from greylag.core.records import Refused
from greylag.core.values import INT64_MAX, INT64_MIN, Binary, Decimal128, Int64, ObjectId, is_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.core.mapping.templates import Placeholder, Template
    from greylag.core.paths import Path
    from greylag.core.values import Value

Named: TypeAlias = "tuple[Origin, Path]"


class Found(NamedTuple):
    """What stands in the place of `placeholder`: its text, or where the placeholder is all of the template, its value
    as the target tells it.
    """

    placeholder: Placeholder
    value: Value

    @property
    def name(self) -> Named:
        """What the placeholder names."""
        return self.placeholder.origin, self.placeholder.path


def compile_read(template: Template) -> Callable[[Value], list[Found]]:
    """A function of what `template` wrote → its placeholders with what stands in their places.

    It raises Refused where the template cannot have written that, or where it can be read in two ways.
    """
    if template.lone is not None:
        lone = template.lone
        return lambda value: [Found(lone, value)]
    placeholders = template.placeholders
    forms = [
        re.compile(
            "".join(re.escape(part) if isinstance(part, str) else each for part in template.parts), re.DOTALL
        )
        for each in (("(.+?)", "(.+)") if len(placeholders) > 1 else ("(.+)",))
    ]

    def read(value: Value) -> list[Found]:
        matches = [form.fullmatch(value) for form in forms] if isinstance(value, str) else [None]
        texts = {match.groups() for match in matches if match is not None}
        if len(texts) != 1:
            raise Refused(
                f"{value!r} can be read in two ways as `{template.text}`"
                if texts
                else f"{value!r} was not made by `{template.text}`",
                "mend the item at the target",
                "unreadable-template",
            )
        return [Found(each, text) for each, text in zip(placeholders, texts.pop(), strict=True)]

    return read


def is_exact(placeholder: Placeholder, *, lone: bool, rule: str | None) -> bool:
    """Whether the field's value can be had back from what stands in this placeholder's place."""
    if placeholder.loses:
        return False
    if placeholder.origin in {Origin.ROW, Origin.INDEX}:
        return True
    if placeholder.filters:  # pad: digits of a whole number
        return rule in {"int", "int32", "int64"}
    if lone and placeholder.force != "S":
        return rule in _FROM_VALUE and rule not in _NOT_AS.get(placeholder.force, ())
    return rule in _FROM_TEXT


def restored(found: Found, rule: str | None, *, lone: bool) -> Value:
    """The value that `found` stands for, where `is_exact`. Raises Refused for what its type does not allow."""
    value = found.value
    made: Value = None
    if found.placeholder.origin in {Origin.ROW, Origin.INDEX}:
        rule = "int"
    try:
        if found.placeholder.filters:
            made = {"int64": Int64}.get(str(rule), int)(str(value))
            exact = found.placeholder.filters[0].apply(made) == value
        elif lone and not isinstance(value, str):
            made = _FROM_VALUE[str(rule)](value)
            exact = True
        else:
            made = _FROM_TEXT[str(rule)](str(value))
            exact = text_of(made) == value
    except (ValueError, KeyError, TypeError, InvalidOperation):
        exact = False
    if not exact:
        raise Refused(
            f"`{found.placeholder}` stands as {value!r} in the item, which is no {rule}",
            "mend the item at the target, or the field's type under `types`",
            "unfit-value",
        )
    return made


def _whole(value: Value) -> int:
    if not is_number(value) or value != int(value):
        raise ValueError
    return int(value)


def _int64(value: Value) -> Int64:
    whole = _whole(value)
    if not INT64_MIN <= whole <= INT64_MAX:
        raise ValueError
    return Int64(whole)


def _double(value: Value) -> float:
    if not is_number(value) or Decimal(repr(float(value))) != Decimal(
        repr(value) if isinstance(value, float) else value
    ):
        raise ValueError
    return float(value)


def _instance(kind: type) -> Callable[[Value], Value]:
    def check(value: Value) -> Value:
        if not isinstance(value, kind):
            raise TypeError
        return value

    return check


def _uuid(value: Value) -> Value:
    if not isinstance(value, bytes) or len(value) != 16:
        raise ValueError
    return Binary(bytes(value), 4)


def _bytes(value: Value) -> Value:
    if not isinstance(value, bytes):
        raise TypeError
    return value if isinstance(value, Binary) else bytes(value)


def _bool(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _date(text: str) -> datetime:
    return datetime.fromisoformat(text)


_FROM_TEXT: dict[str, Callable[[str], Value]] = {
    "string": str,
    "int": int,
    "int32": int,
    "int64": lambda text: _int64(int(text)),
    "double": float,
    "decimal": Decimal,
    "decimal128": Decimal128,
    "bool": _bool,
    "objectId": ObjectId.from_hex,
    "date": _date,
    "date:ms": _date,
    "date:s": _date,
    "uuid": lambda text: Binary(uuid.UUID(text).bytes, 4),
}

# A string that `:N` made a number may have been a number, what `:B` takes is binary.
_NOT_AS: dict[str | None, frozenset[str]] = {
    "N": frozenset({"string", "bool", "objectId", "date", "date:ms", "date:s", "binary", "uuid"}),
    "B": frozenset(
        {"string", "bool", "objectId", "date", "date:ms", "date:s", "int", "int32", "int64", "double"}
    ),
}

# Decimals are not among them: a number at the target has no digits after its last that counts.
_FROM_VALUE: dict[str, Callable[[Value], Value]] = {
    "string": _instance(str),
    "int": _whole,
    "int32": _whole,
    "int64": _int64,
    "double": _double,
    "bool": _instance(bool),
    "objectId": _instance(ObjectId),
    "date": _instance(datetime),
    "date:ms": _instance(datetime),
    "date:s": _instance(datetime),
    "binary": _bytes,
    "uuid": _uuid,
}
