"""checkov's policies, where checkov is installed: a program of its own, never imported.

It cannot share an environment with Greylag: it replaces the module `hcl2` by its own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greylag.core.findings import Finding, Severity
from greylag.errors import ResourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTALL = (
    "Install it in an environment of its own (it replaces the hcl2 module of this one): "
    "python3 -m venv ~/.checkov && ~/.checkov/bin/pip install checkov, "
    "then pass --checkov ~/.checkov/bin/checkov or set GREYLAG_CHECKOV."
)


@dataclass(frozen=True, slots=True)
class Policies:
    """What checkov said: its version, how many checks passed and were skipped with a reason, and its findings."""

    version: str
    passed: int
    skipped: int
    findings: tuple[Finding, ...]


def find(program: Path | None) -> Path | None:
    """The program, or None where it is not installed. Raises ResourceError where `program` is not there."""
    if program is not None:
        found = shutil.which(program)
        if found is None:
            raise ResourceError(f"{program} is not a program that can be run", advice=INSTALL)
        return Path(found)
    on_path = shutil.which("checkov")
    return Path(on_path) if on_path else None


def run(program: Path, folder: Path) -> Policies:
    """Every policy of checkov over `folder`, without a network. Raises ResourceError where checkov itself fails."""
    done = subprocess.run(
        [
            *(str(program), "--directory", str(folder), "--framework", "terraform"),
            *("--quiet", "--compact", "--skip-download", "--output", "json"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        said = json.loads(done.stdout)
    except ValueError as error:
        told = (done.stderr or done.stdout).strip().splitlines()
        raise ResourceError(
            f"checkov ended with {done.returncode} and no report: {told[-1] if told else 'it said nothing'}",
            advice="Run it by hand to see why, or go on with --no-policy.",
        ) from error
    whole = said if isinstance(said, list) else [said]
    findings = [finding for each in whole for finding in _findings(each.get("results", {}), folder)]
    summaries = [each.get("summary", each) for each in whole]
    return Policies(
        version=str(next((each["checkov_version"] for each in summaries if "checkov_version" in each), "")),
        passed=sum(each.get("passed", 0) for each in summaries),
        skipped=sum(each.get("skipped", 0) for each in summaries),
        findings=tuple(dict.fromkeys(findings)),
    )


def _findings(results: dict[str, Any], folder: Path) -> Iterator[Finding]:
    for each in results.get("failed_checks", []):
        [first, *_] = each.get("file_line_range") or [0]
        check = each["check_id"]
        guideline = each.get("guideline")
        advice = f"Mend it, or skip it with the reason in the block: # checkov:skip={check}:reason."
        yield Finding(
            severity=Severity.WARNING,
            kind=check,
            name=each["resource"],
            message=each["check_name"],
            advice=f"{advice} See {guideline}" if guideline else advice,
            file=str(folder / each["file_path"].lstrip("/")),
            line=first,
        )
    for each in results.get("parsing_errors", []):
        yield Finding(
            Severity.WARNING,
            "checkov-syntax",
            Path(each).name,
            "checkov cannot read this file: its policies were not checked",
            "See what else is said of this file.",
            str(each),
        )
