"""A folder of source code, held against a release of DocumentDB."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from greylag.core.findings import Finding, Severity
from greylag.errors import ConfigurationError
from greylag.operations.assess.documentdb.code.addresses import in_code, in_text
from greylag.operations.assess.documentdb.code.calls import (
    CONCERNED,
    DeprecatedUse,
    FeatureUse,
    IndexUse,
    calls,
)
from greylag.operations.assess.documentdb.code.languages import JS, family_of
from greylag.operations.assess.documentdb.code.operators import Use, uses
from greylag.operations.assess.documentdb.code.structure import code
from greylag.operations.assess.documentdb.tables import partly, since, supported, tables
from greylag.operations.init.folder import FoundFile, text_of, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from greylag.operations.assess.documentdb.code.calls import Found
    from greylag.operations.assess.documentdb.release import Release
    from greylag.operations.assess.documentdb.tables import Feature

MAX_BYTES: Final = 2_000_000
_GENERATED: Final = re.compile(
    r"(?:\.min\.\w+|\.bundle\.js|\.map)$|^(?:package-lock|npm-shrinkwrap|composer\.lock|tsconfig\b.*)\.?(?:json)?$"
)
_SETTINGS: Final = re.compile(
    r"^\.env(?:\..+)?$|^env\.(?:example|sample|template)$|[\w-]+\.env(?:\..+)?$|^Dockerfile|\.(?:properties|ini|cfg|conf|toml|"
    r"xml|tfvars|service|env)$",
    re.IGNORECASE,
)
_ADVICE: Final = (
    "What was passed over was not looked at: run the assessment on that folder or file by itself."
)


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was looked at, and what was found there; `seen` counts each operator that is supported."""

    files: int
    findings: tuple[Finding, ...]


def scan(
    folder: Path, release: Release, *, observe: Callable[[int, int], None] = lambda _, __: None
) -> Scanned:
    """Look at every program and file of settings below `folder`. Raises ConfigurationError for a folder that is none.

    Hidden folders and those of other people's code (node_modules, vendor, dist …) are passed over, as are documents
    and Terraform. `observe` is told how many of how many files were looked at.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is no folder", advice="--source-code takes a folder of programs.")
    found = walk(folder)
    findings = [replace(each, advice=_ADVICE) for each in found.findings]
    wanted = [each for each in found.files if family_of(each.name) is not None or _is_settings(each)]
    looked = 0
    for number, each in enumerate(wanted, 1):
        if not _GENERATED.search(PurePosixPath(each.name).name):
            findings += _file(each, release)
            looked += 1
        observe(number, len(wanted))
    return Scanned(looked, tuple(findings))


def of_text(text: str, file: str, release: Release) -> Iterator[Finding]:
    """What `text` holds, as the file of that name."""
    family = family_of(file)
    if family is None:
        yield from in_text(text, file, release)
        return
    if "$" not in text and CONCERNED.search(text) is None:
        return
    parsed = code(text, family)
    for use in uses(parsed):
        yield from _operator(use, file, release)
    for found in calls(parsed, text, tables()):
        yield from _call(found, file, release)
    if family.name in {"yaml", "shell"}:  # addresses need no quotes there
        yield from in_text(text, file, release)
    else:
        yield from in_code(parsed, file, release)


def operators_of_line(text: str) -> list[Use]:
    """The operators of one line that the server or its shell wrote."""
    return list(uses(code(text, JS)))


def _is_settings(file: FoundFile) -> bool:
    return _SETTINGS.search(PurePosixPath(file.name).name) is not None


def _file(file: FoundFile, release: Release) -> Iterator[Finding]:
    text = text_of(file, limit_bytes=MAX_BYTES)
    if isinstance(text, Finding):
        yield replace(text, advice=_ADVICE)
        return
    yield from of_text(text, file.name, release)


def _operator(use: Use, file: str, release: Release) -> Iterator[Finding]:
    known = tables()
    letters = known.operator(use.name, used_as=use.used_as)
    if letters and not supported(letters, release):
        what = {"stages": " as a stage", "accumulators": " as an accumulator"}.get(use.used_as, "")
        yield Finding(
            Severity.BLOCKER,
            "unsupported-operator",
            use.name,
            f"{release} has no {use.name}{what}",
            known.operator_advice(use.name, used_as=use.used_as),
            file,
            use.line,
        )


def _call(found: Found, file: str, release: Release) -> Iterator[Finding]:
    known = tables()
    if isinstance(found, Use):
        yield from _operator(found, file, release)
    elif isinstance(found, FeatureUse):
        yield from feature_finding(found.feature, found.written, release, file=file, line=found.line)
    elif isinstance(found, IndexUse):
        if not known.takes(found.table, found.name, release):
            letters = known.sets[found.table][found.name]
            kind = "an index of kind" if found.table == "indexes" else "the index option"
            yield Finding(
                Severity.BLOCKER,
                "unsupported-index",
                found.name,
                f"{release} has no {kind.removeprefix('an ').removeprefix('the ')} {found.name}",
                f"{since(letters)} Make an index it has, and ask for what that can answer.".strip(),
                file,
                found.line,
            )
    elif isinstance(found, DeprecatedUse):
        yield Finding(
            Severity.WARNING,
            "deprecated-call",
            found.written,
            f"{found.written} is no longer in current drivers",
            found.deprecated.do,
            file,
            found.line,
        )


def feature_finding(
    feature: Feature, written: str, release: Release, *, file: str = "", line: int = 0, seen: str = ""
) -> Iterator[Finding]:
    """The finding for a feature that is asked for, none where the release has it."""
    if supported(feature.releases, release) and not partly(feature.releases, release):
        return
    whole = not supported(feature.releases, release)
    lacks = "has no" if whole else "has only a part of"
    yield Finding(
        Severity.BLOCKER if whole else Severity.WARNING,
        "unsupported-feature",
        written if feature.group else feature.name,
        f"{release} {lacks} {feature.shown(written)}{seen}",
        " ".join(filter(None, (since(feature.releases), feature.do))),
        file,
        line,
    )
