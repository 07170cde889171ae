"""Which configuration of a provider a resource or module call uses, and whether there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.core.nearest import did_you_mean
from greylag.infra.hcl.tree import Entries, Literal, Reference

if TYPE_CHECKING:
    from greylag.infra.check.folder import Folder
    from greylag.infra.check.scope import Scope
    from greylag.infra.hcl.tree import Argument, Block, Expression

_REQUIREMENT = ("source", "version", "configuration_aliases")


def check_provider_argument(scope: Scope, argument: Argument | None, type_: str) -> None:
    """`provider = aws.name` of a resource."""
    if argument is None:
        return
    name = name_of(argument.value)
    if name is None:
        scope.blocker(
            "unknown-provider-alias", argument.line, "provider is a name, as in aws.replica", "Mend the name."
        )
        return
    wanted = type_.split("_", maxsplit=1)[0]
    if name.split(".")[0] == wanted:
        _check_known(scope, name, argument.line)


def check_declared(scope: Scope, type_: str, line: int) -> None:
    """Whether required_providers, where there is one, says where the provider of a resource comes from."""
    provider, required = type_.split("_", maxsplit=1)[0], scope.folder.required
    if required is not None and provider not in required and provider != "terraform":
        scope.warning(
            "undeclared-provider",
            line,
            f"required_providers does not name {provider!r}, whose {type_} this is{did_you_mean(provider, required)}",
            f"Add {provider} with its source and version: without, any version of hashicorp/{provider} is taken.",
        )


def check_required_providers(scope: Scope, block: Block) -> None:
    """What stands in `required_providers`."""
    for required in block.body.of("required_providers"):
        for argument in required.body.arguments:
            for key, _ in argument.value.pairs if isinstance(argument.value, Entries) else ():
                name = str(getattr(key, "value", ""))
                if name not in _REQUIREMENT:
                    scope.blocker(
                        "unknown-argument",
                        key.line,
                        f"required_providers.{argument.name} has no {name!r}{did_you_mean(name, _REQUIREMENT)}",
                        f"Known are {', '.join(_REQUIREMENT)}.",
                    )


def check_handed_over(scope: Scope, argument: Argument | None, called: Folder | None, line: int) -> None:
    """`providers = {aws.inside = aws.outside}` of a module call, and what the module needs of it."""
    given = set()
    pairs = argument.value.pairs if argument is not None and isinstance(argument.value, Entries) else ()
    for key, value in pairs:
        inside = str(key.value) if isinstance(key, Literal) else name_of(key)
        outside = name_of(value)
        given.add(inside)
        if outside is not None:
            _check_known(scope, outside, value.line)
        if called is not None and inside is not None and "." in inside and inside not in called.aliases:
            scope.blocker(
                "unknown-provider-alias",
                key.line,
                f"the module takes no provider {inside!r}{did_you_mean(inside, called.aliases)}",
                "It takes those in configuration_aliases of its required_providers.",
            )
    for missing in sorted((called.aliases if called is not None else set()) - given):
        scope.blocker(
            "missing-provider",
            line,
            f"the module needs the provider {missing!r}, which this call does not hand over",
            f"Add {missing} = aws... to providers.",
        )


def name_of(value: Expression) -> str | None:
    """The name of a configuration that an expression is: `aws` or `aws.name`."""
    if isinstance(value, Literal) and isinstance(value.value, str):
        return value.value  # the form before 0.12, still read
    if isinstance(value, Reference) and all(isinstance(each, str) for each in value.steps):
        return ".".join([value.root, *(str(each) for each in value.steps)])
    return None


def _check_known(scope: Scope, name: str, line: int) -> None:
    folder = scope.folder
    if "." not in name or name in folder.providers or name in folder.aliases:
        return
    known = {*folder.providers, *folder.aliases}
    scope.blocker(
        "unknown-provider-alias",
        line,
        f"there is no provider configuration {name!r}{did_you_mean(name, known)}",
        "Declare a provider block with this alias, or configuration_aliases where a caller hands it over.",
    )
