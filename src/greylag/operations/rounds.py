"""`greylag verify --follow`: verified again and again while writes go on; what lasts counts, and has an age.

A mismatch of a round counts if it is still there after everything that was written before it was seen has been applied
(law 6), unless its record has changed again by then: the next round looks at it. The first round reads everything;
the later ones what changed since, which apply notes for them (`changed`), and what counted in the one before.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from greylag.console.units import duration
from greylag.engine.follow.barrier import applied_until_now
from greylag.engine.follow.stream import streams
from greylag.engine.mismatches import MISMATCHES, MismatchFile
from greylag.engine.phases import Phase, run_phases
from greylag.engine.recheck import RecheckWork, chunks
from greylag.errors import NotDrained
from greylag.operations.changes import SCHEMA as CHANGES_SCHEMA
from greylag.operations.changes import Changes
from greylag.operations.prepare import prepare
from greylag.operations.streams import followed
from greylag.operations.verify import folder_of, verification
from greylag.state.directions import carried_back
from greylag.state.locks import is_running, run_lock
from greylag.state.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from greylag.config import Project
    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor
    from greylag.engine.recheck import Chunk, Settled
    from greylag.operations.prepare import Prepared

LASTING: Final = "lasting.jsonl"
_CHANGED: Final = "changed.jsonl"
_LAG_SECONDS: Final = 600.0

SCHEMA: Final = (
    CHANGES_SCHEMA
    + """
CREATE TABLE ages (flow TEXT, item TEXT, since REAL, round INTEGER, PRIMARY KEY (flow, item));
"""
)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round found. `whole`: it read everything, and `because` says why if it is not the first; else it looked
    at `looked_at` records that had changed. `passing`: mismatches that were gone once what was written before was
    applied; `changing`: those whose records were written meanwhile, which the next round looks at; `lasting`: those
    that count, the oldest of which has been seen for `oldest_seconds`; `lasting_file` has a line for each.
    """

    number: int
    whole: bool
    because: str
    looked_at: int
    verified: int
    passing: int
    changing: int
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
    with run_lock(project.state_folder / "verify"):
        prepared = prepare(project, only=only)
        path = project.state_folder / "verify" / "rounds.sqlite"
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as db:
            db.executescript(SCHEMA)
            following = _Rounds(project, prepared, db, executor=executor, observe=observe)
            try:
                for number in itertools.count(1):
                    yield following.run(number)
            finally:
                following.changes.end()


class _Rounds:
    def __init__(
        self,
        project: Project,
        prepared: Prepared,
        db: sqlite3.Connection,
        *,
        executor: Executor,
        observe: Callable[[Snapshot], None],
    ) -> None:
        self._project = project
        self._prepared = prepared
        self._db = db
        self._executor = executor
        self._observe = observe
        self._state = project.state_folder
        self._folder = folder_of(project, None)
        self._routes = prepared.routes
        self._streams = streams(
            [each for each in prepared.routes if each.name in _forward(self._state)], self._state
        )
        self._known = False
        self.changes = Changes(self._streams, {each.name for each in prepared.routes}, db)

    def run(self, number: int) -> Round:
        began = time.time()
        noted = self._unnoted()
        self.changes.begin_part()
        because = "" if number == 1 else noted or self._take()
        whole = bool(because) or number == 1
        self._known = not noted
        if whole:
            found = verification(
                self._project, self._prepared, None, executor=self._executor, observe=self._observe
            )
            looked_at, mismatches = 0, found.mismatches
            verified = sum(each.verified for each in found.flows)
        else:
            looked_at = self.changes.records
            verified, mismatches = self._look(self._changed(), self._folder / MISMATCHES)
        lasting = changing = 0
        places = self.changes.places()
        if mismatches:
            self._wait()
            _, lasting = self._look(self._folder / MISMATCHES, self._folder / LASTING)
        else:
            with MismatchFile(self._folder / LASTING):
                pass
        if lasting and not noted:
            self._wait()
            changing = self._leave_to_the_next(places)
            lasting -= changing
        oldest = _age(self._db, self._folder / LASTING, number, began)
        self._db.commit()
        return Round(
            number,
            whole,
            because,
            looked_at,
            verified,
            max(0, mismatches - lasting - changing),
            changing,
            lasting,
            0.0 if oldest is None else time.time() - oldest,
            time.time() - began,
            str(self._folder / LASTING),
        )

    def _unnoted(self) -> str:
        """Why what changes from now on is not noted for the next round, if so."""
        if not is_running(self._state):
            return "nothing is followed now"
        forward = _forward(self._state)
        if missing := sorted(each.name for each in self._routes if each.name not in forward):
            return f"flow {', '.join(missing)} is not followed"
        with Store(self._state / "state.sqlite", read_only=True) as store:
            stages = {each.flow: each.stage for each in store.flows()}
        if early := sorted(each.name for each in self._routes if stages.get(each.name) != "following"):
            return f"flow {', '.join(early)} is not caught up"
        return ""

    def _take(self) -> str:
        """Why what changed since the round before is not known, if so."""
        if not self._known:
            return "what changed since was not noted"
        self._wait()
        return self.changes.take()

    def _wait(self) -> None:
        """Until what was written before now is applied, where it is followed. Raises NotDrained."""
        for stream in self._streams if is_running(self._state) else ():
            passed = applied_until_now(
                stream, "verify", seconds=_LAG_SECONDS, going=lambda: is_running(self._state)
            )
            if not passed and is_running(self._state):
                raise NotDrained(
                    f"{stream.name}: what was written {duration(_LAG_SECONDS)} ago is not applied yet",
                    advice="`greylag status` says how far it is behind.",
                )

    def _changed(self) -> Path:
        """The file of what this round looks at: what changed, and what counted in the round before."""
        path = self._folder / _CHANGED
        with MismatchFile(path) as file:
            file.add(self.changes.candidates())
            with suppress(FileNotFoundError), (self._folder / LASTING).open("rb") as before:
                file.add(line for line in before if not self.changes.holds(json.loads(line)))
        return path

    def _look(self, at: Path, into: Path) -> tuple[int, int]:
        """How many of the file's items agree now, and how many do not, a line of each in the other file."""
        agree = differ = 0

        def settled(_: Chunk, found: Settled) -> None:
            nonlocal agree, differ
            agree += sum(counts.get("verified", 0) for counts in found.counts.values())
            differ += len(found.lines)
            file.add(found.lines)

        with MismatchFile(into) as file:
            work = RecheckWork(tuple(self._routes), self._folder)
            run_phases(self._executor, [Phase(work, lambda: chunks(at), settled)])
        return agree, differ

    def _leave_to_the_next(self, places: Sequence[int]) -> int:
        """Take out what changed after those places in the notes, and so may differ for that alone; how many."""
        self.changes.later_than(places)
        path = self._folder / LASTING
        left = 0
        with path.open("rb") as lines, MismatchFile(path.with_suffix(".new")) as file:
            for line in lines:
                if self.changes.changed_later(json.loads(line)):
                    left += 1
                else:
                    file.add([line])
        path.with_suffix(".new").replace(path)
        return left


def _forward(folder: Path) -> frozenset[str]:
    """The flows whose changes go to their targets."""
    if not (folder / "state.sqlite").exists():
        return frozenset()
    with Store(folder / "state.sqlite", read_only=True) as store:
        return frozenset(followed(store).keys() - carried_back(folder))


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
