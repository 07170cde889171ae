"""`greylag verify --follow`: verified again and again while writes go on; what lasts counts, and has an age.

A mismatch of a round counts if it is still there after everything that was written before it was seen has been applied
(law 6). Each round reads everything.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from greylag.engine.follow.barrier import applied_until_now
from greylag.engine.follow.stream import streams
from greylag.engine.mismatches import MISMATCHES, MismatchFile
from greylag.engine.phases import Phase, run_phases
from greylag.engine.recheck import RecheckWork, chunks
from greylag.operations.prepare import prepare
from greylag.operations.verify import folder_of, verification
from greylag.state.locks import is_running, run_lock
from greylag.state.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from greylag.config import Project
    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor
    from greylag.engine.recheck import Chunk, Settled
    from greylag.engine.route import Route

LASTING: Final = "lasting.jsonl"
_LAG_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Round:
    """What one round found. `passing`: mismatches that were gone once what was written before was applied; `lasting`
    those that were not, the oldest of which has been seen for `oldest_seconds`; `lasting_file` has a line for each.
    """

    number: int
    verified: int
    passing: int
    lasting: int
    oldest_seconds: float
    seconds: float
    lasting_file: str

    def as_json(self) -> dict[str, Any]:
        """Ready for any JSON writer."""
        return asdict(self)


def rounds(
    project: Project,
    only: Sequence[str],
    *,
    executor: Executor,
    observe: Callable[[Snapshot], None],
) -> Generator[Round]:
    """Round after round, without end. Only reads."""
    folder = folder_of(project, None)
    with run_lock(project.state_folder / "verify"):
        prepared = prepare(project, only=only)
        ages = project.state_folder / "verify" / "ages.sqlite"
        ages.unlink(missing_ok=True)
        with closing(sqlite3.connect(ages)) as db:
            db.execute(
                "CREATE TABLE ages (flow TEXT, item TEXT, since REAL, round INTEGER, PRIMARY KEY (flow, item))"
            )
            for number in itertools.count(1):
                began = time.time()
                found = verification(project, prepared, None, executor=executor, observe=observe)
                if found.mismatches:
                    _wait(prepared.routes, project.state_folder)
                lasting = _look_again(prepared.routes, folder, executor)
                oldest = _age(db, folder / LASTING, number, began)
                db.commit()
                yield Round(
                    number,
                    sum(each.verified for each in found.flows),
                    max(0, found.mismatches - lasting),
                    lasting,
                    0.0 if oldest is None else time.time() - oldest,
                    time.time() - began,
                    str(folder / LASTING),
                )


def _wait(routes: Sequence[Route], folder: Path) -> None:
    """Until what was written before now is applied, where it is followed."""
    if not (folder / "state.sqlite").exists() or not is_running(folder):
        return
    with Store(folder / "state.sqlite", read_only=True) as store:
        followed = store.noted("follow.flows") or {}
    for stream in streams([route for route in routes if route.name in followed], folder):
        applied_until_now(stream, "verify", seconds=_LAG_SECONDS)


def _look_again(routes: Sequence[Route], folder: Path, executor: Executor) -> int:
    count = 0

    def settled(_: Chunk, found: Settled) -> None:
        nonlocal count
        count += len(found.lines)
        file.add(found.lines)

    with MismatchFile(folder / LASTING) as file:
        run_phases(
            executor,
            [Phase(RecheckWork(tuple(routes), folder), lambda: chunks(folder / MISMATCHES), settled)],
        )
    return count


def _age(db: sqlite3.Connection, path: Path, number: int, now: float) -> float | None:
    """Since when the oldest of the lasting mismatches has been seen."""
    with path.open("rb") as file:
        for line in file:
            told = json.loads(line)
            db.execute(
                "INSERT INTO ages VALUES (?, ?, ?, ?) ON CONFLICT (flow, item) DO UPDATE SET round = excluded.round",
                (told["flow"], told["item"], now, number),
            )
    db.execute("DELETE FROM ages WHERE round < ?", (number,))
    found: float | None = db.execute("SELECT min(since) FROM ages").fetchone()[0]
    return found
