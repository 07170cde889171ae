"""Environment files: `.env`, `.env.production`, `.env.example` and the like."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from greylag.config.environment import read_environment_file
from greylag.core.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.operations.init.folder import FoundFile

_NAME = re.compile(r"\.env(?:\..+)?|env\.(?:example|sample|template)|[\w-]+\.env")
_TEMPLATES = frozenset({"example", "sample", "template", "dist", "defaults", "default", "tpl"})
_ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class EnvFile:
    """One environment file. Its values may be secret and are in no repr."""

    name: str
    variables: Mapping[str, str] = field(repr=False)

    @property
    def example(self) -> bool:
        """Whether it only shows which variables there are."""
        words = PurePosixPath(self.name).name.strip(".").split(".")
        return bool(_TEMPLATES.intersection(words))

    @property
    def environment(self) -> str | None:
        """The environment whose variables `--env` takes from it; None for any other file."""
        suffix = self.name.removeprefix(".env.")
        fits = self.name.startswith(".env.") and _ENVIRONMENT.fullmatch(suffix) is not None
        return suffix if fits and not self.example and suffix != "local" else None

    def as_json(self) -> dict[str, Any]:
        """For `--json`: names of variables, no value."""
        return {"file": self.name, "variables": sorted(self.variables)}


def is_env_file(file: FoundFile) -> bool:
    """Whether it is named as environment files are."""
    return _NAME.fullmatch(PurePosixPath(file.name).name) is not None


def read_env_file(file: FoundFile) -> tuple[EnvFile, tuple[Finding, ...]]:
    """Its variables, and the lines that cannot be read."""
    variables, problems = read_environment_file(file.path)
    findings = tuple(
        Finding(
            Severity.WARNING,
            "bad-env-file",
            file.name,
            f"{file.name}:{each.line}: {each.message}",
            "Mend the line: `greylag` reads .env and .env.<environment> beside greylag.yaml.",
            file=file.name,
            line=each.line,
        )
        for each in problems
    )
    return EnvFile(file.name, variables), findings
