"""A clock that jumps an hour ahead and two back while keys are held: none is written too early, none waits for ever."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from tests.faults import steps
from tests.faults.following import PATHS, Servers, session

if TYPE_CHECKING:
    from pathlib import Path

JUMPS = (3600.0, -3600.0, 0.0)
"""Seconds ahead of what is right."""


def test_a_clock_that_jumps(tmp_path: Path, mongodb_users_url: str, dynamodb_endpoint: str) -> None:
    servers = Servers(mongodb_users_url, dynamodb_endpoint)
    began = session(PATHS["mongodb-dynamodb"], tmp_path / "project", servers, f"clock{os.getpid()}", 0)
    try:
        began.end(signal.SIGKILL)
        clock = began.folder / steps.CLOCK
        clock.write_text("0")
        began.start()
        began.drained()
        for ahead in JUMPS:
            with began.ledger:
                time.sleep(0.2)
                assert began.running is not None
                for pid, role in began.running.workers().items():
                    if role == "apply":
                        os.kill(pid, signal.SIGKILL)
                draft = clock.with_suffix(".new")
                draft.write_text(str(ahead))
                draft.replace(clock)
                time.sleep(0.2)
            began.drained()
            began.compare()
    finally:
        began.close()
