"""The statements of IAM policies, however a block writes them: as blocks, in jsonencode, as JSON text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greylag.infra.hcl.tree import Call, Entries, Literal, Sequence
from greylag.infra.hcl.walk import parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.infra.hcl.tree import Block, Body, Expression

_Texts = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: what is written out of it, each text with its line."""

    allows: bool
    actions: _Texts
    resources: _Texts
    principals: _Texts
    conditional: bool


def statements(block: Block) -> Iterator[Statement]:
    """Every statement in a top-level block."""
    if block.kind == "data" and block.labels[:1] == ("aws_iam_policy_document",):
        for body in _statement_bodies(block.body):
            yield _of_body(body)
        return
    for value in _values(block.body):
        for part in parts(value):
            if isinstance(part, Call) and part.name == "jsonencode" and part.arguments:
                yield from _of_document(part.arguments[0])
            elif isinstance(part, Literal) and isinstance(part.value, str) and '"Statement"' in part.value:
                yield from _of_json(part.value, part.line)


def _statement_bodies(body: Body) -> Iterator[Body]:
    for each in body.blocks:
        if each.kind == "statement":
            yield each.body
        elif each.kind == "dynamic" and each.labels == ("statement",):
            yield from (content.body for content in each.body.of("content"))


def _values(body: Body) -> Iterator[Expression]:
    for argument in body.arguments:
        yield argument.value
    for each in body.blocks:
        yield from _values(each.body)


def _of_body(body: Body) -> Statement:
    def texts(*names: str) -> _Texts:
        return tuple(
            each for name in names if (argument := body.argument(name)) for each in _texts(argument.value)
        )

    effect = texts("effect")
    principals = [
        text
        for each in body.of("principals")
        if (named := each.body.argument("identifiers"))
        for text in _texts(named.value)
    ]
    if body.of("dynamic") and not principals:
        principals = [("", each.line) for each in body.of("dynamic") if each.labels == ("principals",)]
    return Statement(
        allows=not effect or effect[0][0] == "Allow",
        actions=texts("actions"),
        resources=texts("resources"),
        principals=tuple(principals),
        conditional=bool(
            body.of("condition") or [each for each in body.of("dynamic") if "condition" in each.labels]
        ),
    )


def _of_document(document: Expression) -> Iterator[Statement]:
    for key, value in _pairs(document):
        if key == "Statement":
            for each in value.items if isinstance(value, Sequence) else (value,):
                if isinstance(each, Entries):
                    yield _of_entries(each)


def _of_entries(entries: Entries) -> Statement:
    named = dict(_pairs(entries))
    principal = named.get("Principal")
    principals = _texts(principal) if principal is not None else ()
    for _, value in _pairs(principal):
        principals += _texts(value)
    if principal is not None and not principals:
        principals = (("", entries.line),)
    effect = _texts(named["Effect"]) if "Effect" in named else ()
    return Statement(
        allows=bool(effect) and effect[0][0] == "Allow",
        actions=_texts(named["Action"]) if "Action" in named else (),
        resources=_texts(named["Resource"]) if "Resource" in named else (),
        principals=principals,
        conditional="Condition" in named,
    )


def _of_json(text: str, line: int) -> Iterator[Statement]:
    try:
        document = json.loads(text)
    except ValueError:
        return
    if not isinstance(document, dict):
        return
    for each in _listed(document.get("Statement")):
        if not isinstance(each, dict):
            continue
        principal = each.get("Principal")
        whom = (
            [one for named in principal.values() for one in _listed(named)]
            if isinstance(principal, dict)
            else _listed(principal)
        )
        yield Statement(
            allows=each.get("Effect") == "Allow",
            actions=tuple((str(one), line) for one in _listed(each.get("Action"))),
            resources=tuple((str(one), line) for one in _listed(each.get("Resource"))),
            principals=tuple((str(one), line) for one in whom),
            conditional="Condition" in each,
        )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _pairs(value: Expression | None) -> Iterator[tuple[str, Expression]]:
    if isinstance(value, Entries):
        for key, each in value.pairs:
            if isinstance(key, Literal):
                yield str(key.value), each


def _texts(value: Expression) -> _Texts:
    """The texts that a value writes out, anywhere but in a map."""
    if isinstance(value, Entries):
        return ()
    return tuple(
        (part.value, part.line)
        for part in parts(value)
        if isinstance(part, Literal) and isinstance(part.value, str)
    )
