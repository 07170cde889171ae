"""Runs work on local processes, one a core unless told otherwise.

Why no process outlives its coordinator, however that ends: each worker holds the far end of a pipe that nobody
writes to but the coordinator. When the coordinator goes, the kernel closes the pipe, a thread in the worker reads
the end of file and ends the process at once. Nothing needs to run in the coordinator for that.

Processes are spawned, not forked: a fork would copy open connections, and the other workers' pipe ends with them.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import queue
import signal
import threading
import traceback
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, TypeVar

from greylag.core.work import Abandonable, Finished, Message
from greylag.errors import GreylagError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from greylag.core.work import Work, Worker

Task = TypeVar("Task")

_END_SECONDS = 10.0
"""How long a worker has to end by itself before it is killed."""


class ProcessEnded(TransientError):  # noqa: N818 - it says what happened
    """A worker process ended without an exception of its own: it was killed."""


class Processes:
    """An `Executor` of `processes` local processes (None: one for each core this process may use)."""

    def __init__(self, processes: int | None = None) -> None:
        self.processes = processes or len(os.sched_getaffinity(0))
        self._workers: list[_Process] = []
        self._broadcast: list[Any] = []

    def broadcast(self, message: Any) -> None:
        """See `Executor.broadcast`. Only the newest message reaches workers that start later."""
        self._broadcast = [message]
        for worker in self._workers:
            worker.tell(message)

    def run(self, work: Work, tasks: Iterable[Task]) -> Iterator[Message[Task] | Finished[Task]]:
        """See `Executor.run`. `tasks` is iterated in a thread of its own, so that planning never delays acks."""
        feed = _Feed(tasks)
        try:
            yield from self._run(work, feed)
        finally:
            for worker in self._workers:
                worker.release()
            for worker in self._workers:
                worker.end()
            self._workers = []
            feed.close()

    def _run(self, work: Work, feed: _Feed) -> Iterator[Message[Any] | Finished[Any]]:
        while True:
            self._hand_out(work, feed)
            busy = [worker for worker in self._workers if worker.busy]
            if not busy and feed.done:
                return
            waited = [worker.results for worker in self._workers]
            if len(busy) < self.processes:  # else a task that waits already would end every wait at once
                waited.append(feed.signal)
            ready = wait(waited)
            for worker in [each for each in self._workers if each.results in ready]:
                yield from worker.receive()

    def _hand_out(self, work: Work, feed: _Feed) -> None:
        while True:
            free = next((worker for worker in self._workers if not worker.busy), None)
            if free is None and len(self._workers) >= self.processes:
                return
            found, task = feed.take()
            if not found:
                return
            if free is None:
                free = _Process(work)
                self._workers.append(free)
                for message in self._broadcast:
                    free.tell(message)
            free.give(task)


class _Feed:
    """Iterates the tasks in a thread. `signal` is readable whenever something may have changed."""

    def __init__(self, tasks: Iterable[Any]) -> None:
        self._queue: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=2)
        self.signal, self._waker = multiprocessing.Pipe(duplex=False)
        self._closing = threading.Event()
        self._tasks = tasks
        self.done = False
        self._thread = threading.Thread(target=self._pull, args=(tasks,), daemon=True, name="greylag-plan")
        self._thread.start()

    def _pull(self, tasks: Iterable[Any]) -> None:
        try:
            for task in tasks:
                self._put(("task", task))
                if self._closing.is_set():
                    return
            self._put(("end", None))
        except BaseException as error:  # noqa: BLE001 - raised again where the run is iterated
            self._put(("error", error))

    def _put(self, entry: tuple[str, Any]) -> None:
        while not self._closing.is_set():
            try:
                self._queue.put(entry, timeout=0.2)
            except queue.Full:
                continue
            self._waker.send_bytes(b"!")
            return

    def take(self) -> tuple[bool, Any]:
        """(True, a task), or (False, None) while there is none. Raises what the iteration raised."""
        if self.done:
            return False, None
        try:
            kind, content = self._queue.get_nowait()
        except queue.Empty:
            return False, None
        self.signal.recv_bytes()
        if kind == "error":
            raise content
        if kind == "end":
            self.done = True
            return False, None
        return True, content

    def close(self) -> None:
        self._closing.set()
        if isinstance(self._tasks, Abandonable):
            self._tasks.abandon()
        self._thread.join(_END_SECONDS)
        if not self._thread.is_alive():
            self.signal.close()
            self._waker.close()


class _Process:
    """The coordinator's end of one worker process."""

    def __init__(self, work: Work) -> None:
        context = multiprocessing.get_context("spawn")
        self.results, far_results = context.Pipe()
        far_control, self._control = context.Pipe(duplex=False)
        self.task: Any = None
        self.busy = False
        self._telling = threading.Lock()
        self._process: SpawnProcess = context.Process(
            target=_serve, args=(work, far_results, far_control), daemon=True
        )
        with _interrupts_held_back():
            self._process.start()
        far_results.close()
        far_control.close()

    def give(self, task: Any) -> None:
        self.task, self.busy = task, True
        with contextlib.suppress(OSError):  # a worker that has died is reported by `receive`
            self.results.send(("task", task))

    def tell(self, message: Any) -> None:
        with self._telling, contextlib.suppress(OSError):
            self._control.send(message)

    def receive(self) -> Iterator[Message[Any] | Finished[Any]]:
        """What has arrived. Raises the worker's exception, or TransientError if it died."""
        try:
            kind, content = self.results.recv()
        except (EOFError, OSError):
            self._process.join(_END_SECONDS)
            raise ProcessEnded(
                f"a worker process ended unexpectedly ({_ending(self._process.exitcode)})",
                advice="Run the same command again: it goes on from the last checkpoint. If the system killed the "
                "process for want of memory, give --processes a smaller number.",
            ) from None
        if kind == "message":
            yield Message(self.task, content)
        elif kind == "finished":
            self.busy = False
            yield Finished(self.task)
        else:
            raise content

    def release(self) -> None:
        """Let the worker end: closing the pipe is what ends it."""
        with contextlib.suppress(OSError):
            self._control.close()

    def end(self) -> None:
        self._process.join(_END_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self.results.close()
        self._process.close()


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """A process started meanwhile never meets Ctrl-C, not even before it can say that it ignores it."""
    resource_tracker.ensure_running()  # where that has yet to start, it would let Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ending(exit_code: int | None) -> str:
    if exit_code is None:
        return "it closed its pipe"
    if exit_code < 0:
        return f"killed by {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"


def _serve(work: Work, results: Connection[Any, Any], control: Connection[Any, Any]) -> None:
    """The life of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group: the coordinator decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    pending: list[Any] = []
    holder: list[Worker] = []
    threading.Thread(
        target=_listen, args=(control, holder, pending), daemon=True, name="greylag-control"
    ).start()
    try:
        worker = work.open()
        holder.append(worker)
        for message in pending:
            worker.control(message)
        # Records die young and hold no cycles: the collector would only walk them again and again.
        gc.freeze()
        gc.disable()
        while True:
            _, task = results.recv()
            worker.run(task, lambda content: results.send(("message", content)))
            gc.collect()
            results.send(("finished", None))
    except (EOFError, BrokenPipeError):
        return
    except BaseException as error:  # noqa: BLE001 - the coordinator raises it
        _report(results, error)


def _report(results: Connection[Any, Any], error: BaseException) -> None:
    if not isinstance(error, GreylagError):
        error.add_note("in a worker process:\n" + "".join(traceback.format_exception(error)))
    if not isinstance(error, Exception):
        error = RuntimeError(
            f"{type(error).__name__} in a worker process"
        )  # not the coordinator's own to end by
    try:
        results.send(("error", error))
    except (OSError, BrokenPipeError):
        return
    except Exception:  # noqa: BLE001 - whatever keeps an exception from being pickled, its text still goes
        results.send(("error", RuntimeError("".join(traceback.format_exception(error)))))


def _listen(control: Connection[Any, Any], holder: list[Worker], pending: list[Any]) -> None:
    while True:
        try:
            message = control.recv()
        except (EOFError, OSError):
            os._exit(1)  # the coordinator is gone or wants the end: nothing unacknowledged counts
        pending.append(message)
        if holder:
            holder[0].control(message)
