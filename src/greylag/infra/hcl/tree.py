"""What a Terraform file says: arguments, blocks and expressions, each with the line it begins on (from 1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Literal:
    """A string without interpolation, a number, a bool or null."""

    value: str | int | float | bool | None
    line: int


@dataclass(frozen=True, slots=True)
class Template:
    """A string with interpolations. A part of fixed text is a Literal."""

    parts: tuple[Expression, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """`[a, b]`."""

    items: tuple[Expression, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Entries:
    """`{a = b}`. A bare key is a Literal."""

    pairs: tuple[tuple[Expression, Expression], ...]
    line: int


class Splat(Enum):
    """`[*]` or `.*` in a path."""

    ALL = "*"


@dataclass(frozen=True, slots=True)
class Index:
    """`[at]` in a path."""

    at: Expression


@dataclass(frozen=True, slots=True)
class Reference:
    """A name and the way from it: `aws_vpc.this[0].id` has the root `aws_vpc` and three steps."""

    root: str
    steps: tuple[str | Index | Splat, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Path:
    """A way from an expression that is not a name: `one(x).id`."""

    base: Expression
    steps: tuple[str | Index | Splat, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments. `spread`: the last one ends with `...`."""

    name: str
    arguments: tuple[Expression, ...]
    line: int
    spread: bool = False


@dataclass(frozen=True, slots=True)
class For:
    """`[for a, b in over : inner]`: `inner` is what it gives, one or two, and the condition.

    In braces it `makes_map`, and with `...` that is `grouped`.
    """

    names: tuple[str, ...]
    over: Expression
    inner: tuple[Expression, ...]
    makes_map: bool
    line: int
    grouped: bool = False


@dataclass(frozen=True, slots=True)
class Conditional:
    """`test ? yes : no`."""

    test: Expression
    yes: Expression
    no: Expression
    line: int


@dataclass(frozen=True, slots=True)
class Operation:
    """Operands joined by arithmetic, comparison or logic."""

    operator: str
    operands: tuple[Expression, ...]
    line: int


Expression = Literal | Template | Sequence | Entries | Reference | Path | Call | For | Conditional | Operation


@dataclass(frozen=True, slots=True)
class Argument:
    """`name = value`."""

    name: str
    value: Expression
    line: int


@dataclass(frozen=True, slots=True)
class Block:
    """`kind "label" "label" { ... }`; `end` is the line of its closing brace."""

    kind: str
    labels: tuple[str, ...]
    body: Body
    line: int
    end: int


@dataclass(frozen=True, slots=True)
class Body:
    """What stands between braces, or in a file, in order."""

    arguments: tuple[Argument, ...]
    blocks: tuple[Block, ...]

    def argument(self, name: str) -> Argument | None:
        """The argument of this name."""
        return next((each for each in self.arguments if each.name == name), None)

    def of(self, kind: str) -> tuple[Block, ...]:
        """The blocks of this kind."""
        return tuple(each for each in self.blocks if each.kind == kind)


@dataclass(frozen=True, slots=True)
class File:
    """A file: its name as findings show it, its body and its text by lines."""

    name: str
    body: Body
    lines: tuple[str, ...]
