"""Why records would be quarantined, in groups: how many, what to do, and a few of them by name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

GROUPS = 100
EXAMPLES = 3
KINDS = {"": "unfit-value"}
"""The word of a group whose refusals have no kind of their own."""

_VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|\d[\d,.]*")


@dataclass(frozen=True, slots=True)
class Example:
    """A record by its id in extended JSON, with its own reason."""

    id: Any
    reason: str


@dataclass(slots=True)
class Group:
    """Records refused for one `kind` of reason: the first one's `reason` and `fix` stand for all."""

    kind: str
    reason: str
    fix: str
    records: int = 0
    examples: list[Example] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "kind": self.kind,
            "reason": self.reason,
            "fix": self.fix,
            "records": self.records,
            "examples": [{"id": each.id, "reason": each.reason} for each in self.examples],
        }


class Refusals:
    """Groups of refusals alike but for the values they name; what comes after GROUPS of them is one more."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], Group] = {}

    def add(self, kind: str, reason: str, fix: str, record_id: Any) -> None:
        """Count one record."""
        group = self._group(kind or KINDS[""], reason, fix)
        group.records += 1
        if len(group.examples) < EXAMPLES:
            group.examples.append(Example(record_id, reason))

    def merge(self, other: Refusals) -> None:
        """Take over what `other` counted."""
        for each in other._groups.values():
            group = self._group(each.kind, each.reason, each.fix)
            group.records += each.records
            group.examples = (group.examples + each.examples)[:EXAMPLES]

    @property
    def records(self) -> int:
        """How many in all."""
        return sum(each.records for each in self._groups.values())

    def groups(self) -> tuple[Group, ...]:
        """The largest first."""
        return tuple(sorted(self._groups.values(), key=lambda each: (-each.records, each.kind, each.reason)))

    def _group(self, kind: str, reason: str, fix: str) -> Group:
        alike = "" if kind == "key-collision" else _VARYING.sub("#", reason)
        if (kind, alike) not in self._groups and len(self._groups) >= GROUPS:
            kind, alike, reason, fix = (
                "other",
                "",
                "other reasons",
                "`greylag preview FLOW --key KEY` shows one.",
            )
        return self._groups.setdefault((kind, alike), Group(kind, reason, fix))
