"""Where backups are kept: a folder, or a prefix of an S3 bucket. Whole files by name, each written at once."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

from greylag.engine.disk import sync_folder, writing
from greylag.errors import ConfigurationError, SourceDataError

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNFINISHED = ".unfinished"


class Place(Protocol):
    """Picklable. Names have slashes; those of `names` come in any order."""

    def write(self, name: str, content: bytes) -> None:
        """Durable when this returns; never seen in part."""

    def read(self, name: str) -> bytes:
        """Raises SourceDataError where there is none."""

    def names(self) -> Iterator[str]:
        """Every file of the place."""

    def folders(self) -> list[str]:
        """The names up to the first slash, sorted."""

    def remove(self, name: str) -> None:
        """No error where there is none."""

    def below(self, name: str) -> Place:
        """The place within."""

    def __str__(self) -> str:
        """As a user writes it."""


@dataclass(frozen=True, slots=True)
class Folder:
    """See `Place`."""

    path: Path

    def write(self, name: str, content: bytes) -> None:
        """See `Place.write`."""
        path = self.path / name
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(path.name + _UNFINISHED)
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
            sync_folder(path.parent)

    def read(self, name: str) -> bytes:
        """See `Place.read`."""
        path = self.path / name
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise gone(str(path)) from None

    def names(self) -> Iterator[str]:
        """See `Place.names`; files whose writing was interrupted too."""
        for path in self.path.rglob("*"):
            if not path.is_dir():
                yield path.relative_to(self.path).as_posix()

    def folders(self) -> list[str]:
        """See `Place.folders`."""
        return sorted(each.name for each in self.path.iterdir()) if self.path.is_dir() else []

    def remove(self, name: str) -> None:
        """See `Place.remove`."""
        path = self.path / name
        path.unlink(missing_ok=True)
        with suppress(OSError):  # the last file of its folder takes that along
            for parent in [each for each in path.parents if each.is_relative_to(self.path)]:
                parent.rmdir()

    def below(self, name: str) -> Folder:
        """See `Place.below`."""
        return Folder(self.path / name)

    def __str__(self) -> str:
        return str(self.path)


def place_of(text: str, *, region: str | None = None, root: Path | None = None) -> Place:
    """The place that a command line names: s3://bucket/prefix, or a folder (below `root` where it is relative)."""
    if text.startswith("s3://"):
        from greylag.recovery.s3 import Bucket

        bucket, _, prefix = text.removeprefix("s3://").partition("/")
        if not bucket:
            raise ConfigurationError(f"{text!r} names no bucket", advice="Write s3://BUCKET/PREFIX.")
        return Bucket(bucket, str(PurePosixPath(prefix)) if prefix.strip("/") else "", region)
    if "://" in text:
        raise ConfigurationError(
            f"{text!r} is no place for backups", advice="Write a folder, or s3://BUCKET/PREFIX."
        )
    return Folder((root or Path()) / Path(text).expanduser())


def gone(where: str) -> SourceDataError:
    """A file that should be there is not."""
    return SourceDataError(
        f"{where} is missing",
        advice="Restore another backup, or a whole copy of this one. Nothing was written.",
    )
