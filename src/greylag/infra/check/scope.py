"""Where an expression stands: which names it may use, and who hears of what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from greylag.core.findings import Finding, Severity
from greylag.infra.schema import aws_schema

if TYPE_CHECKING:
    from greylag.infra.check.folder import Folder, Folders
    from greylag.infra.schema import Schema


class Checking:
    """One check: the folders read so far, the schema, and the findings."""

    def __init__(self, folders: Folders) -> None:
        self.folders = folders
        self.schema: Schema = aws_schema()
        self.findings: dict[Finding, None] = {}
        self.used: set[tuple[str, str]] = set()
        """Variables and locals of the folder at hand that something refers to: ("var", name)."""

    def found(self, finding: Finding) -> None:
        """Keep a finding; the same one twice counts once."""
        self.findings.setdefault(finding)


@dataclass(frozen=True)
class Scope:
    """`name` is what the block is called in messages; `bound` the names a `for` or `dynamic` gives.

    `each`, `count` and `itself` say whether each.key, count.index and self mean something here.
    """

    checking: Checking
    folder: Folder
    file: str
    name: str
    bound: frozenset[str] = frozenset()
    each: bool = False
    count: bool = False
    itself: bool = False

    def within(self, *names: str) -> Scope:
        """The same, with more names bound."""
        return replace(self, bound=self.bound | set(names))

    def blocker(self, kind: str, line: int, message: str, advice: str) -> None:
        """Something that cannot work."""
        self._found(Severity.BLOCKER, kind, line, message, advice)

    def warning(self, kind: str, line: int, message: str, advice: str) -> None:
        """Something that a person should decide on."""
        self._found(Severity.WARNING, kind, line, message, advice)

    def note(self, kind: str, line: int, message: str, advice: str) -> None:
        """Something good to know."""
        self._found(Severity.NOTE, kind, line, message, advice)

    def _found(self, severity: Severity, kind: str, line: int, message: str, advice: str) -> None:
        self.checking.found(Finding(severity, kind, self.name, message, advice, self.file, line))
