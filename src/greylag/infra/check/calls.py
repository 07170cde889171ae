"""Calls of modules: the folder is there, every argument is one of its variables, those it requires are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.core.nearest import did_you_mean
from greylag.infra.check.expressions import check_expression, check_fits
from greylag.infra.check.inference import of_variable
from greylag.infra.check.language import MODULE_ARGUMENTS
from greylag.infra.check.names import source_of
from greylag.infra.check.providers import check_handed_over
from greylag.infra.hcl.tree import Literal

if TYPE_CHECKING:
    from greylag.infra.check.folder import Folder
    from greylag.infra.check.scope import Scope
    from greylag.infra.hcl.tree import Block


def check_call(scope: Scope, block: Block) -> None:
    """Find what is wrong with one `module` block."""
    called = _called(scope, block)
    for argument in block.body.arguments:
        name = argument.name
        if name in ("count", "for_each"):
            check_expression(scope.without("each", "count"), argument.value)
        elif name == "depends_on":
            for each in getattr(argument.value, "items", ()):
                check_expression(scope, each)
        elif name not in MODULE_ARGUMENTS:
            check_expression(scope, argument.value)
            if called is None:
                continue
            if name not in called.variables:
                scope.blocker(
                    "unknown-module-argument",
                    argument.line,
                    f"the module has no variable {name!r}{did_you_mean(name, called.variables)}",
                    f"Its variables stand in {called.path}.",
                )
            else:
                check_fits(scope, name, of_variable(called.variables[name]), argument.value)
    for each in block.body.blocks:
        scope.blocker(
            "unknown-block",
            each.line,
            f"a module call has no blocks; {each.kind!r} is one",
            f"Write {each.kind} = ...",
        )
    check_handed_over(scope, block.body.argument("providers"), called, block.line)
    if called is not None:
        _check_required(scope, block, called)


def _called(scope: Scope, block: Block) -> Folder | None:
    source = block.body.argument("source")
    if source is None:
        scope.blocker(
            "missing-argument",
            block.line,
            f"{scope.name} lacks the argument 'source'",
            'Add source = "./..."',
        )
        return None
    if not isinstance(source.value, Literal):
        scope.blocker(
            "literal-needed", source.line, "source is text, not an expression", "Write the path out."
        )
        return None
    path = source_of(scope.folder, block.labels[0])
    if path is None:
        scope.note(
            "remote-module",
            source.line,
            f"the module {source.value.value!r} is not in a folder here: its arguments were not checked",
            "terraform init fetches it, terraform validate checks them.",
        )
        return None
    if not path.is_dir() or not any(path.glob("*.tf")):
        scope.blocker(
            "missing-module",
            source.line,
            f"the module's folder {path} {'holds no .tf file' if path.is_dir() else 'does not exist'}",
            "Mend the path; it starts at the folder of this file.",
        )
        return None
    called = scope.checking.folders.at(path)
    return None if called.problems else called


def _check_required(scope: Scope, block: Block, called: Folder) -> None:
    given = {each.name for each in block.body.arguments}
    for name, placed in sorted(called.variables.items()):
        if placed.block.body.argument("default") is None and name not in given:
            scope.blocker(
                "missing-module-argument",
                block.line,
                f"the module requires the variable {name!r}",
                f"Add {name} = ...",
            )
