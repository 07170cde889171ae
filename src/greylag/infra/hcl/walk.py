"""Every reference and call in an expression, with the names that a `for` around it binds."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    from collections.abc import Iterator

    from greylag.infra.hcl.tree import Expression


def walk(expression: Expression, bound: frozenset[str]) -> Iterator[tuple[Expression, frozenset[str]]]:
    """`expression` and all that it is made of, each with the names bound there."""
    yield expression, bound
    match expression:
        case For():
            yield from walk(expression.over, bound)
            for each in expression.inner:
                yield from walk(each, bound | set(expression.names))
        case Reference() | Path():
            if isinstance(expression, Path):
                yield from walk(expression.base, bound)
            for step in expression.steps:
                if isinstance(step, Index):
                    yield from walk(step.at, bound)
        case _:
            for each in _parts(expression):
                yield from walk(each, bound)


def _parts(expression: Expression) -> tuple[Expression, ...]:
    match expression:
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
