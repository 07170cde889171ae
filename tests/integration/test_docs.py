"""The documents do what they say: YAML loads, commands run, and nothing is left undocumented."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from decimal import Decimal
from itertools import takewhile
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any

import click
import pytest

from greylag import errors
from greylag.cli.root import VERBS, greylag
from greylag.config import infrastructure, load, model, traffic
from greylag.connectors.dynamodb.codec import DynamoDBCodec
from greylag.connectors.registry import connector_type
from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
from greylag.core.mapping import compile_mapping
from greylag.core.mapping.filters import Filter, parse_filter
from greylag.core.mapping.templates import Origin
from greylag.core.mapping.types import TYPE_RULES
from greylag.core.mapping.where import compile_where
from greylag.core.ports import TableInfo
from greylag.core.records import Item
from greylag.core.values import TYPE_NAMES, identical
from greylag.lab import Lab
from tests.integration.documents import (
    ROOT,
    Block,
    all_blocks,
    assert_prints,
    blocks,
    commands,
    documents,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.core.values import Document

DOCS = ROOT / "docs"
MAPPING = (DOCS / "mapping.md").read_text(encoding="utf-8")

WHOLE = """
project: documented
connections:
  mongo: {{kind: mongodb, url: "mongodb://127.0.0.1:27017", database: shop}}
  files: {{kind: json, path: data}}
  dynamo: {{kind: dynamodb, region: us-east-1}}
{tables}
services:
  all:
    flows:
      documented:
{body}
"""
SERVICES = """
project: documented
connections: {{dynamo: {{kind: dynamodb, region: eu-west-1}}}}
tables: {{shop: {{in: dynamo, key: [PK]}}}}
services:
  documented:
{sections}
{others}
infrastructure:
  region: eu-west-1
  domain: example.com
  databases: {{orders: {{kind: postgres}}}}
"""
OTHER_SERVICE = "  other: {queue: {}, cache: valkey, assets: {}}"
PRINTS = "-- what the next command prints --"
HALFWAY = """
import sys, time
from pathlib import Path
from greylag.errors import StateError
from greylag.state.store import Store

for _ in range(1200):
    try:
        with Store(Path(".greylag/state.sqlite"), read_only=True) as store:
            if sum(flow.records_read for flow in store.progress()) >= 300:
                sys.exit()
    except StateError:  # not there, or not yet made
        pass
    time.sleep(0.1)
sys.exit("no load got under way in two minutes")
"""
SHARED = "tables:\n  {name}: {{in: dynamo, key: [PK, SK], indexes: {{GSI1: [GSI1PK, GSI1SK]}}}}"


def _named(found: list[Block]) -> list[Any]:
    assert found
    return [pytest.param(block, id=block.name) for block in found]


def _whole_file(block: Block) -> str:
    """The greylag.yaml that a block is, or is a part of."""
    match block.words:
        case () | ("greylag.yaml",):
            return block.text
        case ("flow",):
            body = "".join(f"        {line}\n" for line in block.text.splitlines())
            table = re.search(r"^to: dynamo\.(\S+)$", block.text, re.MULTILINE)
            declares = re.search(r"^key:", block.text, re.MULTILINE)
            return WHOLE.format(
                body=body, tables="" if declares or not table else SHARED.format(name=table[1])
            )
        case ("service",):
            more = "" if "assets:" in block.text and "uses:" not in block.text else OTHER_SERVICE
            return SERVICES.format(sections=indent(block.text, "    "), others=more)
        case ("infrastructure",):
            return SERVICES.format(sections="    {}", others="").partition("infrastructure:")[0] + (
                f"infrastructure:\n{indent(block.text, '  ')}"
            )
        case ("connection",):
            [name] = re.findall(r"^(\w+):", block.text, re.MULTILINE)
            source, target = ("files", name) if "kind: dynamodb" in block.text else (name, "dynamo")
            body = f'        {{from: {source}.one, to: {target}.one, key: {{id: "{{id}}"}}}}'
            whole = WHOLE.format(body=body, tables="")
            others = [line for line in whole.splitlines() if not line.startswith(f"  {name}: ")]
            return "\n".join(others).replace("connections:\n", f"connections:\n{indent(block.text, '  ')}")
    raise AssertionError(f"{block.name}: nobody knows what `yaml {' '.join(block.words)}` is")


@pytest.mark.parametrize("block", _named(all_blocks("yaml")))
def test_yaml_is_a_project(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "greylag.yaml"
    file.write_text(_whole_file(block), encoding="utf-8")
    (tmp_path / "openapi.yaml").write_text("paths: {/orders: {get: {}}}", encoding="utf-8")
    for environment in (None, *(["prod"] if "  prod:" in block.text else [])):
        project = load(file, environment, environ={})
        assert project.flows or project.infrastructure
        for flow in project.flows:
            compile_mapping(flow)


@pytest.mark.parametrize("folder", ["forum", "shop", "quiz"])
def test_the_examples_are_projects(folder: str) -> None:
    project = load(
        ROOT / "examples" / folder / "greylag.yaml",
        environ=dict.fromkeys(("MONGODB_URI", "DOCUMENTDB_URI"), "mongodb://127.0.0.1:1"),
    )
    for flow in project.flows:
        compile_mapping(flow, load=project.functions)


def _commands(block: Block) -> Iterator[list[str]]:
    """The commands of a block that call greylag, split into words."""
    prompt = "$ " if block.language == "console" else ""
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line.removeprefix(prompt), comments=True) if line.startswith(prompt) else []
        if words and words[0] == "greylag":
            yield list(takewhile(lambda word: word not in {">", "|", "&&", "||", ";"}, words[1:]))


def _parse(arguments: list[str]) -> None:
    """Raises click's errors unless the command line has these arguments."""
    command: click.Command = greylag
    context = click.Context(command, info_name="greylag")
    while isinstance(command, click.Group):
        context = command.make_context(context.info_name, list(arguments), parent=context)
        rest = [*context._protected_args, *context.args]
        if not rest:
            return
        _, found, arguments = command.resolve_command(context, rest)
        assert found is not None
        command = found
    if not {"--help", "--version"} & set(arguments):
        command.make_context(command.name, list(arguments), parent=context)


@pytest.mark.parametrize("block", _named([*all_blocks("bash"), *all_blocks("console")]))
def test_commands_parse(block: Block) -> None:
    for arguments in _commands(block):
        _parse(arguments)


def _run_blocks(document: Path) -> list[Block]:
    return [
        block for block in blocks(document) if block.language in {"bash", "console"} and "run" in block.words
    ]


def _steps(document: Path) -> Iterator[str]:
    """The document's commands, each with a check of how it ended. Lines that end with a backslash go on."""
    ours = _run_blocks(document)
    for block in blocks(document):
        if block.words == ("greylag.yaml",):
            yield f"cat > greylag.yaml <<'END'\n{block.text}END"
        if block not in ours:
            continue
        if "halfway" in block.words:
            yield f"python -c {shlex.quote(HALFWAY)} || exit"
        for command, wanted, _ in commands(block):
            yield f"echo '{PRINTS}'"
            yield command
            message = f"{block.name}: ended with $code, not {wanted}"
            yield f'code=$?; [ $code = {wanted} ] || {{ echo "{message}" >&2; exit 1; }}'


def _with_commands(*, servers: bool) -> list[Path]:
    """The documents that have commands to run, with or without servers that they start themselves."""
    found = {document: _run_blocks(document) for document in documents()}
    return [
        document
        for document, ours in found.items()
        if ours and servers == any("greylag lab up" in block.text for block in ours)
    ]


def test_commands_run(tmp_path: Path, mongodb_url: str, dynamodb_endpoint: str) -> None:
    """In the order of each document, in a folder with the examples. One document after the other: the examples'
    tables have the same names everywhere.
    """
    found = _with_commands(servers=False)
    assert found
    for document in found:
        _run(document, tmp_path, {"MONGODB_URI": mongodb_url, "DYNAMODB_ENDPOINT": dynamodb_endpoint})


_MINUTES = {"mongodb-to-documentdb"}


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(each, id=each.stem, marks=[pytest.mark.long] if each.stem in _MINUTES else [])
        for each in _with_commands(servers=True)
    ],
)
def test_commands_run_on_servers_of_their_own(document: Path, tmp_path: Path) -> None:
    """Where the reader starts servers, the test does so too: no address in the environment leads elsewhere."""
    try:
        _run(document, tmp_path, {})
    finally:
        for lab in tmp_path.rglob(".greylag/lab"):
            Lab(lab.parents[1]).down()


def _run(document: Path, where: Path, servers: dict[str, str]) -> None:
    folder = where / "-".join(document.relative_to(ROOT).with_suffix("").parts)
    shutil.copytree(
        ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns(".greylag", "__pycache__")
    )
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", "\n".join(_steps(document))],
        cwd=folder,
        env={**os.environ, **servers, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    printed = done.stdout.split(PRINTS)[1:]
    shown = [(block.name, text) for block in _run_blocks(document) for _, _, text in commands(block)]
    for (name, text), output in zip(shown, printed, strict=True):
        assert_prints(text, output, name)


# What may not be left out of the documents.


def _verbs(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None, f"greylag {name} is a verb without a module"
        yield from _verbs(below, f"{path} {name}")


def test_every_command_and_option_is_documented() -> None:
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (greylag[^\n]*)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    missing = []
    for path, command in _verbs(greylag, "greylag"):
        body = sections.get(path, "")
        options = [
            each.opts[0] for each in command.params if isinstance(each, click.Option) and not each.hidden
        ]
        common = {"--file", "--env", "--debug", "--json"}
        missing += [
            f"{path} {option}" for option in options if option not in common and f"`{option}" not in body
        ]
        missing += [] if body else [path]
    assert not missing
    for option in ("--file", "--env", "--debug", "--json"):
        assert f"`{option}" in page
    assert len(VERBS) == len({path.split()[1] for path, _ in _verbs(greylag, "greylag")})


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (model.Flow, ("flow",)),
        (model.Ttl, ("flow",)),
        (model.Split, ("flow",)),
        (model.Python, ("flow",)),
        (model.Table, ()),
        (infrastructure.Run, ("service",)),
        (infrastructure.Count, ("service",)),
        (infrastructure.Concurrency, ("service",)),
        (infrastructure.Uses, ("service",)),
        (infrastructure.Api, ("service",)),
        (infrastructure.Cors, ("service",)),
        (infrastructure.Throttle, ("service",)),
        (infrastructure.Cache, ("service",)),
        (infrastructure.Queue, ("service",)),
        (infrastructure.Assets, ("service",)),
        (infrastructure.Lifecycle, ("service",)),
        (infrastructure.Infrastructure, ("infrastructure",)),
        (infrastructure.Database, ("infrastructure",)),
        (infrastructure.Capacity, ("infrastructure",)),
        (infrastructure.Backup, ("infrastructure",)),
        (traffic.Traffic, ("service",)),
        (traffic.Budget, ("service",)),
    ],
)
def test_every_key_has_an_example(section: type[Any], words: tuple[str, ...]) -> None:
    page = {model.__name__: "mapping.md", traffic.__name__: "cost.md"}.get(
        section.__module__, "infrastructure-keys.md"
    )
    texts = [block.text for block in blocks(DOCS / page) if block.language == "yaml" and block.words == words]
    for name, field in section.model_fields.items():
        key = field.alias or name
        assert any(re.search(rf"(^|[\s{{]){re.escape(key)}:", text) for text in texts), (
            f"{key} has no example"
        )


def test_every_part_of_a_template_is_documented() -> None:
    for origin in Origin:
        if origin is not Origin.FIELD:
            assert f"`{{{origin.value}" in MAPPING, origin
    for name in ("upper", "lower", "trim", "date", "pad:8"):
        assert isinstance(parse_filter(name, ""), Filter)
        assert f"`{name}`" in MAPPING
    assert "{@dataset}" in MAPPING


def test_every_filter_and_operator_is_documented() -> None:
    from greylag.core.mapping.errors import MappingError

    with pytest.raises(MappingError) as refused:
        parse_filter("zzzz", "")
    for name in re.findall(r"\w+", refused.value.advice.removeprefix("known are")):
        assert f"`{name}" in MAPPING, name
    with pytest.raises(MappingError) as refused:
        compile_where({"a": {"zzzz": 1}})
    for name in re.findall(r"\w+", refused.value.advice.removeprefix("known are")):
        assert f"`{name}`" in MAPPING, name


def test_every_type_is_documented() -> None:
    values = (DOCS / "values.md").read_text(encoding="utf-8")
    for name in TYPE_RULES:
        assert f"`{name}`" in MAPPING, name
    for name in TYPE_NAMES.values():
        assert f"`{name}`" in values, name


def test_the_item_with_a_hint_reads_back_as_documented() -> None:
    [block] = [each for each in blocks(DOCS / "values.md") if each.language == "json"]
    ref = DatasetRef("dynamo", "users")
    table = TableInfo("users", "1", ("userId",), {}, {"userId": "S"})
    flow = FlowSpec("users", "all", DatasetRef("files", "users"), TableSpec(ref, ("userId",)))
    codec = DynamoDBCodec(flow, table, "json")
    record: Document = {"userId": "u-1", "balance": Decimal("19.90")}
    assert identical(codec.decode(block.text.encode()), record)
    assert json.loads(codec.encode(Item(record)).body) == json.loads(block.text)


def test_every_exit_code_is_documented() -> None:
    page = (DOCS / "exit-codes.md").read_text(encoding="utf-8")
    rows = {error: int(code) for code, error in re.findall(r"^\| (\d+) \| `(\w+)`", page, re.MULTILINE)}
    kinds = {
        name: kind.exit_code
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.GreylagError)
    }
    assert rows == kinds


@pytest.mark.parametrize("kind", ["json", "mongodb", "dynamodb"])
def test_every_option_of_a_connection_is_documented(kind: str) -> None:
    page = (DOCS / "connectors" / f"{kind}.md").read_text(encoding="utf-8")
    for name, field in connector_type(kind).options.model_fields.items():
        assert f"| `{field.alias or name}`" in page, name


def test_links_lead_somewhere() -> None:
    dead = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in documents()
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert not dead
