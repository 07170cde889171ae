"""Whether what an expression refers to is there, and whether its type fits where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.core.nearest import did_you_mean
from greylag.infra.check.functions import RESULTS
from greylag.infra.check.inference import Types
from greylag.infra.check.types import NoSuch, Type, follow, of_text
from greylag.infra.hcl.tree import Call, Entries, Literal, Path, Reference, Sequence
from greylag.infra.hcl.walk import parts, walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.infra.check.scope import Scope
    from greylag.infra.hcl.tree import Expression

_ADVICE = {
    "unknown-variable": "Declare it in variables.tf, or mend the name.",
    "unknown-local": "Declare it in a locals block, or mend the name.",
    "unknown-module": "Call the module in this folder, or mend the name.",
    "unknown-attribute": "The documentation of what is referred to lists its attributes.",
    "missing-index": "Say which: [0], [count.index], [each.key], or one(...[*]...) where there is none or one.",
    "needless-index": "Remove the index.",
    "dangling-reference": "Declare it in this folder, or mend the name.",
    "misplaced-reference": "each belongs to for_each, count to count, self to provisioners and postconditions.",
}


def check_expression(scope: Scope, expression: Expression) -> None:
    """Find every reference that leads nowhere, and every function that does not exist."""
    types = Types(scope.checking, scope.folder)
    tolerated = {
        id(inside)
        for part in parts(expression)
        if isinstance(part, Call) and part.name in ("try", "can")
        for inside in parts(part)
    }
    for part, bound in walk(expression, scope.bound, types.bind):
        match part:
            case Call(name=name) if name not in RESULTS and "::" not in name:
                scope.blocker(
                    "unknown-function",
                    part.line,
                    f"Terraform has no function {name!r}{did_you_mean(name, RESULTS)}",
                    "Source: https://developer.hashicorp.com/terraform/language/functions",
                )
            case Reference():
                _check_reference(scope, types, part, bound, tolerated=id(part) in tolerated)
            case Path() if id(part) not in tolerated:
                try:
                    follow(types.of(part.base, bound), part.steps)
                except NoSuch as problem:
                    scope.blocker(problem.kind, part.line, problem.message, _ADVICE[problem.kind])


def _check_reference(
    scope: Scope, types: Types, reference: Reference, bound: Mapping[str, Type], *, tolerated: bool
) -> None:
    """`tolerated`: within try or can, which may ask for attributes of values that are not there."""
    root, steps = reference.root, reference.steps
    shown = ".".join([root, *(each for each in steps[:2] if isinstance(each, str))])
    if root in ("var", "local") and steps and isinstance(steps[0], str):
        scope.checking.used.add((root, steps[0]))
    try:
        if root in bound:
            base, taken = bound[root], 0
        else:
            base, taken = types.named(reference)
        if not (tolerated and (root in bound or root in ("var", "local", "module"))):
            follow(base, steps[taken:])
    except NoSuch as problem:
        scope.blocker(problem.kind, reference.line, f"{shown}: {problem.message}", _ADVICE[problem.kind])


def check_fits(scope: Scope, what: str, wanted: Type, value: Expression) -> None:
    """Find a value whose type is certain and is not the one that stands there."""
    inner = _inner(wanted, value)
    if inner is not None:
        for name, type_, each in inner:
            check_fits(scope, f"{what}.{name}" if name else what, type_, each)
        _check_entries(scope, what, wanted, value)
        return
    given = Types(scope.checking, scope.folder).of(value, scope.bound)
    if not _fits(wanted, given, value):
        scope.blocker(
            "wrong-type",
            value.line,
            f"{what} is {wanted.shown}, and this is {given.shown}",
            f"Write {wanted.shown}.",
        )


def _inner(wanted: Type, value: Expression) -> list[tuple[str, Type, Expression]] | None:
    """The values within a list or object that is written out, each with the type it should have."""
    if wanted.kind == "list" and isinstance(value, Sequence):
        return [("", wanted.element, each) for each in value.items] if wanted.element else []
    if isinstance(value, Entries) and wanted.kind in ("map", "object"):
        pairs = [(str(key.value), each) for key, each in value.pairs if isinstance(key, Literal)]
        if wanted.kind == "map":
            return [(name, wanted.element, each) for name, each in pairs] if wanted.element else []
        fields = _fields(wanted)
        return [(name, fields[name], each) for name, each in pairs if name in fields]
    return None


def _fields(wanted: Type) -> dict[str, Type]:
    if wanted.block is not None:
        return {
            name: of_text(each.type, wanted.block)
            for name, each in wanted.block.arguments.items()
            if each.written
        }
    return dict(wanted.fields or {})


def _check_entries(scope: Scope, what: str, wanted: Type, value: Expression) -> None:
    """Names an object lacks, and names it has and nobody reads."""
    if (
        wanted.kind != "object"
        or not isinstance(value, Entries)
        or (wanted.fields is None and wanted.block is None)
    ):
        return
    fields = _fields(wanted)
    given = {str(key.value): key.line for key, _ in value.pairs if isinstance(key, Literal)}
    if not fields or len(given) < len(value.pairs):
        return
    for name in sorted(set(given) - set(fields)):
        scope.warning(
            "unknown-attribute",
            given[name],
            f"{what} has no attribute {name!r}: Terraform leaves it out{did_you_mean(name, fields)}",
            "Mend the name, or remove it.",
        )
    optional = wanted.optional
    if wanted.block is not None:
        optional = frozenset(name for name, each in wanted.block.arguments.items() if not each.required)
    for name in sorted(set(fields) - set(given) - optional):
        scope.blocker(
            "missing-argument",
            value.line,
            f"{what} lacks {name!r}, which it requires",
            f"Add {name} = ...",
        )


def _fits(wanted: Type, given: Type, value: Expression) -> bool:
    if "any" in (wanted.kind, given.kind) or given.kind == "null":
        return True
    if given.single:
        return True
    literal = value.value if isinstance(value, Literal) else None
    match wanted.kind:
        case "string":
            return given.kind in ("string", "number", "bool")
        case "number":
            return given.kind == "number" or (given.kind == "string" and _is_number(literal))
        case "bool":
            return given.kind == "bool" or (given.kind == "string" and literal in (None, "true", "false"))
        case "list":
            return given.kind == "list" and _elements_fit(wanted, given, value)
        case "map" | "object":
            return given.kind in ("map", "object")
    return True


def _elements_fit(wanted: Type, given: Type, value: Expression) -> bool:
    return wanted.element is None or given.element is None or _fits(wanted.element, given.element, value)


def _is_number(literal: object) -> bool:
    if not isinstance(literal, str):
        return True
    try:
        float(literal)
    except ValueError:
        return False
    return True
