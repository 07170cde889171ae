"""Resources, data sources and ephemeral resources, with what every one of them may have: count, lifecycle, ..."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.core.nearest import did_you_mean
from greylag.infra.check.bodies import check_body, check_free
from greylag.infra.check.expressions import check_expression
from greylag.infra.check.inference import Types, entry
from greylag.infra.check.language import META_ARGUMENTS, META_BLOCKS, shape_of
from greylag.infra.check.names import described
from greylag.infra.check.providers import check_declared, check_provider_argument
from greylag.infra.check.types import ANY, NUMBER, Type
from greylag.infra.hcl.tree import Literal, Reference, Sequence

if TYPE_CHECKING:
    from greylag.infra.check.scope import Scope
    from greylag.infra.hcl.tree import Block

_SCHEMA_KINDS = {"resource": "resources", "data": "data", "ephemeral": "ephemeral"}


def repeating(scope: Scope, block: Block) -> Scope:
    """The scope inside a block that may have count or for_each."""
    bound: dict[str, Type] = {}
    for_each = block.body.argument("for_each")
    if for_each is not None:
        bound["each"] = entry(Types(scope.checking, scope.folder).of(for_each.value, scope.bound))
    if block.body.argument("count") is not None:
        bound["count"] = Type("object", fields={"index": NUMBER})
    return scope.within(bound)


def check_object(scope: Scope, block: Block) -> None:
    """A resource, data source or ephemeral resource."""
    kind, type_ = _SCHEMA_KINDS[block.kind], block.labels[0]
    inside = repeating(scope, block)
    _check_meta(inside, block)
    check_declared(scope, type_, block.line)
    known = described(scope.checking, kind, type_)
    if known is not None:
        check_body(
            inside, block.body, known, block.line, arguments=META_ARGUMENTS, blocks=META_BLOCKS - {"dynamic"}
        )
        return
    check_free(inside, block.body)
    provider = type_.split("_")[0]
    if provider != "aws":
        scope.note(
            "other-provider",
            block.line,
            f"{type_} is of the provider {provider!r}, whose schema is not here: its arguments were not checked",
            "terraform validate checks them.",
        )
        return
    word = {"resource": "resource", "data": "data source", "ephemeral": "ephemeral resource"}[block.kind]
    schema = scope.checking.schema
    near = did_you_mean(type_, schema.names(kind))
    scope.blocker(
        f"unknown-{word.replace(' ', '-')}",
        block.line,
        f"the AWS provider has no {word} {type_!r}{near}",
        f"The schema is that of provider {schema.provider_version}; mend the name.",
    )


def _check_meta(scope: Scope, block: Block) -> None:
    body = block.body
    count, for_each = body.argument("count"), body.argument("for_each")
    if count is not None and for_each is not None:
        scope.blocker(
            "count-and-for-each", for_each.line, "count and for_each exclude each other", "Keep one."
        )
    for argument in (count, for_each):
        if argument is not None:
            check_expression(scope.without("each", "count"), argument.value)
    check_provider_argument(scope, body.argument("provider"), block.labels[0])
    check_depends_on(scope, block)
    for lifecycle in body.of("lifecycle"):
        _check_lifecycle(scope, block, lifecycle)
    for each in (*body.of("provisioner"), *body.of("connection")):
        check_free(scope.within({"self": ANY}), each.body)


def _check_lifecycle(scope: Scope, block: Block, lifecycle: Block) -> None:
    skipped = ("ignore_changes", "replace_triggered_by")
    check_body(
        scope.within({"self": ANY}),
        lifecycle.body,
        shape_of("lifecycle"),
        lifecycle.line,
        arguments=skipped,
        path="lifecycle.",
    )
    for name in ("prevent_destroy", "create_before_destroy"):
        argument = lifecycle.body.argument(name)
        if argument is not None and not isinstance(argument.value, Literal):
            scope.blocker(
                "literal-needed",
                argument.line,
                f"lifecycle.{name} is read before any value is known: it is true or false, not an expression",
                "Write true or false.",
            )
    ignored = lifecycle.body.argument("ignore_changes")
    known = described(scope.checking, _SCHEMA_KINDS[block.kind], block.labels[0])
    if ignored is None or known is None:
        return
    for each in getattr(ignored.value, "items", ()):
        if isinstance(each, Reference) and each.root not in known.entries:
            near = did_you_mean(each.root, known.entries)
            scope.blocker(
                "unknown-argument",
                each.line,
                f"lifecycle.ignore_changes: there is no argument {each.root!r}{near}",
                "Mend the name.",
            )


def check_depends_on(scope: Scope, block: Block) -> None:
    """A list of references to what is declared."""
    argument = block.body.argument("depends_on")
    if argument is None:
        return
    if not isinstance(argument.value, Sequence):
        scope.blocker(
            "wrong-type", argument.line, "depends_on is a list of references", "Write [a.b, module.c]."
        )
        return
    for each in argument.value.items:
        check_expression(scope, declaration(each) if isinstance(each, Reference) else each)


def declaration(reference: Reference) -> Reference:
    """Only what is declared: an instance or attribute after it is allowed and means the same."""
    taken = 2 if reference.root in ("data", "ephemeral", "resource") else 1
    return Reference(reference.root, reference.steps[:taken], reference.line)
