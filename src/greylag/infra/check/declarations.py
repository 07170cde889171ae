"""The top-level blocks of a folder: each against Terraform's language or the provider's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.core.nearest import did_you_mean
from greylag.infra.check.bodies import check_body, check_free
from greylag.infra.check.calls import check_call
from greylag.infra.check.expressions import check_expression
from greylag.infra.check.folder import ADDRESSED
from greylag.infra.check.language import TOP_LEVEL, shape_of
from greylag.infra.check.objects import check_depends_on, check_object, declaration, repeating
from greylag.infra.check.providers import check_required_providers
from greylag.infra.check.scope import Scope
from greylag.infra.check.variables import check_variable
from greylag.infra.hcl.tree import Reference

if TYPE_CHECKING:
    from greylag.infra.check.folder import Folder, Placed
    from greylag.infra.check.scope import Checking
    from greylag.infra.hcl.tree import Block

_LABELS = {"resource": 2, "data": 2, "ephemeral": 2, "variable": 1, "output": 1, "module": 1, "provider": 1}

_SETTINGS = ("required_providers", "backend", "cloud", "provider_meta")


def check_top(checking: Checking, folder: Folder, placed: Placed) -> None:
    """Find what is wrong with one top-level block."""
    block = placed.block
    scope = Scope(checking, folder, placed.file, _address(block))
    if block.kind not in TOP_LEVEL:
        near = did_you_mean(block.kind, TOP_LEVEL)
        scope.blocker(
            "unknown-block", block.line, f"Terraform has no block {block.kind!r}{near}", "Mend the name."
        )
        return
    wanted = _LABELS.get(block.kind, 1 if block.kind == "check" else 0)
    if len(block.labels) != wanted:
        labels = {0: "no label", 1: "one label", 2: "two labels: a type and a name"}[wanted]
        scope.blocker("labels", block.line, f"{block.kind} has {labels}", "Mend the labels.")
        return
    match block.kind:
        case "resource" | "data" | "ephemeral":
            check_object(scope, block)
        case "module":
            check_call(repeating(scope, block), block)
        case "locals":
            for argument in block.body.arguments:
                check_expression(scope, argument.value)
        case "provider":
            _check_provider(scope, block)
        case "variable":
            check_variable(scope, block)
        case "check":
            _check_check(scope, block)
        case "moved" | "removed" | "import":
            _check_address(scope, block)
        case "terraform":  # nothing in its blocks refers to anything
            check_body(scope, block.body, shape_of("terraform"), block.line, blocks=_SETTINGS)
            check_required_providers(scope, block)
        case _:
            check_body(
                scope,
                block.body,
                shape_of(block.kind),
                block.line,
                arguments=("depends_on",),
                blocks=("precondition",),
            )
            _check_conditions(scope, block)
            check_depends_on(scope, block)


def _address(block: Block) -> str:
    if block.kind in ADDRESSED:
        return ADDRESSED[block.kind] + ".".join(block.labels)
    return " ".join([block.kind, *block.labels])


def _check_provider(scope: Scope, block: Block) -> None:
    if block.labels[0] == "aws":
        check_body(scope, block.body, scope.checking.schema.provider, block.line, arguments=("version",))
    else:
        check_free(scope, block.body)


def _check_conditions(scope: Scope, block: Block) -> None:
    for each in block.body.of("precondition"):
        check_body(scope, each.body, shape_of("assert"), each.line, path="precondition.")


def _check_check(scope: Scope, block: Block) -> None:
    for inner in block.body.blocks:
        if inner.kind == "data":
            check_object(scope, inner)
        elif inner.kind == "assert":
            check_body(scope, inner.body, shape_of("assert"), inner.line, path="assert.")
        else:
            near = did_you_mean(inner.kind, ("data", "assert"))
            scope.blocker(
                "unknown-block",
                inner.line,
                f"check has no block {inner.kind!r}{near}",
                "Write data or assert.",
            )


def _check_address(scope: Scope, block: Block) -> None:
    """Of moved, removed and import only what must exist: the place something goes to."""
    moving = ("from", "to")
    check_body(
        scope, block.body, shape_of(block.kind), block.line, arguments=(*moving, "provider", "for_each")
    )
    for_each = block.body.argument("for_each")
    if for_each is not None:
        check_expression(scope, for_each.value)
    to = block.body.argument("to")
    if to is not None and isinstance(to.value, Reference):
        check_expression(repeating(scope, block), declaration(to.value))
