"""Runs `greylag` commands in processes that are forked from one which has imported everything (`preloaded`).

What an episode tests begins many processes, and a second of imports in each would be most of its time. Everything else
is as a user's: each command is a process of its own in a group of its own, its workers are processes of their own.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from multiprocessing import connection, forkserver
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults import steps

if TYPE_CHECKING:
    from collections.abc import Sequence

END_SECONDS = 120.0


class Running:
    """A command that was begun."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.out = folder / f"out-{time.monotonic_ns()}.txt"
        multiprocessing.set_forkserver_preload(["tests.faults.preloaded"])
        context = multiprocessing.get_context("forkserver")
        self._process = context.Process(target=_live, args=(arguments, str(folder), str(self.out)))
        self._process.start()
        self.pid: int = self._process.pid or 0

    @property
    def code(self) -> int | None:
        """How it ended, None while it runs."""
        return self._process.exitcode

    @property
    def text(self) -> str:
        """What it has said so far."""
        return self.out.read_text() if self.out.exists() else ""

    def send(self, number: int) -> None:
        """Send it a signal, if it is there."""
        if self._process.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, seconds: float = END_SECONDS) -> int:
        """Its exit code."""
        self._process.join(seconds)
        code = self._process.exitcode
        assert code is not None, f"process {self.pid} has not ended\n{self.text}"
        return code

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal and wait."""
        self.send(number)
        return self.wait()

    def workers(self) -> dict[int, str]:
        """The processes that work in its folder, by what they do: capture, apply, worker."""
        found = {}
        for each in Path("/proc").iterdir():
            if each.name.isdigit():
                with contextlib.suppress(OSError):
                    name = (each / "comm").read_text().strip()
                    if name.startswith(steps.NAMED) and (each / "cwd").readlink() == self.folder:
                        found[int(each.name)] = name.removeprefix(steps.NAMED)
        return found


def call(folder: Path, *arguments: str) -> tuple[int, str]:
    """A command's exit code and what it said."""
    running = Running(folder, *arguments)
    try:
        return running.wait(), running.text
    finally:
        running.send(signal.SIGKILL)


def _live(arguments: Sequence[str], folder: str, out: str) -> None:
    os.setsid()
    os.chdir(folder)
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(descriptor, number)
    threading.Thread(target=_end_with_the_test, daemon=True).start()
    _fork_workers()
    steps.begin("coordinator")
    from greylag.cli import main

    sys.argv = ["greylag", *arguments]
    main()


def _end_with_the_test() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)


def _fork_workers() -> None:
    """This process's workers come from where it came from, not by "spawn"."""
    forkserver._forkserver.ensure_running = lambda: None  # type: ignore[method-assign]
    context = multiprocessing.get_context("forkserver")
    multiprocessing.get_context = lambda method=None: context  # type: ignore[assignment]
