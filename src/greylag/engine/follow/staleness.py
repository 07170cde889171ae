"""Which records are stale at the target: what it holds of them is an earlier state, since the newest cannot be carried.

Everything here belongs in the transaction of a window.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from greylag.core.extended_json import to_extended
from greylag.core.records import Rejection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from greylag.engine.follow.applied import Applied
    from greylag.engine.follow.carrier import Carrier
    from greylag.engine.follow.index import Outcome
    from greylag.engine.follow.work import WindowWork

_SHOWN: Final = 3

MEND: Final = (
    "Mend the record at the source: its next change is carried. `greylag quarantine accept` takes it as it "
    "is."
)
_LATE: Final = "written at the source after `greylag fence`"
_FENCED: Final = (
    "Find out who still writes there, and carry the write over where it counts. `greylag quarantine accept` takes the "
    "record as it is at the target."
)
_SHARED: Final = (
    "Give every record a key of its own: once only one of them claims the key it is written. `greylag quarantine "
    "accept` takes it as it is."
)
_UNSURE: Final = (
    "shared its key with a record that is gone: whether the target holds its item or that one's is not known"
)


class Staleness:
    """The stale records of one stream. `carriers` are the flows of each dataset."""

    def __init__(self, applied: Applied, carriers: Mapping[str, Sequence[Carrier]]) -> None:
        self._applied = applied
        self._carriers = carriers
        self._flows = {each.flow: each for found in carriers.values() for each in found}
        self._count = applied.count("stale")

    def __bool__(self) -> bool:
        """Whether any record is."""
        return self._count > 0

    @property
    def shown(self) -> int:
        """How many were not carried while following, accepted or not."""
        return self._applied.count("stale", "NOT loaded") if self._count else 0

    def take_over(self, refused: Iterable[tuple[str, bytes, Rejection]]) -> None:
        """What the load could not carry: flow, id, why."""
        for flow, id_, why in refused:
            self._applied.spoil(flow, id_, "refused", why, 0, loaded=True)
        self._count = self._applied.count("stale")

    def mark(self, work: WindowWork, outcome: Outcome) -> None:
        """Which records are stale after the window, and which no longer."""
        ordinal = work.window.first
        for (flow, id_), others in outcome.colliding.items():
            reason = self._shares(others)
            self._spoil(flow, id_, "collision", self._rejection(work, flow, id_, reason, _SHARED), ordinal)
        for flow, id_ in outcome.unsure:
            rejection = self._rejection(work, flow, id_, _UNSURE, MEND)
            self._spoil(flow, id_, "collision", rejection, ordinal)
        for (flow, id_), rejection in work.refused.items():
            self._spoil(flow, id_, "refused", rejection, ordinal)
        for kind, kept_out in (("refused", work.out_of_reach), ("duplicate", work.duplicates)):
            for written, reason in kept_out:
                rejection = self._rejection(work, written.flow, written.id, reason, MEND)
                record = written.flow, written.id
                again = record in work.taken_up and record not in work.fine
                self._spoil(*record, kind, rejection, ordinal, tried_again=again)
        late_writes = self._mark_late(work)
        if self._count:
            bad = {*outcome.colliding, *outcome.unsure, *work.refused}
            bad |= {(each.flow, each.id) for each, _ in (*work.out_of_reach, *work.duplicates)} | late_writes
            put_off = {(each.flow, each.id) for each in work.deferred}
            self._applied.renew(work.fine & put_off, ordinal)
            self._applied.mend(work.fine - bad)
            self._applied.mend(outcome.single - bad, kind="collision")
            self._applied.mend(work.taken_up - bad, kind="duplicate")
        self._count = self._applied.count("stale") if self._count else 0

    def _mark_late(self, work: WindowWork) -> set[tuple[str, bytes]]:
        """Records written behind their fence: the target keeps what was written before."""
        found = set()
        for (dataset, id_), change in work.window.late.items():
            for carrier in self._carriers.get(dataset, ()):
                rejection = carrier.rejection(change, _LATE, _FENCED)
                self._spoil(carrier.flow, id_, "late", rejection, work.window.first)
                found.add((carrier.flow, id_))
        return found

    def _spoil(
        self,
        flow: str,
        id_: bytes,
        kind: str,
        rejection: Rejection,
        ordinal: int,
        *,
        tried_again: bool = False,
    ) -> None:
        self._applied.spoil(flow, id_, kind, rejection, ordinal, tried_again=tried_again)
        self._count += 1

    def _rejection(self, work: WindowWork, flow: str, id_: bytes, reason: str, fix: str) -> Rejection:
        carrier = self._flows[flow]
        change = next(
            (
                found
                for dataset, carriers in self._carriers.items()
                if carrier in carriers and (found := work.window.latest.get((dataset, id_))) is not None
            ),
            None,
        )
        if change is not None:
            return carrier.rejection(change, reason, fix)
        known = carrier.known(id_)
        return Rejection(known.id, reason, fix, known.fields)

    def _shares(self, others: Sequence[tuple[str, bytes]]) -> str:
        shown = [
            f"{json.dumps(to_extended(self._flows[flow].known(id_).id), ensure_ascii=False)} of flow {flow}"
            for flow, id_ in others[:_SHOWN]
            if flow in self._flows
        ]
        more = len(others) - len(shown)
        return f"maps to the same key as record {', '.join(shown)}" + (f" and {more} more" if more else "")
