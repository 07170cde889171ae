"""A log file of mongod: what the commands in it used."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from greylag.core.findings import Finding, Severity
from greylag.errors import ConfigurationError
from greylag.operations.assess.documentdb.code.scan import operators_of_line
from greylag.operations.assess.documentdb.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greylag.operations.assess.documentdb.release import Release

LONGEST_LINE: Final = 16_000_000
_NAMESPACE: Final = re.compile(r"(?:command|query|update|remove|findAndModify) ([\w-]+\.[\w.-]+)")
_COMMANDS: Final = frozenset({"command", "originatingCommand"})
_ADVICE: Final = (
    "Let the server log every command for a while (db.setProfilingLevel(0, {slowms: 0}) on each database) and assess "
    "that log; or assess the source code."
)


@dataclass(frozen=True, slots=True)
class Read:
    """How many lines a log has, and what was found in it."""

    lines: int
    findings: tuple[Finding, ...]


def read_log(file: Path, release: Release) -> Read:
    """Read a log, `.gz` too, line by line: structured (MongoDB 4.4 and later) or the text of earlier ones.

    Raises ConfigurationError for a file that cannot be read.
    """
    usage = Usage()
    lines = 0
    try:
        for line in _lines(file):
            lines += 1
            _line(line, usage)
    except (OSError, EOFError) as error:
        raise ConfigurationError(
            f"{file} cannot be read: {getattr(error, 'strerror', None) or error}",
            advice="--log takes a log file of mongod, or one that gzip packed.",
        ) from error
    findings = list(usage.findings(release, seen="the log", file=str(file)))
    if not usage.entries:
        message = f"{file} has no command among its {lines:,} lines"
        findings.append(Finding(Severity.WARNING, "nothing-logged", str(file), message, _ADVICE, str(file)))
    return Read(lines, tuple(findings))


def _lines(file: Path) -> Iterator[str]:
    with file.open("rb") as raw, gzip.open(raw) if file.suffix == ".gz" else raw as source:
        while line := source.readline(LONGEST_LINE):
            yield line.decode("utf-8", "replace")


def _line(line: str, usage: Usage) -> None:
    if line.startswith("{"):
        try:
            told: Any = json.loads(line)
        except ValueError:  # cut off, as a crash leaves the last one
            return
        attributes = told.get("attr") if isinstance(told, dict) else None
        if isinstance(attributes, dict):
            where = str(attributes.get("ns", ""))
            for name in _COMMANDS:
                if isinstance(attributes.get(name), dict):
                    usage.add(attributes[name], where)
        return
    if match := _NAMESPACE.search(line):
        usage.entries += 1
        for use in operators_of_line(line[match.end() :]):
            usage.operator(use.name, use.used_as, match[1])
