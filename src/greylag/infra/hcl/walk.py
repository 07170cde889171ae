"""Every reference and call in an expression, with the names that a `for` around it binds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from greylag.infra.hcl.tree import (
    Call,
    Conditional,
    Entries,
    For,
    Index,
    Operation,
    Path,
    Reference,
    Sequence,
    Template,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greylag.infra.hcl.tree import Expression


T = TypeVar("T")
Bound = Mapping[str, T]
"""What the names stand for that a `for` around an expression binds."""


def walk(
    expression: Expression, bound: Bound[T], bind: Callable[[For, Bound[T]], Bound[T]]
) -> Iterator[tuple[Expression, Bound[T]]]:
    """`expression` and all that it is made of, each with what is bound there; `bind` says what a `for` binds."""
    yield expression, bound
    if isinstance(expression, For):
        yield from walk(expression.over, bound, bind)
        bound = {**bound, **bind(expression, bound)}
        for each in expression.inner:
            yield from walk(each, bound, bind)
        return
    for each in _parts(expression):
        yield from walk(each, bound, bind)


def parts(expression: Expression) -> Iterator[Expression]:
    """`expression` and all that it is made of."""
    for part, _ in walk(expression, {}, lambda _, bound: bound):
        yield part


def _parts(expression: Expression) -> tuple[Expression, ...]:
    match expression:
        case Reference():
            return tuple(step.at for step in expression.steps if isinstance(step, Index))
        case Path():
            return (expression.base, *(step.at for step in expression.steps if isinstance(step, Index)))
        case Template():
            return expression.parts
        case Sequence():
            return expression.items
        case Entries():
            return tuple(each for pair in expression.pairs for each in pair)
        case Call():
            return expression.arguments
        case Conditional():
            return (expression.test, expression.yes, expression.no)
        case Operation():
            return expression.operands
    return ()
