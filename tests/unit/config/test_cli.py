"""The command line: exit codes, no traceback, lazy verbs, `check` and `schema`."""

from __future__ import annotations

import errno
import importlib
import json
import subprocess
import sys
import types
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

from greylag import errors
from greylag.cli import root
from greylag.cli.invocation import Invocation
from greylag.connectors.compiled import library

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

FILE = """\
project: shop
connections:
  mongo: {kind: mongodb, url: "${URL:-mongodb://x}", database: shop}
  dynamo: {kind: dynamodb, region: us-east-1}
services:
  catalogue:
    flows:
      products: {from: mongo.products, to: dynamo.products, key: {id: "P#{_id}"}}
"""


INTERRUPTED = "greylag: interrupted\nNothing was changed; the same command begins anew.\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("URL", raising=False)


def greylag(*arguments: str) -> Result:
    return CliRunner().invoke(root.greylag, list(arguments), prog_name="greylag")


def write(text: str, name: str = "greylag.yaml") -> None:
    from pathlib import Path

    Path(name).write_text(text)


def test_help_names_every_verb_and_imports_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    monkeypatch.setattr(importlib, "import_module", refuse)
    result = greylag("--help")
    assert result.exit_code == 0
    for verb in ("check", "schema", "preview", "run", "verify", "repair", "quarantine", "status", "lab"):
        assert f"  {verb} " in result.output


def test_a_wrong_command_line() -> None:
    result = greylag("chekc")
    assert result.exit_code == 2
    assert "there is no command 'chekc'; did you mean 'check'?" in result.stderr
    assert greylag("check", "--unheard").exit_code == 2


def test_version(monkeypatch: pytest.MonkeyPatch) -> None:
    told = greylag("--version").output
    assert told.startswith("greylag, version 0.")
    assert told.endswith(" (compiled cores: carry, proof)\n")
    monkeypatch.setattr(library, "load", lambda _: None)
    assert greylag("--version").output.endswith(" (compiled cores: none)\n")


def test_check_says_what_the_file_means() -> None:
    write(FILE)
    result = greylag("check")
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        "project shop\n\n"
        "service    flow      from            to\n"
        "catalogue  products  mongo.products  dynamo.products\n\n"
        "table            key     indexes\n"
        "dynamo.products  id (S)\n\n"
        "greylag.yaml is valid; --connect tries the connections\n"
    )


def test_check_as_json() -> None:
    write(FILE)
    found = json.loads(greylag("check", "--json").stdout)
    assert found["ok"] is True
    assert found["flows"] == [
        {"flow": "products", "service": "catalogue", "from": "mongo.products", "to": "dynamo.products"}
    ]
    assert found["tables"][0]["key_types"] == {"id": "S"}
    assert found["problems"] == []


def test_check_connects_to_each_as_it_is_used() -> None:
    write(FILE)
    result = greylag("check", "--connect")
    assert result.exit_code == 0
    assert "mongo       mongodb   source  ok\ndynamo      dynamodb  target  ok\n" in result.stdout


def test_check_looks_for_datasets_when_it_connects() -> None:
    write(FILE.replace("mongo.products", "mongo.missing"))
    assert greylag("check").exit_code == 0
    result = greylag("check", "--connect")
    assert result.exit_code == errors.SchemaError.exit_code
    assert "mongo.missing  mongodb   source  there is no 'missing'\n" in result.stdout
    assert result.stderr == "greylag: there is no 'missing'\nIt has: products.\n"


def test_quarantine_of_a_flow_that_does_not_exist() -> None:
    write(FILE)
    assert greylag("quarantine", "list", "products").exit_code == 0
    for arguments in (("list", "product"), ("show", "product", "1")):
        result = greylag("quarantine", *arguments)
        assert result.exit_code == errors.ConfigurationError.exit_code
        assert (
            result.stderr
            == "greylag: there is no flow 'product'; did you mean 'products'?\nFlows: products.\n"
        )


def test_check_says_which_connection_fails_without_its_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    write(FILE)
    monkeypatch.setenv("URL", "mongodb://u:hunter2@away")
    result = greylag("check", "--connect")
    assert result.exit_code == errors.TransientError.exit_code
    assert "mongo       mongodb   source  ${URL} did not answer\n" in result.stdout
    assert "dynamo      dynamodb  target  ok\n" in result.stdout
    assert result.stderr == "greylag: ${URL} did not answer\nIs it running?\n"
    answer = json.loads(greylag("check", "--connect", "--json").stdout)
    assert answer["ok"] is False
    assert [each["ok"] for each in answer["connections"]] == [False, True]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1\nb: 2\n", "greylag.yaml:2: this is not YAML: "),
        (
            FILE.replace("key:", "kee:"),
            "greylag.yaml:8: unknown key 'kee' in flow products; did you mean 'key'?",
        ),
        (FILE.replace("URL:-mongodb://x", "URL"), "greylag.yaml:3: the variable URL is not set"),
        (FILE.replace("P#{_id}", "P#{_id"), "greylag.yaml:8: flow products, attributes.id: "),
        (
            FILE.replace("key:", 'python: "no_such_module:f", key:'),
            "greylag.yaml:8: flow products: 'no_such_module:f'",
        ),
        (
            FILE.replace('key: {id: "P#{_id}"}', 'attributes: {id: "P#{_id}"}')
            + '      more: {from: mongo.more, to: dynamo.products, attributes: {id: "P#{n}"}}\n'
            + "tables: {products: {in: dynamo, key: [id]}}\n",
            "greylag.yaml:9: flows products and more both claim items of table products",
        ),
    ],
)
def test_mistakes_have_an_exit_code_and_no_traceback(text: str, expected: str) -> None:
    write(text)
    result = greylag("check")
    assert result.exit_code == 3
    assert result.stderr.startswith(expected)
    assert "Traceback" not in result.output
    problems = json.loads(greylag("check", "--json").stdout)["problems"]
    assert expected.startswith(f"{problems[0]['file']}:{problems[0]['line']}: ")


def test_no_file() -> None:
    result = greylag("check")
    assert result.exit_code == 3
    assert result.stderr.startswith("greylag: there is no greylag.yaml\nRun greylag in the project's folder")


def test_options_stand_before_or_after_the_verb() -> None:
    write(FILE + "environments: {prod: {project: bigshop}}\n", "other.yaml")
    for arguments in (
        ("-f", "other.yaml", "--env", "prod", "check"),
        ("check", "--file", "other.yaml", "--env", "prod"),
        ("--env", "prod", "check", "-f", "other.yaml"),
    ):
        assert greylag(*arguments).stdout.startswith("project bigshop, environment prod\n")


def test_schema_prints_json() -> None:
    assert json.loads(greylag("schema").stdout)["title"] == "greylag.yaml"
    assert greylag("schema", "--json").exit_code == 0


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the verb `status` raise."""

    def fail_with(error: BaseException) -> None:
        @click.command()
        @click.option("--json", "as_json", is_flag=True)
        @click.pass_obj
        def status(invocation: Invocation, *, as_json: bool) -> None:
            assert isinstance(invocation, Invocation)
            raise error

        module = types.ModuleType("greylag.cli.status")
        module.status = status  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "greylag.cli.status", module)

    return fail_with


def test_the_place_of_a_defect_is_in_the_package_whatever_folders_are_called(failing: Any) -> None:
    try:
        exec(compile("raise KeyError", "/home/greylag/plugin.py", "exec"))
    except KeyError as error:
        failing(error)
    assert "KeyError in greylag/cli/root.py, line " in greylag("status").stderr


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (
            errors.StateError("the state is another's", advice="Use --restart."),
            7,
            "greylag: the state is another's\nUse --restart.\n",
        ),
        (errors.VerificationFailed("2 differ"), 11, "greylag: 2 differ\n"),
        (
            OSError(errno.ENOSPC, "No space left", "state.sqlite"),
            8,
            "greylag: the disk is full at state.sqlite\n",
        ),
        (OSError(errno.EDQUOT, "Quota"), 8, "greylag: the disk is full\n"),
        (
            OSError(errno.EACCES, "Permission denied", ".greylag"),
            5,
            "greylag: .greylag: permission denied\nGive the user that runs greylag permission",
        ),
        (MemoryError(), 8, "greylag: this process may use no more memory\n"),
        (KeyboardInterrupt(), 130, INTERRUPTED),
        (click.Abort(), 130, INTERRUPTED),
        (KeyError("s3cret"), 1, "greylag: a defect in Greylag: KeyError in greylag/cli/root.py, line "),
        (OSError(errno.EACCES, "s3cret"), 1, "greylag: a defect in Greylag: PermissionError in "),
    ],
)
def test_what_becomes_of_an_error(failing: Any, error: BaseException, code: int, told: str) -> None:
    failing(error)
    result = greylag("status")
    assert result.exit_code == code
    assert result.stderr.startswith(told)
    assert "Traceback" not in result.output
    assert "s3cret" not in result.output


@pytest.mark.parametrize(
    ("verb", "left"),
    [
        ("plan", "Nothing was changed; the same command begins anew."),
        ("run", "The same command goes on from the last checkpoint."),
        ("repair", "The same command may be run again."),
    ],
)
def test_what_an_interruption_leaves_depends_on_the_verb(
    monkeypatch: pytest.MonkeyPatch, verb: str, left: str
) -> None:
    @click.command()
    def interrupted() -> None:
        raise KeyboardInterrupt

    module = types.ModuleType(f"greylag.cli.{verb}")
    setattr(module, verb, interrupted)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    result = greylag(verb)
    assert (result.exit_code, result.stderr) == (130, f"greylag: interrupted\n{left}\n")


def test_an_interruption_before_a_verb_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(click.Group, "parse_args", interrupted)
    result = greylag("status")
    assert (result.exit_code, result.stderr) == (130, "greylag: interrupted\n")


def test_a_signal_while_the_command_is_still_being_imported() -> None:
    program = """
import os, signal, sys

class Finder:
    def find_spec(self, name, *_):
        if name == "greylag.cli.root":
            os.kill(os.getpid(), signal.SIGTERM)

sys.meta_path.insert(0, Finder())
from greylag.cli import main
main()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (130, "greylag: interrupted\n")


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (errors.StateError("the state is another's", advice="Use --restart."), "StateError", 7),
        (KeyboardInterrupt(), "Interrupted", 130),
        (KeyError("s3cret"), "GreylagError", 1),
        (OSError(errno.ENOSPC, "No space left", "state.sqlite"), "ResourceError", 8),
        (click.UsageError("no such thing"), "UsageError", 2),
    ],
)
def test_json_is_a_document_of_an_error_too(failing: Any, error: BaseException, kind: str, code: int) -> None:
    failing(error)
    result = greylag("status", "--json")
    assert result.exit_code == code
    told = json.loads(result.stdout)["error"]
    assert (told["kind"], told["exit_code"]) == (kind, code)
    assert told["message"]
    assert "s3cret" not in result.output
    assert greylag("status").stdout == ""


@pytest.mark.parametrize("arguments", [("--debug", "status"), ("status", "--debug")])
def test_debug_shows_the_traceback(failing: Any, arguments: tuple[str, ...]) -> None:
    failing(KeyError("x"))
    result = greylag(*arguments)
    assert result.exit_code == 1
    assert "Traceback (most recent call last)" in result.stderr


def test_a_verb_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", fail)
    result = greylag("run", "--debug")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr


@pytest.mark.parametrize("verb", list(root.VERBS))
def test_every_verb_has_json_and_the_project_options(verb: str) -> None:
    try:
        command = root.greylag.get_command(click.Context(root.greylag), verb)
    except ModuleNotFoundError as error:
        pytest.skip(f"{verb} waits for {error.name}")
    if command is None:
        pytest.skip(f"{verb} is not in this version")
    leaves = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    for leaf in leaves:
        taken = {text for param in leaf.params for text in param.opts}
        assert {"--json", "--file", "--env", "--debug"} <= taken, leaf.name


def test_a_run_refuses_what_check_refuses_before_it_connects() -> None:
    write(FILE.replace("P#{_id}", "P#{_id"))
    result = greylag("run")
    assert result.exit_code == 3
    assert result.stderr.startswith("greylag.yaml:8: flow products, attributes.id: ")


def test_check_tries_a_connection_that_no_flow_uses() -> None:
    write(FILE.replace("connections:\n", "connections:\n  spare: {kind: json, path: data}\n"))
    result = greylag("check", "--connect")
    assert "spare       json      source  ok\n" in result.stdout


def test_a_source_that_is_written_to() -> None:
    write(
        FILE.replace("  mongo:", "  forum: {kind: json, path: data}\n  mongo:").replace(
            "to: dynamo.", "to: forum."
        )
    )
    result = greylag("check")
    assert result.exit_code == 3
    assert result.stderr == "greylag.yaml:9: `to` of flow products: kind json is a source only\n"


def test_options_that_only_the_connector_can_refuse() -> None:
    write(FILE.replace("database: shop", "database: refused"))
    result = greylag("check")
    assert result.exit_code == 3
    assert result.stderr == "greylag.yaml:3: connection mongo: the database cannot be 'refused'\n"
