"""What an assessment for DocumentDB found. `as_json` is the list that docs/assess-documentdb.md documents."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greylag.console.document import Bullets, Heading, Table, Text
from greylag.console.units import count, duration, plural
from greylag.core.findings import Severity, by_severity
from greylag.operations.assess.documentdb.tables import tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.console.document import Block
    from greylag.core.findings import Finding
    from greylag.operations.assess.documentdb.release import Release

PLACES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Looked:
    """One thing that was looked at: a dataset, a server, a folder of code, a log."""

    name: str
    what: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What stands in the way of a move to `release`, the worst first."""

    release: Release
    looked: tuple[Looked, ...]
    findings: tuple[Finding, ...]
    seconds: float

    def as_json(self) -> list[dict[str, Any]]:
        """The findings, the worst first."""
        return [each.as_json() for each in self.findings]

    def document(self) -> list[Block]:
        """For a terminal or a file: findings that say the same are told once, with all their places."""
        return list(self._document())

    def _document(self) -> Iterator[Block]:
        yield Heading(f"Assessment for {self.release}", 1)
        if self.looked:
            yield Table((("looked at", ""), *((each.name, each.what) for each in self.looked)))
        for severity in sorted(Severity, reverse=True):
            found = [each for each in self.findings if each.severity is severity]
            if found:
                yield Heading(f"{severity.word.capitalize()}s")
                yield Bullets(tuple(_told(found)))
        yield Heading("In all")
        counts = Counter(each.severity for each in self.findings)
        told = ", ".join(plural(counts[each], each.word) for each in sorted(counts, reverse=True))
        yield Text(f"{told or 'Nothing found'}, in {duration(self.seconds)}.")
        read = max(each.read for each in tables().sources)
        yield Text(
            f"By AWS's tables as they were read on {read}. They change: try what matters on a cluster of your own."
        )


def judged(release: Release, looked: list[Looked], findings: list[Finding], seconds: float) -> Judgement:
    """A judgement with its findings in order."""
    return Judgement(release, tuple(looked), by_severity(findings), seconds)


def _told(findings: list[Finding]) -> Iterator[str]:
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for each in findings:
        groups.setdefault((each.kind, each.message, each.advice), []).append(each)
    for (kind, message, advice), found in groups.items():
        places = [f"{each.file}:{each.line}" if each.line else each.file for each in found if each.file]
        shown = ", ".join(places[:PLACES_SHOWN])
        more = f" and {count(len(places) - PLACES_SHOWN)} more" if len(places) > PLACES_SHOWN else ""
        # What stands in no file is named; an operator's message has its name.
        names = [each.name for each in found if not each.file and each.name not in message]
        about = f", {', '.join(dict.fromkeys(names))}" if names else ""
        yield f"{kind}{about}: {message}" + (f"\n{shown}{more}" if shown else "") + f"\n{advice}"
