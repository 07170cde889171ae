"""Where an expression stands: which names it may use, and who hears of what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from greylag.core.findings import Finding, Severity
from greylag.infra.schema import aws_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.infra.check.folder import Folder, Folders
    from greylag.infra.check.types import Type
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
    """`name` is what the block is called in messages; `bound` what the names stand for that hold only here: those of
    `dynamic`, and each, count and self where they mean something.
    """

    checking: Checking
    folder: Folder
    file: str
    name: str
    bound: Mapping[str, Type] = field(default_factory=dict)

    def within(self, bound: Mapping[str, Type]) -> Scope:
        """The same, with more names bound."""
        return replace(self, bound={**self.bound, **bound})

    def without(self, *names: str) -> Scope:
        """The same, with fewer."""
        return replace(self, bound={name: each for name, each in self.bound.items() if name not in names})

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
