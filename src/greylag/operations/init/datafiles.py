"""JSON files that hold records: arrays, JSON Lines, and objects with arrays inside."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from greylag.connectors.registry import connector_type
from greylag.core.findings import Finding, Severity
from greylag.errors import GreylagError
from greylag.operations.init.sample import Sample, take

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.operations.init.folder import Folder, FoundFile

SUFFIXES: Final = (".json", ".jsonl", ".json.gz", ".jsonl.gz")
MAX_OBJECT_BYTES: Final = 64_000_000
"""A file that is an object is read to its end to find the arrays in it; a larger one is left to the user."""

MAX_DATASETS: Final = 200

_CONFIGURATION: Final = re.compile(
    r"(?:package|package-lock|npm-shrinkwrap|composer|tsconfig.*|jsconfig.*|angular|nest-cli|lerna|nx|turbo|vercel"
    r"|firebase|app|appsettings.*|launch|launchSettings|manifest|babel.*|jest.*|tslint|biome|deno|renovate|nodemon"
    r"|Pipfile|swagger.*|openapi.*|schema|.*\.schema|.*\.postman_collection|.*\.tfstate|.*\.tfvars"
    r"|components|project|global|settings|devcontainer)\.json"
)


@dataclass(frozen=True, slots=True)
class DataSet:
    """An array of records: a file (`pointer` empty) or the array at a JSON pointer inside it."""

    file: FoundFile
    pointer: str
    sample: Sample

    @property
    def stem(self) -> str:
        """The file's name in the folder without what tells its format."""
        suffix = max((each for each in SUFFIXES if self.file.name.endswith(each)), key=len)
        return self.file.name.removesuffix(suffix)

    @property
    def short(self) -> str:
        """What people call it: `users` of `db.json#/users` and of `data/users.jsonl`."""
        last = self.pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
        return last or PurePosixPath(self.stem).name

    def __str__(self) -> str:
        return self.file.name + (f"#{self.pointer}" if self.pointer else "")

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        profile = self.sample.profile
        return {
            "dataset": str(self),
            "records_read": profile.records_read,
            "whole": profile.whole,
            "fields": [each.path for each in profile.fields],
        }


def find(folder: Folder) -> tuple[tuple[DataSet, ...], tuple[Finding, ...]]:
    """Every array of records below the folder, and what looked like one and is none."""
    found: list[DataSet] = []
    findings: list[Finding] = []
    candidates = [each for each in folder.files if _may_hold_records(each)]
    for file in candidates:
        if len(found) >= MAX_DATASETS:
            findings.append(
                _passed(file, f"more than {MAX_DATASETS} datasets: this and later files were not read")
            )
            break
        try:
            for dataset in _in(file):
                why = _wrong(dataset)
                if why:
                    findings.append(_passed(file, why))
                if dataset.sample.readable:
                    found.append(dataset)
        except GreylagError as error:
            findings.append(_passed(file, error.message.replace("\n", " ")))
        except OSError as error:
            findings.append(_passed(file, f"cannot be read: {error.strerror}"))
    return tuple(found), tuple(findings)


def _may_hold_records(file: FoundFile) -> bool:
    name = PurePosixPath(file.name).name
    return (
        name.endswith(SUFFIXES)
        and not name.startswith(".")
        and not file.for_tests
        and _CONFIGURATION.fullmatch(name) is None
    )


def _in(file: FoundFile) -> Iterator[DataSet]:
    size = file.path.stat().st_size
    if size == 0:
        return
    if "#" in file.name or PurePosixPath(file.name).name.startswith("*"):
        raise GreylagError("its name holds a character that `from:` gives another meaning; rename it")
    if size > MAX_OBJECT_BYTES and not file.name.removesuffix(".gz").endswith(".jsonl") and _is_object(file):
        raise GreylagError("an object this large was not searched for arrays; name one as file.json#/key")
    kind = connector_type("json")
    options = kind.options(kind="json", path=file.path.name)
    connector = kind.open("data", options, file.path.parent)
    with closing(connector.source()) as source:
        names = source.datasets()
    for name in names:
        yield DataSet(file, name.partition("#")[2], take(connector, name))


def _wrong(dataset: DataSet) -> str:
    """Why a dataset is not all read: the file is broken, or nothing in the array is a record. Else empty."""
    profile = dataset.sample.profile
    reason = profile.damaged or (
        "" if dataset.sample.readable else next(iter(profile.unreadable_reasons), "")
    )
    return reason.replace("\n", " ")


def _is_object(file: FoundFile) -> bool:
    with file.path.open("rb") as opened:
        return opened.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def _passed(file: FoundFile, reason: str) -> Finding:
    return Finding(
        Severity.NOTE,
        "passed-over",
        file.name,
        f"{file.name}: {reason}",
        "If it holds records, mend it or name the array in greylag.yaml.",
        file=file.name,
    )
