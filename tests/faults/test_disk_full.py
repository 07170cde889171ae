"""The disk under `.greylag` fills up in the middle of a run; with room made, the run goes on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from greylag.connectors.memory import items, put
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
