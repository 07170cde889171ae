"""The examples run as their users run them, and the documents show what they print."""

from __future__ import annotations

import filecmp
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.documents import ROOT, assert_prints, blocks

FORUM = ROOT / "examples" / "forum"


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


def test_the_forums_data_is_what_the_generator_writes(tmp_path: Path) -> None:
    done = _run(FORUM / "generate.py", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    names = ["expected.json", "users/db.json", "threads/db.json", "posts/db.json"]
    same, different, missing = filecmp.cmpfiles(FORUM / "data", tmp_path, names, shallow=False)
    assert (sorted(same), different, missing) == (sorted(names), [], [])


@pytest.mark.parametrize("example", ["forum", "shop"])
def test_check_needs_neither_server_nor_credentials(example: str, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "MONGODB_URI": "mongodb://127.0.0.1:1"}
    done = subprocess.run(
        [Path(sys.executable).with_name("greylag"), "check"],
        cwd=ROOT / "examples" / example,
        env={**environment, "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.long
def test_both_examples_arrive_whole() -> None:
    """On a mongod and a DynamoDB Local of their own, compared with boto3 alone."""
    done = _run(ROOT / "examples" / "run.py", "--records", "20000")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_the_readme_shows_what_the_demo_prints() -> None:
    done = _run(FORUM / "demo.py")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    [shown] = [block.text for block in blocks(ROOT / "README.md") if block.words == ("demo",)]
    assert_prints(shown, done.stdout, "README.md")
