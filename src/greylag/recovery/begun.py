"""A restore on its way: its targets, as they were made or found, and the parts that are in them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from greylag.errors import StateError
from greylag.recovery.stores import UNNAMED, store_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from greylag.core.flows import DatasetRef
    from greylag.core.ports import Connector
    from greylag.recovery.format import TableBackup
    from greylag.recovery.journal import Journal
    from greylag.recovery.stores import Standing


class Begun:
    """What the journal of a restore says: its targets, as they were made or found, and the parts that are in them."""

    def __init__(self, journal: Journal, header: Mapping[str, Any]) -> None:
        self._journal = journal
        self._identities: dict[str, str] = header["identities"]
        self.made: dict[str, bool] = header["made"]
        self.done: set[str] = set()

    @classmethod
    def read(cls, journal: Journal) -> Begun | None:
        """The unfinished restore that stands there; None for none."""
        lines = journal.lines()
        header = next(lines, None)
        if header is None:
            return None
        begun = cls(journal, header)
        begun.done.update(line["part"] for line in lines)
        return begun

    @classmethod
    def begin(
        cls,
        journal: Journal,
        tables: Sequence[TableBackup],
        refs: Sequence[DatasetRef],
        ends: Mapping[str, Connector],
        made: Mapping[str, bool],
    ) -> Begun:
        """Make what is missing. A table made just before an interruption is empty: the next restore takes it."""
        identities: dict[str, str] = {}
        for table, ref in zip(tables, refs, strict=True):
            with closing(store_of(ends[ref.connection])) as store:
                if made[str(ref)]:
                    store.make(ref.dataset, table)
                standing = store.standing(ref.dataset)
                identities[str(ref)] = UNNAMED if standing is None else standing.identity
        header = {"identities": identities, "made": dict(made)}
        journal.add(header)
        return cls(journal, header)

    def refuse_other(self, ref: DatasetRef, standing: Standing | None) -> None:
        """Raises StateError where the target is no longer the one that was begun."""
        if (UNNAMED if standing is None else standing.identity) != self._identities.get(str(ref)):
            raise StateError(
                f"{ref} is no longer the one that the unfinished restore began to fill",
                advice="--restart forgets that restore and begins anew.",
            )

    def add(self, file: str) -> None:
        """Note a part that is written."""
        self._journal.add({"part": file})
        self.done.add(file)
