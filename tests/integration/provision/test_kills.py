"""SIGKILL at every request that changes something: before it is sent, and after it is answered."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.integration.provision import killed
from tests.integration.provision.project import write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.provision.project import Servers

_MOST = 60
_THINGS = 6


def _until_done(folder: Path, servers: Servers, verb: str, when: killed.When) -> int:
    """Run until a run ends by itself; how many were killed."""
    for kills in range(_MOST):
        code = killed.run(folder, servers.environment, verb, when)
        if code == 0:
            return kills
        assert code == -signal.SIGKILL
    raise AssertionError(f"{verb} does not get on")


@pytest.mark.parametrize("when", ["before the second", "after the first"])
def test_it_goes_on_after_a_kill(tmp_path: Path, servers: Servers, name: str, when: killed.When) -> None:
    write(tmp_path, name, fifo="")
    assert _until_done(tmp_path, servers, "provision", when) >= _THINGS - 1
    made = servers.state(name)
    assert len(made) == _THINGS
    record = tmp_path / ".greylag" / "provisioned.json"
    entries = json.loads(record.read_text())["entries"]
    assert [each["state"] for each in entries] == ["made"] * _THINGS
    # Nothing is left over to be set: another run changes nothing.
    assert killed.run(tmp_path, servers.environment, "provision", "after the first") == 0
    assert servers.state(name) == made
    assert _until_done(tmp_path, servers, "deprovision", when) >= _THINGS - 1
    assert not servers.state(name)
    assert json.loads(record.read_text())["entries"] == []


def test_what_a_kill_left_half_made_can_be_removed(tmp_path: Path, servers: Servers, name: str) -> None:
    write(tmp_path, name, fifo="")
    for made in range(1, 5):
        assert killed.run(tmp_path, servers.environment, "provision", "after the first") == -signal.SIGKILL
        assert killed.run(tmp_path, servers.environment, "deprovision", "never") == 0
        assert not servers.state(name), made
