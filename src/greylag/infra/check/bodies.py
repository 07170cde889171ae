"""A block's body against what may stand in it: names, shapes, what is required, types, dynamic blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.core.nearest import did_you_mean
from greylag.infra.check.expressions import check_expression, check_fits
from greylag.infra.check.inference import Types, entry
from greylag.infra.check.types import ANY, of_text
from greylag.infra.hcl.tree import Argument, Entries, Reference, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greylag.infra.check.scope import Scope
    from greylag.infra.hcl.tree import Block as Written
    from greylag.infra.hcl.tree import Body
    from greylag.infra.schema import Block
    from greylag.infra.schema.load import Argument as Known

_KEYWORDS = {"when": {"create", "destroy"}, "on_failure": {"continue", "fail"}}
"""Of provisioners, bare words that refer to nothing."""

_DYNAMIC = frozenset({"for_each", "iterator", "labels"})


def check_body(
    scope: Scope,
    body: Body,
    block: Block,
    line: int,
    *,
    arguments: Iterable[str] = (),
    blocks: Iterable[str] = (),
    path: str = "",
) -> None:
    """Find what is wrong in `body`, which `block` describes. `arguments` and `blocks` are looked at elsewhere."""
    if not block.entries and path:
        check_free(scope, body)
        return
    seen: dict[str, int] = {}
    for argument in body.arguments:
        if argument.name not in arguments:
            _check_argument(scope, argument, block, path)
        if argument.name in seen:
            told = f"{path}{argument.name} stands twice, first in line {seen[argument.name]}"
            scope.blocker("repeated-argument", argument.line, told, "Remove one of the two.")
        seen.setdefault(argument.name, argument.line)
    given: dict[str, list[int]] = {}
    for each in body.blocks:
        if each.kind == "dynamic":
            given.setdefault("".join(each.labels), []).append(each.line)
            _check_dynamic(scope, each, block, path)
        elif each.kind not in blocks:
            given.setdefault(each.kind, []).append(each.line)
            _check_nested(scope, each, each.body, each.kind, block, path=path)
    _check_counts(scope, block, given, path)
    _check_required(scope, block, {*seen, *given}, line, path)


def _check_argument(scope: Scope, argument: Argument, block: Block, path: str) -> None:
    name, what = argument.name, f"{path}{argument.name}"
    known = block.arguments.get(name)
    if known is None:
        check_expression(scope, argument.value)
        if name in block.nested:
            _wants_block(scope, argument, what)
        else:
            near = did_you_mean(name, _writable(block))
            scope.blocker(
                "unknown-argument", argument.line, f"there is no argument {what!r}{near}", _known_names(block)
            )
        return
    if not known.written:
        scope.blocker(
            "read-only-argument",
            argument.line,
            f"{what!r} is what the provider reports; it cannot be set",
            "Remove the line.",
        )
    check_expression(scope, argument.value)
    check_fits(scope, what, of_text(known.type, block), argument.value)


def _wants_block(scope: Scope, argument: Argument, what: str) -> None:
    shape = {Sequence: "a list", Entries: "a map"}.get(type(argument.value), "a value")
    scope.blocker(
        "block-expected",
        argument.line,
        f"{what!r} is a block, and this is {shape}",
        f'Write {argument.name} {{ ... }}, or dynamic "{argument.name}" {{ ... }} for as many as a list has.',
    )


def _check_nested(scope: Scope, written: Written, body: Body, name: str, block: Block, *, path: str) -> None:
    what = f"{path}{name}"
    if name in block.nested:
        check_body(scope, body, block.nested[name].block, written.line, path=f"{what}.")
        return
    known = block.arguments.get(name)
    inner = _object_of(known)
    if inner is not None:  # Terraform takes blocks for a list of objects
        check_body(scope, body, block.schema.block(inner), written.line, path=f"{what}.")
    elif known is not None:
        scope.blocker(
            "argument-expected",
            written.line,
            f"{what!r} is an argument, and this is a block",
            f"Write {name} = ...",
        )
        check_free(scope, body)
    else:
        near = did_you_mean(name, _writable(block))
        scope.blocker("unknown-block", written.line, f"there is no block {what!r}{near}", _known_names(block))
        check_free(scope, body)


def _object_of(known: Known | None) -> str | None:
    if known is None or not known.written or not known.type.startswith("list(object("):
        return None
    return known.type.removeprefix("list(object(").removesuffix("))")


def _check_dynamic(scope: Scope, written: Written, block: Block, path: str) -> None:
    if len(written.labels) != 1:
        scope.blocker(
            "dynamic",
            written.line,
            "dynamic has one label: the block it makes",
            'Write dynamic "name" { ... }.',
        )
        return
    [name] = written.labels
    given = {each.name: each for each in written.body.arguments}
    for unknown in sorted(set(given) - _DYNAMIC):
        scope.blocker(
            "unknown-argument",
            given[unknown].line,
            f"dynamic {path}{name} has no argument {unknown!r}{did_you_mean(unknown, _DYNAMIC)}",
            "A dynamic block has for_each, iterator and content; arguments of the block stand in content.",
        )
    if "for_each" not in given:
        scope.blocker(
            "missing-argument", written.line, f"dynamic {path}{name} lacks 'for_each'", "Add for_each = ..."
        )
    else:
        check_expression(scope, given["for_each"].value)
    contents = written.body.of("content")
    if len(contents) != 1:
        scope.blocker(
            "missing-block",
            written.line,
            f"dynamic {path}{name} needs one block 'content'",
            "Add content { ... }",
        )
    iterator = given.get("iterator")
    bound = iterator.value.root if iterator and isinstance(iterator.value, Reference) else name
    over = ANY
    if "for_each" in given:
        over = Types(scope.checking, scope.folder).of(given["for_each"].value, scope.bound)
    for content in contents:
        _check_nested(scope.within({bound: entry(over)}), written, content.body, name, block, path=path)


def _check_counts(scope: Scope, block: Block, given: dict[str, list[int]], path: str) -> None:
    for name, lines in given.items():
        if len(lines) > 1 and name in block.nested and not block.nested[name].repeats:
            scope.blocker(
                "repeated-block",
                lines[1],
                f"{path}{name} may stand once, and stands {len(lines)} times",
                "Keep one.",
            )


def _check_required(scope: Scope, block: Block, given: set[str], line: int, path: str) -> None:
    for name, argument in sorted(block.arguments.items()):
        if argument.required and name not in given:
            told = f"{path.rstrip('.') or scope.name} lacks the argument {name!r}, which it requires"
            scope.blocker("missing-argument", line, told, f"Add {name} = ...")
    for name, nested in sorted(block.nested.items()):
        if nested.required and name not in given:
            told = f"{path.rstrip('.') or scope.name} lacks the block {name!r}, which it requires"
            scope.blocker("missing-block", line, told, f"Add {name} {{ ... }}")


def _writable(block: Block) -> list[str]:
    return [*(name for name, each in block.arguments.items() if each.written), *block.nested]


def _known_names(block: Block) -> str:
    names = sorted(_writable(block))
    return f"Known are {', '.join(names)}." if len(names) <= 12 else "See the provider's documentation of it."


def check_free(scope: Scope, body: Body) -> None:
    """A body whose shape no schema knows: its references alone."""
    for argument in body.arguments:
        if argument.name != "iterator" and not _is_keyword(argument):
            check_expression(scope, argument.value)
    for each in body.blocks:
        names = list(each.labels) if each.kind == "dynamic" else []
        iterator = each.body.argument("iterator")
        if iterator is not None and isinstance(iterator.value, Reference):
            names.append(iterator.value.root)
        check_free(scope.within(dict.fromkeys(names, ANY)), each.body)


def _is_keyword(argument: Argument) -> bool:
    words = _KEYWORDS.get(argument.name, set())
    return isinstance(argument.value, Reference) and argument.value.root in words
