"""Scratch folders go with their owners, and those of killed owners with the next."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from greylag.state.scratch import scratch

OWNER = """
import sys, time
from pathlib import Path
from greylag.state.scratch import scratch
with scratch(Path(sys.argv[1]), "plan-") as path:
    print(path, flush=True)
    sys.stdin.read()
"""


def test_it_is_gone_afterwards(tmp_path: Path) -> None:
    with scratch(tmp_path, "plan-") as path:
        (path / "spill").write_bytes(b"x")
    assert not list(tmp_path.iterdir())


def test_what_a_killed_owner_left_goes_and_what_a_living_one_has_stays(tmp_path: Path) -> None:
    with _owner(tmp_path) as killed, _owner(tmp_path) as living:
        left, kept = _folder(killed), _folder(living)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        with scratch(tmp_path, "plan-") as mine:
            assert {path for path in tmp_path.iterdir() if path.is_dir()} == {mine, kept}
        assert left != kept
        living.communicate()
    assert not list(tmp_path.iterdir())


def test_another_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "plan-of-mine").mkdir()
    with scratch(tmp_path, "plan-"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["plan-of-mine"]


def _owner(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _folder(owner: subprocess.Popen[str]) -> Path:
    assert owner.stdout is not None
    return Path(owner.stdout.readline().strip())
