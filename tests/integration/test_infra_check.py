"""All Terraform of Greylag is clean: every module, every example of one, what is rendered for each example project."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from greylag.cli.infra import infra
from greylag.core.findings import Severity
from greylag.infra.check import Report, check
from tests.command import Command
from tests.integration.documents import ROOT
from tests.unit.infra.folders import write
from tests.unit.infra.module import MODULES

if TYPE_CHECKING:
    from greylag.core.findings import Finding

FINISHED = sorted(each.name for each in MODULES.iterdir() if (each / "README.md").is_file())
PROJECTS = sorted(each.parent.name for each in (ROOT / "examples").glob("*/greylag.yaml"))
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
PUBLIC = 'resource "aws_s3_bucket" "this" {\n  bucket = "public"\n}\n'


def _mattering(report: Report) -> list[Finding]:
    return [each for each in report.findings if each.severity >= Severity.WARNING]


def _render(project: str, into: Path) -> None:
    """The Terraform of an example project. Its variables have no values here, and rendering needs none."""
    shutil.copytree(
        ROOT / "examples" / project, into, ignore=shutil.ignore_patterns(".greylag", "__pycache__")
    )
    Command(into, {"MONGODB_URI": "mongodb://127.0.0.1:1"})("infra", "render")


@pytest.fixture
def checkov() -> Path:
    version = next(
        line.split(":=")[1].strip()
        for line in (ROOT / "Makefile").read_text().splitlines()
        if line.startswith("CHECKOV_VERSION ")
    )
    cached = _CACHE / "greylag" / f"checkov-{version}" / "bin" / "checkov"
    named = os.environ.get("GREYLAG_CHECKOV")
    program = Path(named) if named else cached
    if not program.is_file():
        pytest.fail(f"{program} is missing: `make checkov` installs it")
    return program


@pytest.mark.parametrize("module", FINISHED)
def test_a_module_and_its_examples_are_clean(module: str) -> None:
    assert _mattering(check(MODULES / module)) == []


@pytest.mark.skipif("render" not in infra.commands, reason="this version renders nothing")
@pytest.mark.parametrize("project", PROJECTS)
def test_what_is_rendered_is_clean(project: str, tmp_path: Path) -> None:
    _render(project, tmp_path / project)
    assert _mattering(check(tmp_path / project / "infrastructure" / "terraform")) == []


@pytest.mark.long
def test_checkov_finds_nothing(checkov: Path, tmp_path: Path) -> None:
    """One run over everything, since starting checkov takes most of its time."""
    for module in FINISHED:
        shutil.copytree(MODULES / module, tmp_path / "all" / "modules" / module)
    for project in PROJECTS if "render" in infra.commands else []:
        _render(project, tmp_path / project)
        shutil.copytree(tmp_path / project / "infrastructure", tmp_path / "all" / project)
    report = check(tmp_path / "all", program=checkov)
    assert report.policies is not None
    assert report.policies.passed > 100
    assert _mattering(report) == []


def test_checkov_is_asked_and_its_findings_told(checkov: Path, tmp_path: Path) -> None:
    write(PUBLIC, tmp_path)
    command = Command(tmp_path, {"GREYLAG_CHECKOV": str(checkov)})
    report = command.json("infra", "check", ".", "--fail-on", "warning", expect=12)
    assert report["checkov"]["version"]
    [finding] = [each for each in report["findings"] if each["kind"] == "CKV2_AWS_6"]
    assert (finding["file"], finding["line"], finding["name"]) == ("main.tf", 1, "aws_s3_bucket.this")


def test_without_checkov_the_report_says_so(tmp_path: Path) -> None:
    write(PUBLIC, tmp_path)
    nowhere = Command(tmp_path, {"PATH": "", "GREYLAG_CHECKOV": ""})
    report = nowhere.json("infra", "check", str(tmp_path))
    [note] = [each for each in report["findings"] if each["kind"] == "no-checkov"]
    assert note["severity"] == "note"
    assert "pip install checkov" in note["advice"]
    assert report["checkov"] is None
    assert "checkov is not installed" in nowhere("infra", "check", str(tmp_path)).stdout


def test_a_checkov_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    write(PUBLIC, tmp_path)
    Command(tmp_path)("infra", "check", ".", "--checkov", "nowhere/checkov", expect=8)


def test_the_exit_code_is_what_fail_on_says(tmp_path: Path) -> None:
    write('variable "unused" {\n  type = string\n}\n', tmp_path / "infrastructure" / "terraform")
    command = Command(tmp_path, {"PATH": "", "GREYLAG_CHECKOV": ""})
    command("infra", "check")
    ended = command("infra", "check", "--fail-on", "warning", expect=12)
    assert "infrastructure/terraform/main.tf:1: warning: variable unused" in ended.stdout
    assert "--fail-on warning" in ended.stderr
    command("infra", "check", "--fail-on", "note", "--no-policy", expect=12)


def test_without_python_hcl2_the_error_says_what_to_install(tmp_path: Path) -> None:
    write(PUBLIC, tmp_path)
    (tmp_path / "hcl2.py").write_text("raise ImportError")
    ended = Command(tmp_path, {"PYTHONPATH": str(tmp_path)})("infra", "check", ".", expect=8)
    assert "pip install 'greylag[infra]'" in ended.stderr


def test_a_folder_without_terraform_is_an_error(tmp_path: Path) -> None:
    command = Command(tmp_path)
    assert "there is no folder infrastructure/terraform" in command("infra", "check", expect=3).stderr
    assert "no .tf file" in command("infra", "check", ".", expect=3).stderr
