"""The guides to infrastructure say what the modules are: their alarms, their names, their suppressions."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.integration.documents import ROOT

GUIDES = ROOT / "docs" / "guides"
INFRA = ROOT / "src" / "greylag" / "infra"
MODULES = sorted(each.name for each in (INFRA / "modules").iterdir() if (each / "main.tf").exists())


def _alarms() -> list[Any]:
    """Each alarm's key, threshold, periods and missing data, from the module's variables."""
    text = (INFRA / "modules" / "monitoring" / "variables.tf").read_text(encoding="utf-8")
    found = re.findall(
        r"(\w+) = optional\(object\(\{\s*enabled\s*= optional\(bool, true\)"
        r"\s*threshold\s*= optional\(number, (\d+)\)\s*periods\s*= optional\(number, (\d+)\)"
        r'\s*missing_data\s*= optional\(string, "(\w+)"\)',
        text,
    )
    assert len(found) == text.count("enabled ")
    return [pytest.param(*each, id=each[0]) for each in found]


@pytest.mark.parametrize(("key", "threshold", "periods", "missing"), _alarms())
def test_every_alarm_stands_in_the_guide_with_its_default(
    key: str, threshold: str, periods: str, missing: str
) -> None:
    page = (GUIDES / "monitoring.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| `{key}` \| `([a-z0-9-]+)-…` \| (\d+) .*\| (\d+) \| (\w+) \|$", page, re.MULTILINE)
    assert row is not None
    assert row.groups()[1:] == (threshold, periods, missing)
    module = INFRA / "modules" / "monitoring"
    named = "".join(file.read_text(encoding="utf-8") for file in sorted(module.glob("*.tf")))
    assert f'"{row[1]}-${{key}}' in named
    section = page.partition(f"\n### {key}\n")[2].partition("\n#")[0]
    assert len(section) > 100, "no word on what it means and what to do"


def test_every_module_is_in_the_guide() -> None:
    page = (GUIDES / "infrastructure.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)
    assert [each for each in MODULES if f"| `{each}` |" not in page] == []


def _skips() -> set[tuple[str, str]]:
    """Each suppressed check with where it is: the module, or "rendered"."""
    places = [(file, file.parent.name) for file in sorted((INFRA / "modules").glob("*/*.tf"))]
    places += [(file, "rendered") for file in sorted((INFRA / "render").glob("*.py"))]
    return {
        (check, place)
        for file, place in places
        for check in re.findall(r"checkov:skip=(\w+):", file.read_text(encoding="utf-8"))
    }


def test_every_suppression_has_its_reason_in_the_guide() -> None:
    page = (GUIDES / "security.md").read_text(encoding="utf-8")
    told = {
        (check, place)
        for check, places, reason in re.findall(r"^\| `(CKV2?_\w+)` \| (.*?) \| (.+) \|$", page, re.MULTILINE)
        for place in re.sub(r" \([^)]*\)", "", places).split(", ")
        if reason
    }
    assert told == _skips()
