"""The type of an expression, as far as it is certain; `any` where it is not."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from greylag.infra.check.functions import RESULTS
from greylag.infra.check.language import LANGUAGE
from greylag.infra.check.types import (
    ANY,
    BOOL,
    NULL,
    NUMBER,
    STRING,
    NoSuch,
    Type,
    follow,
    of_constraint,
    of_text,
)
from greylag.infra.hcl.tree import (
    Call,
    Conditional,
    Entries,
    For,
    Literal,
    Operation,
    Path,
    Reference,
    Sequence,
    Template,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.infra.check.folder import Folder, Placed
    from greylag.infra.check.scope import Checking
    from greylag.infra.hcl.tree import Expression
    from greylag.infra.schema import Block

_FIXED = {
    "path": Type("object", fields={"module": STRING, "root": STRING, "cwd": STRING}),
    "terraform": Type("object", fields={"workspace": STRING, "applying": BOOL}),
}


class Types:
    """The types of one folder's names."""

    def __init__(self, checking: Checking, folder: Folder) -> None:
        self._checking = checking
        self._folder = folder
        self._known: dict[tuple[str, str], Type] = {}

    def of(self, expression: Expression, bound: Mapping[str, Type] | None = None) -> Type:
        """The type of `expression`; `bound` names have the types it says."""
        bound = bound or {}
        match expression:
            case Literal() | Template() | Sequence() | Entries() | For():
                return self._of_written(expression, bound)
            case Call(name=name):
                return self._of_call(name, expression.arguments, bound)
            case Conditional():
                return _common([self.of(expression.yes, bound), self.of(expression.no, bound)]) or ANY
            case Operation(operator=operator):
                return NUMBER if operator in "+-*/%" else BOOL
            case Path():
                return self._followed(self.of(expression.base, bound), expression)
            case Reference():
                if expression.root in bound:
                    return self._followed(bound[expression.root], expression)
                return self._of_reference(expression)
        return ANY

    def _of_written(
        self, expression: Literal | Template | Sequence | Entries | For, bound: Mapping[str, Type]
    ) -> Type:
        """The type of what says its shape itself."""
        match expression:
            case Literal(value=value):
                return _of_literal(value)
            case Template(parts=parts):
                return self.of(parts[0], bound) if len(parts) == 1 else STRING
            case Sequence(items=items):
                return Type("list", _common([self.of(each, bound) for each in items]))
            case Entries(pairs=pairs):
                values = [(key, self.of(value, bound)) for key, value in pairs]
                if any(not isinstance(key, Literal) for key, _ in values):
                    return Type("map", _common([each for _, each in values]))
                return Type(
                    "object",
                    fields={str(key.value): each for key, each in values if isinstance(key, Literal)},
                )
            case For(makes_map=makes_map, inner=inner):
                one = self.of(inner[1 if makes_map else 0], {**bound, **self.bind(expression, bound)})
                return Type("map" if makes_map else "list", Type("list", one) if expression.grouped else one)
        return ANY

    def _of_reference(self, reference: Reference) -> Type:
        try:
            base, taken = self.named(reference)
        except NoSuch:
            return ANY
        return self._followed(base, reference, taken)

    def named(self, reference: Reference) -> tuple[Type, int]:
        """The type of the declared thing that `reference` begins with, and how many steps name it.

        Raises NoSuch where it is not declared.
        """
        from greylag.infra.check.names import declared

        return declared(self, self._checking, self._folder, reference)

    def bind(self, loop: For, bound: Mapping[str, Type]) -> Mapping[str, Type]:
        """The types of the names that a `for` binds."""
        *_, value = names = loop.names or ("",)
        over = self.of(loop.over, bound)
        keys = STRING if over.kind in ("map", "object") else ANY
        return {**dict.fromkeys(names, keys), value: element(over)}

    def once(self, kind: str, name: str, expression: Expression) -> Type:
        """The type of a local or output, found once; a name that leads back to itself is of any type."""
        key = (kind, name)
        if key not in self._known:
            self._known[key] = ANY
            self._known[key] = self.of(expression)
        return self._known[key]

    def _followed(self, base: Type, expression: Reference | Path, taken: int = 0) -> Type:
        try:
            return follow(base, expression.steps[taken:])
        except NoSuch:
            return ANY

    def _of_call(self, name: str, arguments: tuple[Expression, ...], bound: Mapping[str, Type]) -> Type:
        if name in ("tolist", "toset", "distinct", "sort", "reverse", "compact") and arguments:
            given = self.of(arguments[0], bound)
            return given if given.kind == "list" and not given.instances else Type("list")
        return _result(name)


@cache
def _result(name: str) -> Type:
    return of_text(RESULTS.get(name, "any"), LANGUAGE.provider)


def _of_literal(value: object) -> Type:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOL
    return STRING if isinstance(value, str) else NUMBER


def _common(types: list[Type]) -> Type | None:
    """The one type that all of them have; None for none or several."""
    known = [each for each in types if each.kind != "null"]
    if not known or any(each != known[0] or each.kind in ("any", "object") for each in known):
        return None
    return known[0]


def element(of: Type) -> Type:
    """The type of what a `for`, `for_each` or `dynamic` meets in a value."""
    return (of.element or ANY) if of.kind in ("list", "map") else ANY


def entry(of: Type) -> Type:
    """What each, or the iterator of a dynamic block, stands for where for_each is of this type."""
    return Type("object", fields={"key": ANY if of.kind == "list" else STRING, "value": element(of)})


def of_object(block: Block, placed: Placed) -> Type:
    """The type of a resource or data source, with what count or for_each makes of it."""
    return repeated(Type("object", block=block), placed)


def repeated(one: Type, placed: Placed) -> Type:
    """`one`, or the instances of it."""
    for argument, kind in (("count", "list"), ("for_each", "map")):
        if placed.block.body.argument(argument) is not None:
            return Type(kind, one, instances=True)
    return one


def of_variable(placed: Placed) -> Type:
    """The type a variable says it has."""
    constraint = placed.block.body.argument("type")
    return ANY if constraint is None else of_constraint(constraint.value)


def fixed(root: str) -> Type | None:
    """The type of `path` and `terraform`."""
    return _FIXED.get(root)
