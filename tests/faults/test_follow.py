"""A run that follows, killed and cut off again and again while the application writes, loses no acknowledged write.

Each seed is an episode of writes and faults that ends drained and compared; a few seeds share a run, whose load is
under faults too. `make faults SEEDS=200 PATH_=mongodb-dynamodb` runs as many as one likes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.faults.following import PATHS, Servers, Session, seeds_told

if TYPE_CHECKING:
    from pathlib import Path

TOGETHER = 5
IN_CI = 3
FAILED_ONCE: dict[str, tuple[int, ...]] = {"mongodb-dynamodb": (), "mongodb-mongodb": ()}
"""Seeds that failed and were mended since: they are always run."""


def episodes(path: str, seeds: list[int], folder: Path, servers: Servers) -> None:
    session = Session(path, folder / "project", servers, f"ledger{os.getpid()}x{seeds[0]}", seeds[0])
    try:
        for seed in seeds:
            try:
                session.episode(seed)
            except BaseException as error:
                error.add_note(f"path {path}, seed {seed} of {seeds}")
                raise
    finally:
        session.close()


@pytest.mark.parametrize("path", PATHS)
def test_a_few_seeds(path: str, tmp_path: Path, mongodb_url: str, dynamodb_endpoint: str) -> None:
    seeds = [*range(IN_CI), *FAILED_ONCE[path]]
    episodes(path, seeds, tmp_path, Servers(mongodb_url, dynamodb_endpoint))


@pytest.mark.long
@pytest.mark.parametrize("path", PATHS)
def test_many_seeds(path: str, tmp_path: Path, mongodb_url: str, dynamodb_endpoint: str) -> None:
    count, only = seeds_told()
    if only not in ("", path):
        pytest.skip(f"asked for {only} alone")
    for first in range(0, count or 20, TOGETHER):
        folder = tmp_path / f"from-{first}"
        seeds = list(range(first, min(first + TOGETHER, count or 20)))
        episodes(path, [1000 + seed for seed in seeds], folder, Servers(mongodb_url, dynamodb_endpoint))
        print(f"{path}: seeds to {1000 + seeds[-1]} passed", flush=True)
