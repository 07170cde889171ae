"""Starting programs that outlive us, and ending exactly those."""

from __future__ import annotations

import select
import signal
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from greylag.errors import ResourceError
from greylag.lab.pidfd import Handle, open_process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Runs "$@" in the background and prints its process id. The shell ends at once, so the program is nobody's
# child here: it outlives us, it leaves no zombie of ours, and no Popen object waits for it.
_DETACH = '{ exec "$@"; } >&2 & echo $!'


@dataclass(frozen=True, slots=True)
class Process:
    """One running program. `pid` and `started` together name it: a pid alone may be given away again."""

    name: str
    pid: int
    started: str
    port: int
    log: str


def launch(
    name: str,
    arguments: Sequence[str],
    *,
    port: int,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    user: str | None = None,
) -> Process:
    """Starts a program in a session of its own, so neither our end nor Ctrl-C ends it.

    `environment` is added to ours. Output goes to the end of `log`. Returns at once, before the program is
    ready.
    """
    added = [f"{key}={value}" for key, value in (environment or {}).items()]
    # We open the log, and not the shell: `user` may have no right to.
    with log.open("ab") as output:
        done = subprocess.run(
            ["/bin/sh", "-c", _DETACH, "sh", "env", *added, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            cwd=folder,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            start_new_session=True,
            check=True,
            text=True,
        )
    pid = int(done.stdout)
    return Process(name=name, pid=pid, started=start_time(pid) or "gone", port=port, log=str(log))


def start_time(pid: int) -> str | None:
    """When the process began, as text no other with its pid has; None when it has ended (or is a zombie)."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return None if Path("/proc/self/stat").exists() else _start_time_from_ps(pid)
    except ProcessLookupError:
        return None
    # The second field, the name, may hold spaces and brackets: what follows its last bracket is regular.
    fields = line.rpartition(")")[2].split()
    state, ticks_since_boot = fields[0], fields[19]
    if state in {"Z", "X"}:
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}/{ticks_since_boot}"


def _start_time_from_ps(pid: int) -> str | None:
    """Where there is no /proc. Whole seconds only."""
    done = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or None


def is_running(process: Process) -> bool:
    """Whether this very process runs: another one that was given its pid does not count."""
    return start_time(process.pid) == process.started


def stop(*processes: Process, how: signal.Signals = signal.SIGTERM, grace_seconds: float = 10) -> bool:
    """Ends these processes and returns when they are gone; False if all had ended before. Never ends another.

    All are asked at once with `how`; those that have not ended after `grace_seconds` are killed.
    """
    with ExitStack() as stack:
        running: list[tuple[Process, Handle]] = []
        for process in processes:
            # The handle is taken first: what it holds cannot change between the look and the signal.
            handle = stack.enter_context(open_process(process.pid))
            if handle is not None and is_running(process):
                handle.send(how)
                running.append((process, handle))
        deadline = time.monotonic() + grace_seconds
        for process, handle in running:
            if handle.wait(max(0.0, deadline - time.monotonic())):
                continue
            handle.send(signal.SIGKILL)
            if not handle.wait(10):
                raise ResourceError(
                    f"{process.name} (process {process.pid}) does not end, even when killed.",
                    advice=f"Look at it with `ps -p {process.pid}`; its log is {process.log}.",
                )
    return bool(running)


def wait_until_ready(ready: Callable[[], bool], processes: Sequence[Process], *, seconds: float) -> None:
    """Returns once `ready()` is true; until the server is there it says False or fails to connect.

    Raises:
        ResourceError: a process ended, or `seconds` passed; with the last lines of its log.
    """
    deadline = time.monotonic() + seconds
    pause = 0.01
    while True:
        ended = next((process for process in processes if not is_running(process)), None)
        if ended is not None:
            raise ResourceError(f"{ended.name} ended while it started.", advice=_log_advice(ended))
        try:
            if ready():
                return
        except (ConnectionError, TimeoutError):
            pass  # not listening yet
        if time.monotonic() > deadline:
            slow = processes[0]
            raise ResourceError(
                f"{slow.name} was not ready after {seconds:g} seconds.", advice=_log_advice(slow)
            )
        select.select([], [], [], pause)
        pause = min(pause * 1.5, 0.25)


def _log_advice(process: Process) -> str:
    path = Path(process.log)
    lines = path.read_text(errors="replace").splitlines()[-15:] if path.exists() else []
    return "\n".join([f"The end of its log, {path}:", *(f"  {line[:300]}" for line in lines)])
