"""The disk under `.greylag` fills up in the middle of a run; with room made, the run goes on."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from greylag.connectors.memory import items, put, write
from tests.command import Command

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """
project: full
connections:
  a: {kind: memory, path: source.sqlite}
  b: {kind: memory, path: target.sqlite}
services:
  s:
    flows:
      things:
        from: a.things
        to: b.things
        key: {pk: "{@row}"}
        rename: {kept: text}
"""
# A small file system of its own, in a mount namespace that ends with the script.
SCRIPT = """
mount -t tmpfs -o size=600k tmpfs .greylag || exit 99
"$0" -c "from greylag.cli import main; main()" run --page-bytes 20000 --processes 1; echo "first $?"
mount -o remount,size=64m .greylag
"$0" -c "from greylag.cli import main; main()" run --page-bytes 20000 --processes 1; echo "second $?"
wc -l < .greylag/quarantine/things.jsonl
"""


def can_mount() -> bool:
    """Whether this user may mount in a namespace of its own: not so in some containers."""
    if not shutil.which("unshare"):
        return False
    trial = ["unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="this user may not mount a file system of its own (unshare -rm)")
def test_a_full_disk_ends_the_run_and_room_lets_it_go_on(tmp_path: Path) -> None:
    Command(tmp_path).write(PROJECT)
    # Every other record has both names, so that it cannot be carried and stands in quarantine whole.
    put(
        tmp_path / "source.sqlite",
        "things",
        ({"kept": "x" * 700, "n": n, **({"text": 1} if n % 2 else {})} for n in range(2000)),
    )
    (tmp_path / ".greylag").mkdir()
    ended = subprocess.run(
        ["unshare", "-rm", "sh", "-c", SCRIPT, sys.executable],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "first 8" in ended.stdout, ended.stdout + ended.stderr
    assert "Free some space" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "second 10" in ended.stdout, ended.stdout + ended.stderr
    assert ended.stdout.split()[-1] == "1000"
    assert {item["pk"] for item in items(tmp_path / "target.sqlite", "things")} == set(range(0, 2000, 2))


FOLLOWED = """
project: full
connections:
  a: {kind: memory, path: source.sqlite, family: bson}
  b: {kind: memory, path: target.sqlite}
services:
  s: {flows: {things: {from: a.things, to: b.things, key: {name: "{name}"}}}}
"""
FOLLOW = """
mount -t tmpfs -o size=400k tmpfs .greylag/{place} || exit 99
"$0" -c "from greylag.cli import main; main()" run --follow --processes 1; echo "first $?" >> told
mount -o remount,size=64m .greylag/{place}
exec "$0" -c "from greylag.cli import main; main()" run --follow --processes 1
"""


@pytest.mark.long
@pytest.mark.skipif(not can_mount(), reason="this user may not mount a file system of its own (unshare -rm)")
@pytest.mark.parametrize("place", ["spool", "apply"])
def test_a_full_disk_ends_following_and_room_lets_it_go_on(tmp_path: Path, place: str) -> None:
    """Under the spool, and under what apply keeps: its position, its index."""
    Command(tmp_path).write(FOLLOWED)
    source, told = tmp_path / "source.sqlite", tmp_path / "told"
    records: dict[int, Any] = {n: {"_id": n, "name": f"n{n}", "text": "x" * 500} for n in range(10)}
    put(source, "things", records.values(), family="bson")
    (tmp_path / ".greylag" / place).mkdir(parents=True)
    with (tmp_path / "said").open("w") as said:
        process = subprocess.Popen(
            ["unshare", "-rm", "sh", "-c", FOLLOW.format(place=place), sys.executable],
            cwd=tmp_path,
            stdout=said,
            stderr=said,
        )
    try:
        deadline = time.monotonic() + 240
        while not told.exists():  # the application writes until the disk is full
            assert process.poll() is None, (tmp_path / "said").read_text()
            assert time.monotonic() < deadline
            for number in range(len(records), len(records) + 50):
                records[number] = {"_id": number, "name": f"n{number}", "text": "x" * 500}
                write(source, "things", [records[number]])
            records[5] = {"_id": 5, "name": f"moved{len(records)}", "text": "y"}
            write(source, "things", [records[5]])
        assert told.read_text() == "first 8\n", (tmp_path / "said").read_text()
        while {each["_id"]: each for each in items(tmp_path / "target.sqlite", "things")} != records:
            assert process.poll() is None, (tmp_path / "said").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        process.terminate()
        process.wait(60)
    assert "Traceback" not in (tmp_path / "said").read_text()
