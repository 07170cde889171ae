"""Every module says what it takes and gives, in its files, in its README and in its example, and all three agree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from greylag.core.findings import Severity
from greylag.infra.check import check
from tests.unit.infra.module import MODULES, TABLES, declarations, tables

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = sorted(each.name for each in MODULES.iterdir() if (each / "README.md").is_file())
_CALL = re.compile(r'(?ms)^module "[^"]+" \{$(.*?)^\}$')
_META = {"source", "for_each", "count", "depends_on", "providers"}


@pytest.fixture(params=_NAMES)
def module(request: pytest.FixtureRequest) -> Path:
    folder: Path = MODULES / request.param
    return folder


def test_has_every_file(module: Path) -> None:
    wanted = {"main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md", "examples/basic/main.tf"}
    assert {each for each in wanted if not (module / each).is_file()} == set()


def test_variables_are_typed_and_described(module: Path) -> None:
    variables = [each for each in declarations(module) if each.kind == "variable"]
    assert variables
    for each in variables:
        assert each.description, f"{each.name} has no description"
        assert each.type, f"{each.name} has no type"
        assert not re.search(r"\bany\b", each.arguments["type"]), f"{each.name} takes any"


def test_outputs_are_described(module: Path) -> None:
    outputs = [each for each in declarations(module) if each.kind == "output"]
    assert outputs
    assert [each.name for each in outputs if not each.description] == []


def test_name_and_tags_are_taken_by_all(module: Path) -> None:
    by_name = {each.name: each for each in declarations(module) if each.kind == "variable"}
    assert by_name["name"].type == "string"
    assert by_name["tags"].type == "map(string)"
    assert by_name["tags"].default == "`{}`"
    body = (module / "variables.tf").read_text(encoding="utf-8")
    assert re.search(r"var\.name\b", body), "name is not validated"


def test_readme_holds_the_tables(module: Path) -> None:
    found = TABLES.search((module / "README.md").read_text(encoding="utf-8"))
    assert found, "the README has no `## Inputs`"
    assert found.group(0) == tables(module), "write it anew: python -m tests.unit.infra.module"


def test_versions_are_the_same_everywhere(module: Path) -> None:
    text = (module / "versions.tf").read_text(encoding="utf-8")
    assert re.search(r'required_version = ">= 1\.9"', text)
    assert re.search(r'source\s+= "hashicorp/aws"\s+version\s+= ">= 6\.28"', text)


def test_example_gives_what_is_needed_and_nothing_else(module: Path) -> None:
    example = module / "examples" / "basic"
    calls = _CALL.findall((example / "main.tf").read_text(encoding="utf-8"))
    assert any('source = "../.."' in re.sub(r"source\s+=", "source =", call) for call in calls)
    for call in calls:
        source = re.search(r'^  source\s+= "([^"]+)"$', call, re.MULTILINE)
        assert source, "a call without a source"
        taken = [
            each for each in declarations((example / source.group(1)).resolve()) if each.kind == "variable"
        ]
        given = set(re.findall(r"^  (\w+)\s+=", call, re.MULTILINE)) - _META
        assert given <= {each.name for each in taken}
        assert {each.name for each in taken if each.default == "required"} <= given


def test_speaks_the_provider_s_language(module: Path) -> None:
    report = check(module, policy=False)
    assert [each for each in report.findings if each.severity is not Severity.NOTE] == []
