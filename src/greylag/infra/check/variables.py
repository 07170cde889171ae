"""Variables: their shape, their default, and what their validations may read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from greylag.infra.check.bodies import check_body
from greylag.infra.check.expressions import check_fits
from greylag.infra.check.inference import of_variable
from greylag.infra.check.language import shape_of
from greylag.infra.hcl.tree import Reference
from greylag.infra.hcl.walk import parts

if TYPE_CHECKING:
    from greylag.infra.check.folder import Folder
    from greylag.infra.check.scope import Scope
    from greylag.infra.hcl.tree import Block

_CROSS_VARIABLES = (1, 9)
"""Since this version a validation may read other variables.

Source: https://developer.hashicorp.com/terraform/language/values/variables#custom-validation-rules
"""


def check_variable(scope: Scope, block: Block) -> None:
    """Find what is wrong with one `variable` block."""
    name = block.labels[0]
    used = ("var", name) in scope.checking.used
    check_body(
        scope,
        block.body,
        shape_of("variable"),
        block.line,
        arguments=("type", "default"),
        blocks=("validation",),
    )
    default = block.body.argument("default")
    if default is not None:
        if any(isinstance(part, Reference) for part in parts(default.value)):
            told = "a default is read before any value is known: it refers to nothing"
            scope.blocker(
                "literal-needed", default.line, told, "Write the value out, or make it null and use a local."
            )
        check_fits(scope, "default", of_variable(scope.folder.variables[name]), default.value)
    for validation in block.body.of("validation"):
        check_body(scope, validation.body, shape_of("assert"), validation.line, path="validation.")
        reads = {
            part.steps[0]
            for argument in validation.body.arguments
            for part in parts(argument.value)
            if isinstance(part, Reference) and part.root == "var" and part.steps
        }
        lowest = _lowest_version(scope.folder)
        used = used or bool(reads - {name})  # it is there to be compared
        if reads - {name} and lowest is not None and lowest < _CROSS_VARIABLES:
            others = ", ".join(sorted(str(each) for each in reads - {name}))
            scope.blocker(
                "needs-newer-terraform",
                validation.line,
                f"this validation reads {others}, which Terraform allows since 1.9, and required_version allows older",
                'Set required_version = ">= 1.9", or move the condition to a precondition.',
            )
    if not used:  # a validation of itself alone is no use of it
        scope.checking.used.discard(("var", name))


def _lowest_version(folder: Folder) -> tuple[int, int] | None:
    for placed in folder.blocks():
        argument = (
            placed.block.body.argument("required_version") if placed.block.kind == "terraform" else None
        )
        found = re.search(
            r"(?:>=|~>)\s*(\d+)\.(\d+)", str(getattr(getattr(argument, "value", None), "value", ""))
        )
        if found:
            return int(found[1]), int(found[2])
    return None
