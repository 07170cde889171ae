"""Runs over connections that throttle, lose answers, raise and kill: repeated, each ends with target == source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greylag.connectors.memory import items, put
from greylag.core.values import ObjectId
from tests.command import Command

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.core.values import Document

RECORDS = 2000
PROJECT = """
project: faulty
connections:
  a: {{kind: faulty, seed: {seed}, marks: marks-a, faults: {{short_page: 0.2, transient: 0.02, death: 0.02}},
       inner: {{kind: memory, path: source.sqlite, family: bson}}}}
  b: {{kind: faulty, seed: {seed}, marks: marks-b, slow_seconds: 0.01,
       faults: {{throttle: 0.1, repeat: 0.1, slow: 0.05, transient: 0.01, unknown: 0.01, death: 0.01}},
       inner: {{kind: memory, path: target.sqlite}}}}
services:
  s:
    flows:
      things:
        from: a.things
        to: b.things
        key: {{pk: "{{n}}"}}
        where: {{skip: {{exists: false}}}}
"""


def run_until_done(command: Command, *arguments: str, most: int = 200) -> int:
    """Repeat `greylag run` until it has nothing left to do; how often it had to be repeated."""
    for attempt in range(most):
        ended = command("run", *arguments, expect=None)
        if ended.returncode in (0, 10):
            return attempt
        assert ended.returncode in (4, -9), f"exit code {ended.returncode}: {ended.stderr}"
    raise AssertionError(f"not done after {most} runs")


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 40))])
def test_a_run_over_faulty_connections_ends_with_exactly_the_source(tmp_path: Path, seed: int) -> None:
    command = Command(tmp_path)
    command.write(PROJECT.format(seed=seed))
    documents: list[Document] = [
        {"_id": ObjectId(n.to_bytes(12, "big")), "n": n, "text": "x" * (n % 90)} for n in range(RECORDS)
    ]
    documents[7]["skip"] = True
    documents[11]["n"] = 12  # one key twice: both in quarantine
    documents[13]["n"] = "13"  # not the key's type... which the memory connector takes
    del documents[17]["n"]  # no key
    put(tmp_path / "source.sqlite", "things", documents, family="bson")
    attempts = run_until_done(
        command, "--partition-bytes", "20000", "--page-bytes", "2000", "--processes", "2"
    )
    assert attempts > 0, "no fault struck: the test proves nothing"
    expected = {str(each["n"]) for each in documents if "n" in each} - {"7", "12"}
    stored = items(tmp_path / "target.sqlite", "things")
    assert {str(item["pk"]) for item in stored} == expected
    assert len(stored) == len(expected)
    by_id = {str(item["_id"]): item for item in stored}
    for each in documents:
        if str(each["_id"]) in by_id:
            assert by_id[str(each["_id"])]["text"] == each["text"]
    (flow,) = command.json("status")["flows"]
    assert (flow["records_read"], flow["records_filtered"]) == (RECORDS, 1)
    assert flow["items_written"] == len(expected)
    assert flow["records_quarantined"] == 3
    assert command.json("quarantine", "list")["total"] == 3
