"""Samples of files too large to be read to their end, with the limit made small."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from greylag.connectors.json import sampling, source
from greylag.connectors.json.source import JsonSource

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.core.inventory import Sample

RECORDS: list[Any] = [{"n": number, "pad": "x" * (number % 90)} for number in range(20_000)]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sampling, source):
        monkeypatch.setattr(module, "PASSED_BYTES", 200_000)
    monkeypatch.setattr(sampling, "HELD_BYTES", 10_000)
    monkeypatch.setattr(source, "_SAMPLE_PAGE_BYTES", 5_000)


def numbers(sample: Sample) -> list[Any]:
    return [each.fields["n"] for page in sample.pages for each in page.records]


def test_large_files_of_lines_are_read_at_places_all_over(tmp_path: Path) -> None:
    text = "".join(json.dumps(each) + "\n" for each in RECORDS)
    (tmp_path / "things.jsonl").write_text(text)
    sample = JsonSource("files", tmp_path).sample("things", 1000)
    found = numbers(sample)
    assert "128 random places" in sample.bias
    assert not sample.whole
    assert 900 <= len(found) <= 1000
    assert len(set(found)) == len(found)
    for start in range(0, 20_000, 2000):
        assert any(start <= each < start + 2000 for each in found), start
    again = JsonSource("files", tmp_path).sample("things", 1000)
    assert numbers(again) == found, "the same file gives the same sample"


def test_of_a_large_array_the_beginning_is_read_and_said_so(tmp_path: Path) -> None:
    (tmp_path / "things.json").write_text(json.dumps(RECORDS))
    sample = JsonSource("files", tmp_path).sample("things", 500)
    found = numbers(sample)
    assert "the first" in sample.bias
    assert 300 <= len(found) <= 1000
    assert max(found) < 10_000
    assert found == sorted(found)
