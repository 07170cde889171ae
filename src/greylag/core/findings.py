"""What a look at something found: each with how bad it is, where it stands, and what to do about it.

`assess`, `plan`, `infra check` and whatever else only looks report these, sorted, and end with the exit code of
`FindingsAbove` where one is as bad as the user said matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class Severity(IntEnum):
    """How bad a finding is; a worse one compares greater."""

    NOTE = 1
    """Good to know."""
    WARNING = 2
    """Works, but a person should decide before going on."""
    BLOCKER = 3
    """Loses or refuses data, or cannot work, until it is mended."""

    @property
    def word(self) -> str:
        """As reports and `--fail-on` write it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found.

    `kind` is a stable word for scripts (`mixed-types`, `unknown-argument`); `name` is what it is about (a field, a
    table, a resource). `file` is empty and `line` 0 where it stands in no file; lines count from 1.
    """

    severity: Severity
    kind: str
    name: str
    message: str
    advice: str
    file: str = ""
    line: int = 0

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "severity": self.severity.word,
            "kind": self.kind,
            "name": self.name,
            "message": self.message,
            "advice": self.advice,
            "file": self.file or None,
            "line": self.line or None,
        }


def by_severity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The worst first; then by file, line, kind and name."""
    return tuple(
        sorted(findings, key=lambda each: (-each.severity, each.file, each.line, each.kind, each.name))
    )


def worst(findings: Iterable[Finding]) -> Severity | None:
    """The worst severity among them; None for none."""
    return max((each.severity for each in findings), default=None)
