"""`terraform output -json` as lines of an environment file, which keeps all its other lines as they are."""

from __future__ import annotations

import io
import json
import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dotenv.parser import parse_stream

from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]*")


@dataclass(frozen=True, slots=True)
class Outputs:
    """Values by variable; `sensitive` are the variables that Terraform marks so. Their values are in no repr."""

    values: Mapping[str, str]
    sensitive: frozenset[str]

    def __repr__(self) -> str:
        return f"Outputs({sorted(self.values)})"


def read(text: str) -> Outputs:
    """What `terraform output -json` printed: each output's name in capitals; what is no text or number as JSON.

    Raises ConfigurationError for anything else.
    """
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict) or not all(
        isinstance(each, dict) and {"value", "sensitive"} <= set(each) for each in document.values()
    ):
        raise ConfigurationError(
            "this is not what `terraform output -json` prints",
            advice="Run: terraform output -json | greylag infra outputs -",
        )
    values: dict[str, str] = {}
    for name, output in document.items():
        variable = re.sub(r"[^A-Za-z0-9_]", "_", name).upper()
        if not _NAME.fullmatch(variable):
            raise ConfigurationError(f"the output {name!r} makes no name of a variable")
        if variable in values:
            raise ConfigurationError(f"two outputs have one name as a variable: {variable}")
        if output["value"] is not None:
            values[variable] = _text(output["value"])
    sensitive = {
        re.sub(r"[^A-Za-z0-9_]", "_", name).upper() for name, each in document.items() if each["sensitive"]
    }
    return Outputs(values, frozenset(sensitive & set(values)))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True)


def choose(outputs: Outputs, *, include_sensitive: bool, to_file: bool) -> dict[str, str]:
    """The variables that may be written where the user asked.

    Raises ConfigurationError for sensitive ones that were not asked for, or that would be printed.
    """
    if outputs.sensitive and not include_sensitive:
        raise ConfigurationError(
            f"these outputs are sensitive: {', '.join(sorted(outputs.sensitive))}",
            advice="--include-sensitive writes them too, to the file that --out names and nobody else may read.",
        )
    if outputs.sensitive and not to_file:
        raise ConfigurationError(
            "sensitive outputs are never printed", advice="Name a file: --out .env.prod; it gets mode 600."
        )
    return dict(outputs.values)


def merge(text: str, values: Mapping[str, str]) -> str:
    """`text`, an environment file, with `values` in it: entries of theirs replaced in place (`export` stays), new ones
    at the end, all others as they were, also values that span lines.
    """
    left = dict(values)
    lines: list[str] = []
    for binding in parse_stream(io.StringIO(text, newline="")):
        entry = binding.original.string
        if binding.error or binding.key not in values:
            lines.append(entry)
        elif binding.key in left:  # a second entry of the same name would win over the first
            blank = entry[: len(entry) - len(entry.lstrip())]  # empty lines before it
            export = "export " if entry.lstrip().startswith("export") else ""
            ending = entry[len(entry.rstrip("\r\n")) :] or "\n"
            lines.append(f"{blank}{export}{_line(binding.key, left.pop(binding.key))}{ending}")
    if left and lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return "".join([*lines, *(f"{_line(name, value)}\n" for name, value in left.items())])


def _line(name: str, value: str) -> str:
    if _PLAIN.fullmatch(value):
        return f"{name}={value}"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{name}='{escaped}'"


def write(file: Path, text: str, *, private: bool) -> None:
    """Write `text` whole or not at all. `private`: nobody but the owner may read it, at no time."""
    mode = 0o600 if private or not file.exists() else stat.S_IMODE(file.stat().st_mode)
    beside = file.with_name(f".{file.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as handle:
        handle.write(text)
    beside.chmod(mode)
    beside.replace(file)
