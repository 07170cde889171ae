"""Assesses a move to DocumentDB: code, logs, and what the connections of greylag.yaml hold."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greylag.console.units import plural
from greylag.operations.assess.documentdb.code.scan import scan
from greylag.operations.assess.documentdb.logs import read_log
from greylag.operations.assess.documentdb.report import Judgement, Looked, judged

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.core.findings import Finding
    from greylag.operations.assess.documentdb.release import Release


@dataclass(frozen=True, slots=True)
class Programs:
    """What is looked at beside data: folders of source code, and log files of mongod."""

    source_code: tuple[Path, ...] = ()
    logs: tuple[Path, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.source_code or self.logs)


def assess_programs(release: Release, programs: Programs) -> Judgement:
    """Look at code and logs alone: no connection, no greylag.yaml. Raises ConfigurationError for what is not there."""
    started = time.monotonic()
    looked: list[Looked] = []
    findings: list[Finding] = []
    for folder in programs.source_code:
        scanned = scan(folder, release)
        looked.append(Looked(str(folder), plural(scanned.files, "file")))
        findings += scanned.findings
    for file in programs.logs:
        read = read_log(file, release)
        looked.append(Looked(str(file), plural(read.lines, "line")))
        findings += read.findings
    return judged(release, looked, findings, time.monotonic() - started)
