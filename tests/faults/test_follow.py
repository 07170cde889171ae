"""A run that follows, killed and cut off again and again while the application writes, loses no acknowledged write.

Each seed is an episode of writes and faults that ends drained and compared; a few seeds share a session, which begins
with a load under faults and ends with a fence. `make faults SEEDS=200 PATH_=mongodb-dynamodb` runs as many as one
likes.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.following import PATHS, Forward, Servers, seeds_told, session

if TYPE_CHECKING:
    from pathlib import Path

TOGETHER = 10
IN_CI = 20
FAILED_ONCE: dict[str, tuple[int, ...]] = {"json-dynamodb": (20, 30, 41, 50)}
"""Seeds of which a run failed that was mended since: they are always run."""
FIRST = [
    (name, seeds)
    for name in PATHS
    for numbers in [[*range(IN_CI), *FAILED_ONCE.get(name, ())]]
    for seeds in (numbers[place : place + TOGETHER] for place in range(0, len(numbers), TOGETHER))
]


def episodes(path: str, seeds: list[int], folder: Path, servers: Servers) -> dict[str, int]:
    """What was done in them, and how often."""
    began = session(PATHS[path], folder / "project", servers, f"ledger{os.getpid()}x{seeds[0]}", seeds[0])
    try:
        for seed in seeds:
            try:
                began.episode(seed)
            except BaseException as error:
                error.add_note(f"path {path}, seed {seed} of {seeds}")
                raise
        if isinstance(began, Forward) and not PATHS[path].reversed:
            began.fence()
    finally:
        began.close()
    return began.done


@pytest.mark.parametrize(("path", "seeds"), FIRST, ids=[f"{path}-{seeds[0]}" for path, seeds in FIRST])
def test_seeds(
    path: str, seeds: list[int], tmp_path: Path, mongodb_users_url: str, dynamodb_endpoint: str
) -> None:
    done = episodes(path, seeds, tmp_path, Servers(mongodb_users_url, dynamodb_endpoint))
    assert len(done) > 1, f"no fault was met: this proves nothing ({done})"
    assert done.get("changes again"), done


@pytest.mark.long
@pytest.mark.parametrize("path", PATHS)
def test_many_seeds(path: str, tmp_path: Path, mongodb_users_url: str, dynamodb_endpoint: str) -> None:
    count, only = seeds_told()
    if only not in ("", path):
        pytest.skip(f"asked for {only} alone")
    done: dict[str, Any] = {}
    for first in range(0, count or 20, TOGETHER):
        began = time.monotonic()
        folder = tmp_path / f"from-{first}"
        seeds = list(range(first, min(first + TOGETHER, count or 20)))
        for what, times in episodes(
            path, seeds, folder, Servers(mongodb_users_url, dynamodb_endpoint)
        ).items():
            done[what] = done.get(what, 0) + times
        print(f"{path}: seeds to {seeds[-1]} passed ({time.monotonic() - began:.1f} s)", flush=True)
    print(f"{path}: {done}", flush=True)
