"""The names of datasets: which file each means, and the pointer inside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from greylag.connectors.json.files import SUFFIXES, DataFile, translated
from greylag.connectors.json.malformed import Malformed
from greylag.connectors.json.pointer import array_members, format_step, parse_pointer
from greylag.core.nearest import did_you_mean
from greylag.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset whose file exists; whether the array does that `steps` lead to, reading tells."""

    name: str
    file: DataFile
    steps: tuple[str, ...]

    @property
    def shown(self) -> str:
        """How messages call it."""
        pointer = "".join("/" + format_step(step) for step in self.steps)
        return self.file.name + (f"#{pointer}" if pointer else "")


def locate(root: Path, name: str) -> Dataset:
    """The dataset `name` of the folder or file `root`. Raises SchemaError, with near names, where there is none."""
    file_name, sign, pointer = name.partition("#")
    steps = parse_pointer(pointer) if sign else ()
    file = _only_file(root, file_name) if root.is_file() else _file_in(root, file_name)
    if file.lines and steps:
        raise SchemaError(
            f"{file.name} is JSON Lines: there is no array inside for #{pointer} to lead to",
            advice=f"Write {file_name} alone.",
        )
    return Dataset(name, file, steps)


def names(root: Path) -> list[str]:
    """Every dataset of `root`, sorted: a file that is an array or JSON Lines by its name without suffix, of a file
    that is an object each array in it as `file.json#/key`. A file that is neither, or is no JSON, is named as it
    is: describing it tells what is wrong. Hidden files and folders are passed over.
    """
    if root.is_file():
        only = DataFile(root, root.name)
        return sorted(_names_in(only, only.stem, ""))
    files = list(_files(root))
    stems = [file.stem for file in files]
    found: list[str] = []
    for file in files:
        short = file.stem if stems.count(file.stem) == 1 else file.name
        found.extend(_names_in(file, short, file.name))
    return sorted(found)


def _names_in(file: DataFile, short: str, before_pointer: str) -> list[str]:
    if file.lines:
        return [short]
    try:
        with file.window() as window:
            if window.peek() != ord("{"):
                return [short]
            window.position += 1
            members = array_members(window)
    except Malformed:
        return [short]
    return [f"{before_pointer}#/{format_step(key)}" for key in members] or [short]


def _files(root: Path) -> Iterator[DataFile]:
    with translated(str(root)):
        for path in sorted(root.rglob("*")):
            relative = path.relative_to(root)
            hidden = any(part.startswith(".") for part in relative.parts)
            if not hidden and path.name.endswith(SUFFIXES) and path.is_file():
                yield DataFile(path, relative.as_posix())


def _only_file(root: Path, name: str) -> DataFile:
    file = DataFile(root, root.name)
    if name in ("", file.stem, file.name):
        return file
    raise SchemaError(
        f"there is no dataset {name!r}: the connection is the one file {root.name}",
        advice=f"Write {file.stem}, or #/key for an array inside it.",
    )


def _file_in(root: Path, name: str) -> DataFile:
    parts = PurePosixPath(name).parts
    if not name or name.startswith("/") or ".." in parts:
        raise SchemaError(f"{name!r} is no file below {root}", advice="Write its path inside the folder.")
    known = name.endswith(SUFFIXES) and (root / name).is_file()
    found = [name] if known else [name + suffix for suffix in SUFFIXES if (root / (name + suffix)).is_file()]
    if len(found) == 1:
        return DataFile(root / found[0], found[0])
    if found:
        raise SchemaError(f"{name!r} means {' and '.join(found)}", advice="Write the file's whole name.")
    there = [file.name if name.endswith(SUFFIXES) else file.stem for file in _files(root)]
    listed = ", ".join(there[:_SHOWN]) + (" …" if len(there) > _SHOWN else "")
    raise SchemaError(
        f"there is no file {name!r} in {root}{did_you_mean(name, there)}",
        advice=f"Its JSON files: {listed or 'none'}.",
    )
