"""Phases on real processes: none begins before the last has ended, and a failure ends all of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from greylag.engine.phases import Phase, run_phases
from greylag.executors.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Touching:
    """Each task touches a file, after counting those of the phase before."""

    folder: Path
    name: str
    before: str

    def open(self) -> Touching:
        return self

    def run(self, task: int, emit: Callable[[Any], None]) -> None:
        emit(len(list(self.folder.glob(f"{self.before}-*"))))
        if task < 0:
            raise ValueError("told to fail")
        (self.folder / f"{self.name}-{task}").touch()

    def control(self, message: Any) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_phase_waits_for_the_one_before(tmp_path: Path) -> None:
    seen: list[tuple[str, Any]] = []

    def phase(name: str, before: str, tasks: int) -> Phase:
        return Phase(
            Touching(tmp_path, name, before),
            lambda: range(tasks),
            lambda _, content: seen.append((name, content)),
            lambda: seen.append((name, "begin")),
            lambda: seen.append((name, "finish")),
        )

    run_phases(Processes(2), [phase("a", "none", 7), phase("b", "a", 0), phase("c", "a", 5)])
    assert seen == [
        ("a", "begin"),
        *[("a", 0)] * 7,
        ("a", "finish"),
        ("b", "begin"),
        ("b", "finish"),
        ("c", "begin"),
        *[("c", 7)] * 5,
        ("c", "finish"),
    ]


def test_a_failure_in_one_phase_ends_the_run(tmp_path: Path) -> None:
    work = Touching(tmp_path, "a", "none")
    later = Phase(work, lambda: range(5), lambda *_: None)
    failing = Phase(work, lambda: [1, -1], lambda *_: None)
    started = time.monotonic()
    with pytest.raises(ValueError, match="told to fail"):
        run_phases(Processes(2), [failing, later])
    assert time.monotonic() - started < 9  # nobody waited for the barrier to open
    assert not (tmp_path / "a-3").exists()
