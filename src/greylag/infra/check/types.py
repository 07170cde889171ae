"""Types of Terraform's values, as far as they are certain, and what follows a value: `.name`, `[index]`, `[*]`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from greylag.core.nearest import did_you_mean
from greylag.infra.hcl.tree import Call, Entries, Index, Literal, Reference, Splat

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from greylag.infra.hcl.tree import Expression
    from greylag.infra.schema import Block


@dataclass(frozen=True)
class Type:
    """A type. `kind` is string, number, bool, null, list (also tuples and sets), map, object or any.

    `fields` are those of an object that is known whole, `optional` the ones it may lack; `block` stands for the
    fields of a resource or nested block. `instances`: what `count` or `for_each` makes of a resource or module.
    `single`: a nested block that stands once, which some resources export as an object and others as a list.
    """

    kind: str
    element: Type | None = None
    fields: Mapping[str, Type] | None = None
    optional: frozenset[str] = frozenset()
    block: Block | None = field(default=None, compare=False)
    instances: bool = False
    single: bool = False

    @property
    def shown(self) -> str:
        """As a message names it."""
        words = {"list": "a list", "map": "a map", "object": "an object", "null": "null"}
        return words.get(self.kind, f"a {self.kind}")


ANY = Type("any")
STRING, NUMBER, BOOL, NULL = Type("string"), Type("number"), Type("bool"), Type("null")
_SIMPLE = {"string": STRING, "number": NUMBER, "bool": BOOL}


class NoSuch(Exception):  # noqa: N818
    """What a path asks for is not there: a kind of finding and its message."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


def of_text(text: str, block: Block) -> Type:
    """The type that the schema writes as `text`; `block` is any of the same schema."""
    if text in _SIMPLE:
        return _SIMPLE[text]
    found = re.fullmatch(r"(list|map|object)\((.*)\)", text)
    if found is None or found[2] == "any":
        return Type(found[1]) if found and found[1] != "object" else ANY
    if found[1] == "object":
        return Type("object", block=block.schema.block(found[2]))
    return Type(found[1], of_text(found[2], block))


def of_constraint(expression: Expression) -> Type:
    """The type that a variable's `type` says."""
    match expression:
        case Reference(root=root, steps=()):
            return _SIMPLE.get(root, {"list": Type("list"), "map": Type("map")}.get(root, ANY))
        case Call(name="list" | "set", arguments=(element,)):
            return Type("list", of_constraint(element))
        case Call(name="map", arguments=(element,)):
            return Type("map", of_constraint(element))
        case Call(name="tuple"):
            return Type("list")
        case Call(name="optional", arguments=(inner, *_)):
            return of_constraint(inner)
        case Call(name="object", arguments=(Entries(pairs=pairs),)):
            named = {str(key.value): value for key, value in pairs if isinstance(key, Literal)}
            optional = {
                name for name, value in named.items() if isinstance(value, Call) and value.name == "optional"
            }
            fields = {name: of_constraint(value) for name, value in named.items()}
            return Type("object", fields=fields, optional=frozenset(optional))
    return ANY


def follow(base: Type, steps: Sequence[str | Index | Splat]) -> Type:
    """The type of what `steps` lead to. Raises NoSuch where that cannot be."""
    for at, step in enumerate(steps):
        if base.kind == "any":
            return ANY
        if isinstance(step, Splat):
            if base.instances and base.kind == "map":
                raise NoSuch("missing-index", "[*] reads instances of count; these come from for_each")
            element = base.element if base.kind == "list" else base
            return Type("list", follow(element or ANY, steps[at + 1 :]))
        base = _member(base, step) if isinstance(step, str) else _indexed(base, step.at)
    return base


def _member(base: Type, name: str) -> Type:
    if base.instances:
        by = "count" if base.kind == "list" else "for_each"
        raise NoSuch("missing-index", f"it has {by}: .{name} is read from one instance, as in [...].{name}")
    if base.kind == "object" and base.block is not None:
        return _exported(base.block, name)
    if base.kind == "object" and base.fields is not None:
        if name not in base.fields:
            raise NoSuch(
                "unknown-attribute", f"it has no attribute {name!r}{did_you_mean(name, base.fields)}"
            )
        return base.fields[name]
    if base.kind == "map":
        return base.element or ANY
    if base.kind in ("object", "null"):
        return ANY
    raise NoSuch("unknown-attribute", f"{base.shown} has no attribute {name!r}")


def _exported(block: Block, name: str) -> Type:
    if name in block.arguments:
        return of_text(block.arguments[name].type, block)
    nested = block.nested.get(name)
    if nested is not None:
        inner = Type("object", block=nested.block, single=not nested.repeats)
        return Type("list", inner) if nested.repeats else inner
    if not block.entries:
        return ANY
    raise NoSuch("unknown-attribute", f"it exports no {name!r}{did_you_mean(name, block.entries)}")


def _indexed(base: Type, at: Expression) -> Type:
    if base.kind in ("list", "map"):
        return base.element or ANY
    if base.single:
        return Type("object", block=base.block)
    if base.kind == "object":
        name = at.value if isinstance(at, Literal) else None
        if isinstance(name, str):
            return _member(base, name)
        if name is None:
            return ANY
        raise NoSuch("needless-index", "it has neither count nor for_each, and no index")
    if base.kind == "null":
        return ANY
    raise NoSuch("unknown-attribute", f"{base.shown} has no index")
