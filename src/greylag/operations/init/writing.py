"""greylag.yaml as text: what is proposed, with comments that say why and what to check."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING, Final

from greylag.operations.init import words
from greylag.operations.init.proposal import TARGET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from greylag.operations.init.indexes import Expiry
    from greylag.operations.init.proposal import Flow, Proposal
    from greylag.operations.init.survey import Survey

_WIDTH: Final = 110
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*(?:\.\*)?")
_WORDS: Final = frozenset({"true", "false", "null"})
_SHOWN: Final = 6

_HEAD: Final = (
    "A first greylag.yaml, written by `greylag init`. Each comment says why something stands here and what to check;"
    " `CHECK` marks what only you can know. Then: greylag check --connect, greylag run --dry-run."
)
_NOTHING: Final = (
    "Nothing was found here that this version can move: it reads JSON files and MongoDB. What it did find is listed"
    " below. This file is valid and moves nothing; add connections and flows as docs/mapping.md says."
)


def render(proposal: Proposal, survey: Survey) -> str:
    """The whole file."""
    return "\n".join(_lines(proposal, survey)) + "\n"


def _lines(proposal: Proposal, survey: Survey) -> Iterator[str]:
    yield from _comment(_HEAD, 0)
    if not proposal.flows:
        yield "#"
        yield from _comment(_NOTHING, 0)
    yield f"project: {scalar(proposal.project)}"
    yield ""
    yield "connections:"
    for each in proposal.connections:
        for sentence in each.why:
            yield from _comment(sentence, 2)
        yield f"  {scalar(each.name)}: {mapping(each.options, references=True)}"
    yield from _comment(
        "CHECK the region. With DYNAMODB_ENDPOINT unset this is AWS itself; `greylag lab up dynamodb` gives an"
        " address to rehearse with. create_tables: `run` makes the tables below that are missing.",
        2,
    )
    target = {
        "kind": "dynamodb",
        "region": "${AWS_REGION:-us-east-1}",
        "endpoint_url": "${DYNAMODB_ENDPOINT:-}",
    }
    yield f"  {TARGET}: {mapping(target, references=True)[:-1]}, create_tables: true}}"
    yield ""
    yield from _not_carried(proposal, survey)
    if proposal.flows:
        yield from _comment(
            "A service is what cuts over together: move flows between services as that fits. `traffic: {reads: 20/s,"
            " writes: 5000/d}` beside its flows says what it is asked to do: `greylag cost` then reckons a month.",
            0,
        )
        yield "services:"
        for service, flows in proposal.services.items():
            yield f"  {scalar(service)}:"
            yield "    flows:"
            for flow in flows:
                yield from _flow(flow)
    else:
        yield "services: {}"
    if proposal.environments:
        yield ""
        yield from _comment(
            "`greylag --env NAME` also reads .env.NAME. CHECK which of these are places to move.", 0
        )
        yield "environments:"
        yield from (f"  {scalar(each)}: {{}}" for each in proposal.environments)


def _flow(flow: Flow) -> Iterator[str]:
    yield from _comment(flow.records, 6)
    yield from _comment(f"In this service because {flow.owner.why}.", 6)
    yield f"      {scalar(flow.name)}:"
    yield f"        from: {scalar(flow.source)}"
    yield f"        to: {scalar(flow.table)}"
    yield from _comment(f"Key: {flow.key.why}", 8)
    if flow.key.attribute.note:
        yield from _comment(f"CHECK: {flow.key.attribute.note}.", 8)
    yield f"        key: {mapping({flow.key.attribute.name: flow.key.attribute.template})}"
    for sentence in flow.indexes.left:
        yield from _comment(f"Not proposed: {sentence}.", 8)
    if flow.indexes.found:
        yield from _comment(
            "CHECK: each index is written and paid for with every item; keep those a query needs.", 8
        )
        yield "        indexes:"
        for index in flow.indexes.found:
            yield from _comment(f"{index.why}.", 10)
            filled = {each.name: each.template for each in index.attributes}
            yield f"          {scalar(index.name)}: {mapping(filled)}"
    if flow.key_types:
        yield f"        key_types: {mapping(flow.key_types)}"
    if flow.indexes.expiry is not None:
        yield from _expiry(flow.indexes.expiry)


def _expiry(expiry: Expiry) -> Iterator[str]:
    yield from _comment(
        f"MongoDB deletes these by `{expiry.field}`, and so will DynamoDB, also items that were just carried: CHECK"
        " docs/mapping.md, ttl, before verifying.",
        8,
    )
    if not expiry.after:
        yield f"        ttl: {scalar(expiry.attribute)}"
        return
    after = {"attribute": expiry.attribute, "from": expiry.field, "after": f"{expiry.after}s"}
    yield f"        ttl: {mapping(after)}"


def _not_carried(proposal: Proposal, survey: Survey) -> Iterator[str]:
    found = survey.not_carried()
    if found or survey.objects or proposal.left:
        yield from _comment("Found, and not moved by this file:", 0)
    for title, settings in found.items():
        places = list(dict.fromkeys(f"{each.place} ({each.how})" for each in settings))
        yield from _comment(f"{title}: {_some(places)}", 0, bullet=True)
    if survey.objects:
        folders = [f"{folder} ({count})" for folder, count in survey.objects.items()]
        yield from _comment(f"Images and documents on disk: {_some(folders)}", 0, bullet=True)
    for sentence in proposal.left:
        yield from _comment(sentence, 0, bullet=True)
    if found or survey.objects:
        yield from _comment(
            "This version moves JSON files and MongoDB to DynamoDB and nothing else: these stay as they are.",
            0,
        )
    if found or survey.objects or proposal.left:
        yield ""


def _some(places: list[str]) -> str:
    return ", ".join(places[:_SHOWN]) + (f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else "")


def _comment(text: str, indent: int, *, bullet: bool = False) -> Iterable[str]:
    first = " " * indent + ("# - " if bullet else "# ")
    then = " " * indent + ("#   " if bullet else "# ")
    return textwrap.wrap(
        words.line(text),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )


def scalar(text: str, *, references: bool = False) -> str:
    """`text` as YAML. A `$` stays one where `text` is not meant to hold `references` to variables."""
    text = text if references else text.replace("$", "$$")
    if _PLAIN.fullmatch(text) and text.casefold() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def mapping(values: Mapping[str, str], *, references: bool = False) -> str:
    """`values` as a mapping on one line; keys hold no references."""
    # Keys are not filled in from variables: a `$` in one stands for itself.
    return (
        "{"
        + ", ".join(
            f"{scalar(name, references=True)}: {scalar(value, references=references)}"
            for name, value in values.items()
        )
        + "}"
    )
