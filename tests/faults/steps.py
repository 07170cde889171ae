"""The durable steps of a process and a kill at one of them; and a clock that jumps.

A step is whatever makes something durable or visible to other processes: a commit of SQLite, an fsync, a file put in
another's place or removed. A process that was told so kills itself just before or just after its Nth step. What is told
stands in the file `kill-at` of its folder, and counts once: the process that is started in its place lives. On the way
back capture is a thread of the coordinator's; CAPTURING is the role of that thread, whose steps are counted apart.

In a folder with a file `clock` the processes' `time.time` is ahead by the seconds that stand in it, at any moment. The
clock that does not jump is the system's.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import sqlite3
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

NAMED: Final = "greylag-"
TOLD: Final = "kill-at"
DONE: Final = "killed-at"
CLOCK: Final = "clock"
CAPTURING: Final = "capturing"


class _Life:
    role = ""
    at = 0
    when = ""
    done = 0


_life = _Life()


def tell(folder: Path, role: str, at: int, when: str) -> None:
    """The next process of this role in `folder` kills itself `when` ("before", "after") it takes its step `at`."""
    (folder / DONE).unlink(missing_ok=True)
    draft = folder / f"{TOLD}.new"
    draft.write_text(json.dumps([role, at, when]))
    draft.replace(folder / TOLD)


def killed(folder: Path) -> bool:
    """Whether it has."""
    return (folder / DONE).exists()


def unsay(folder: Path) -> None:
    """Nobody is to be killed any more who has not begun yet."""
    (folder / TOLD).unlink(missing_ok=True)


def begin(role: str) -> None:
    """This process is of that role."""
    _life.role = role
    if Path(CLOCK).exists():
        time.time = _ahead
    told = Path(TOLD)
    with contextlib.suppress(FileNotFoundError):
        of, at, when = json.loads(told.read_text())
        if of == role or (of == CAPTURING and role == "coordinator"):
            _rename(told, f"{TOLD}.taken")
            _life.role, _life.at, _life.when = of, at, when


def named(serve: Callable[..., None]) -> Callable[..., None]:
    """A worker process is called by its work, so that a test knows whom it kills."""

    @functools.wraps(serve)
    def life(work: Any, *more: Any) -> None:
        role = {"CaptureWork": "capture", "ApplyWork": "apply"}.get(type(work).__name__, "worker")
        Path("/proc/self/comm").write_text(f"{NAMED}{role}")
        begin(role)
        serve(work, *more)

    return life


def install() -> None:
    """Count the steps of this process and those forked from it."""
    for module_name in ("fsync", "fdatasync", "replace", "unlink"):
        setattr(os, module_name, _counted(getattr(os, module_name)))
    connect = sqlite3.connect
    sqlite3.connect = functools.partial(connect, factory=_Connection)  # type: ignore[assignment]


_rename = os.rename
_now = time.time


def _ahead() -> float:
    return _now() + float(Path(CLOCK).read_text() or 0)


def _counted(act: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(act)
    def counted(*arguments: Any, **more: Any) -> Any:
        with _step():
            return act(*arguments, **more)

    return counted


@contextlib.contextmanager
def _step() -> Any:
    captures = threading.current_thread().name.startswith("capture ")
    if not _life.at or captures != (_life.role == CAPTURING):
        yield
        return
    _life.done += 1
    if _life.done == _life.at and _life.when == "before":
        _die()
    try:
        yield
    finally:  # removing what is not there is a step too: else the count of places would end at it
        if _life.done == _life.at:
            _die()


def _die() -> None:
    _rename(f"{TOLD}.taken", DONE)
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()


class _Connection(sqlite3.Connection):
    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        alone = not self.in_transaction and sql.lstrip().startswith(("INSERT", "UPDATE", "DELETE"))
        if sql == "COMMIT" or (alone and self.isolation_level is None):
            with _step():
                return super().execute(sql, *arguments)
        return super().execute(sql, *arguments)

    def commit(self) -> None:
        if not self.in_transaction:
            super().commit()
            return
        with _step():
            super().commit()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        if kind is not None or not self.in_transaction:
            return super().__exit__(kind, error, trace)
        with _step():
            return super().__exit__(kind, error, trace)
