"""The folder that `init` looks at: which files there are, found and read in bounded time and memory."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from greylag.core.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_ENTRIES: Final = 50_000
MAX_DEPTH: Final = 12
SKIPPED: Final = frozenset(
    {
        *("node_modules", "bower_components", "vendor", "site-packages", "venv", "env", "__pycache__"),
        *("dist", "build", "target", "out", "coverage", "bin", "obj", "Pods", "htmlcov"),
    }
)
"""Folders of other people's code and of what was built; hidden folders (.git, .venv, .greylag) are passed over too."""

TESTING: Final = frozenset(
    {"test", "tests", "__tests__", "spec", "fixtures", "mocks", "__mocks__", "locales", "i18n"}
)
"""Folders whose data is made up for tests, or translations: nothing that moves."""

_OBJECTS: Final = frozenset(
    {
        ".jpg",
        ".jpeg",
        ".png",
        ".gif",
        ".webp",
        ".avif",
        ".svg",
        ".pdf",
        ".mp3",
        ".mp4",
        ".mov",
        ".zip",
        ".docx",
    }
)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file below the folder; `name` is its path in it, with slashes."""

    path: Path
    name: str

    @property
    def for_tests(self) -> bool:
        """Whether it lies in a folder of tests or translations."""
        return any(part in TESTING for part in Path(self.name).parts[:-1])


@dataclass(frozen=True, slots=True)
class Folder:
    """The files below `root`, sorted by name, and what was passed over."""

    root: Path
    files: tuple[FoundFile, ...]
    findings: tuple[Finding, ...] = ()

    def objects(self) -> Counter[str]:
        """How many images and documents lie in each folder: what an object store holds elsewhere."""
        return Counter(
            Path(each.name).parent.as_posix()
            for each in self.files
            if Path(each.name).suffix.lower() in _OBJECTS and not each.for_tests
        )


@dataclass
class _Walk:
    root: Path
    files: list[FoundFile] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    entries: int = 0
    links: int = 0
    unnamed: int = 0

    def below(self, folder: Path, depth: int) -> None:
        name = folder.relative_to(self.root).as_posix()
        if depth > MAX_DEPTH:
            self._passed(
                "too-deep", name, f"{name} lies deeper than {MAX_DEPTH} folders and was not looked into"
            )
            return
        try:
            with os.scandir(folder) as found:
                entries = sorted(self._counted(found), key=lambda each: each.name)
        except OSError as error:
            self._passed("unreadable", name, f"{name} cannot be read: {error.strerror}", Severity.WARNING)
            return
        for entry in entries:
            if entry.is_symlink():
                self.links += 1
            elif not _is_text(entry.name):
                self.unnamed += 1
            elif entry.is_dir(follow_symlinks=False):
                if entry.name not in SKIPPED and not entry.name.startswith("."):
                    self.below(folder / entry.name, depth + 1)
            elif entry.is_file(follow_symlinks=False):
                path = folder / entry.name
                self.files.append(FoundFile(path, path.relative_to(self.root).as_posix()))

    def _counted(self, found: Iterator[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
        for entry in found:
            if self.entries >= MAX_ENTRIES:
                return
            self.entries += 1
            yield entry

    def _passed(self, kind: str, name: str, message: str, severity: Severity = Severity.NOTE) -> None:
        advice = "Run `greylag init` in that folder, or add what it holds to greylag.yaml by hand."
        self.findings.append(Finding(severity, kind, name, message, advice, file=name))


def walk(root: Path) -> Folder:
    """The files of `root`. Follows no symbolic link, looks at no more than MAX_ENTRIES files and folders."""
    walking = _Walk(root)
    walking.below(root, 0)
    if walking.entries >= MAX_ENTRIES:
        message = f"the folder holds more than {MAX_ENTRIES:,} files: the rest was not looked at"
        advice = "Run `greylag init` in the folder of one application."
        walking.findings.append(Finding(Severity.WARNING, "too-many-files", ".", message, advice))
    if walking.links:
        message = f"symbolic links not followed: {walking.links}"
        advice = "Where one leads to data, name its folder in greylag.yaml by hand."
        walking.findings.append(Finding(Severity.NOTE, "links", ".", message, advice))
    if walking.unnamed:
        message = f"names that are not UTF-8, passed over: {walking.unnamed}"
        advice = "Rename those that hold data: greylag.yaml can only say names that are text."
        walking.findings.append(Finding(Severity.WARNING, "unreadable-name", ".", message, advice))
    files = sorted(walking.files, key=lambda each: (each.name.count("/"), each.name))
    return Folder(root, tuple(files), tuple(walking.findings))


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def text_of(file: FoundFile, *, limit_bytes: int) -> str | Finding:
    """The text of a file of at most `limit_bytes`, or why it cannot be had."""
    try:
        with file.path.open("rb") as opened:
            data = opened.read(limit_bytes + 1)
    except OSError as error:
        return unreadable(file, f"cannot be read: {error.strerror}")
    if len(data) > limit_bytes:
        return unreadable(file, f"is larger than {limit_bytes:,} bytes and was not looked into")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return unreadable(file, "is not UTF-8 text")


def unreadable(file: FoundFile, reason: str, *, line: int = 0) -> Finding:
    """The finding for a file that says nothing to `init`."""
    advice = "Mend it and run `greylag init` again, or write what it holds into greylag.yaml by hand."
    return Finding(
        Severity.WARNING, "unreadable", file.name, f"{file.name} {reason}", advice, file=file.name, line=line
    )
