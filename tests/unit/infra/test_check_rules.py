"""Every rule broken once, and seen at its file and line; nothing else is blamed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from greylag.core.findings import Severity
from greylag.infra.check import check
from tests.unit.infra.folders import found, write

_CASES = Path(__file__).with_name("broken.txt").read_text(encoding="utf-8")
BROKEN = {
    name: (kind, f"{text.rstrip()}\n")
    for name, kind, text in re.findall(
        r"^## ([^\n]+): (\S+)\n(.*?)(?=^## |\Z)", _CASES, re.MULTILINE | re.DOTALL
    )
}


@pytest.mark.parametrize(("kind", "text"), BROKEN.values(), ids=BROKEN)
def test_it_is_caught_where_it_stands(kind: str, text: str, tmp_path: Path) -> None:
    name, line = write(text, tmp_path)
    [finding] = found(tmp_path)
    assert (finding.kind, finding.file, finding.line) == (kind, str(tmp_path / name), line)
    assert finding.message
    assert finding.advice


def test_the_nearest_name_is_offered(tmp_path: Path) -> None:
    write(BROKEN["an unknown resource"][1], tmp_path)
    [finding] = found(tmp_path)
    assert finding.message == "the AWS provider has no resource 'aws_sqs_queu'; did you mean 'aws_sqs_queue'?"


@pytest.mark.parametrize(
    "reason", ["# greylag:allow=wildcard-resource: no resources", "#checkov:skip=CKV_AWS_356:no resources"]
)
def test_a_reason_silences_a_policy(reason: str, tmp_path: Path) -> None:
    write(BROKEN["* in the resources"][1].replace("  statement {", f"  {reason}\n  statement {{"), tmp_path)
    assert not found(tmp_path)


def test_a_reason_is_needed(tmp_path: Path) -> None:
    write(BROKEN["* in the resources"][1].replace("#!", "# greylag:allow=wildcard-resource:"), tmp_path)
    assert [each.kind for each in found(tmp_path)] == ["wildcard-resource"]


def test_the_reason_for_one_thing_is_none_for_another(tmp_path: Path) -> None:
    write(BROKEN["* in the actions"][1].replace("#!", "# greylag:allow=wildcard-resource: no"), tmp_path)
    assert [each.kind for each in found(tmp_path)] == ["wildcard-action"]


def test_policies_can_be_left_out(tmp_path: Path) -> None:
    write(BROKEN["* in the resources"][1], tmp_path)
    assert not check(tmp_path, policy=False).findings


def test_the_worst_comes_first(tmp_path: Path) -> None:
    write(BROKEN["an unused variable"][1] + BROKEN["a misspelt argument"][1], tmp_path)
    assert [each.severity for each in found(tmp_path)] == [Severity.BLOCKER, Severity.WARNING]


def test_a_file_that_does_not_parse_leaves_the_others(tmp_path: Path) -> None:
    write(f"a = = 1\n=== below/main.tf\n{BROKEN['a misspelt argument'][1]}", tmp_path)
    assert {each.kind for each in found(tmp_path)} == {"unknown-argument", "syntax"}
