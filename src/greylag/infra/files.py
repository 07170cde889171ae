"""Writes rendered files and never over a person's edit.

A manifest beside them records the digest of every file as it was rendered. A file whose digest is still that one is
Greylag's to change or remove; one that differs is a person's. Before anything is written the manifest says what is
about to be, so that after an interruption both the old and the new text of a file count as Greylag's. Line ends do not
count: a checkout may have made CRLF of them.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from greylag.errors import ConfigurationError, StateError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

MANIFEST = ".greylag-render.json"

Outcome = Literal["new", "changed", "unchanged", "removed", "edited", "conflict", "kept"]
"""What became, or would become, of a file.

`edited`: a person changed it, and the project asks for nothing new in it. `conflict`: a person changed it, and the
project asks for something else than it did. `kept`: no longer needed, but a person changed it. All three stand as they
were.
"""


@dataclass(frozen=True, slots=True)
class File:
    """One file, its path from the folder with `/`, and for a person's edit what rendering would change."""

    path: str
    outcome: Outcome
    difference: str = ""

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {"file": self.path, "outcome": self.outcome, "difference": self.difference or None}


def place(
    folder: Path,
    wanted: Mapping[str, str],
    once: Mapping[str, str],
    *,
    write: bool,
    force: Collection[str] = (),
    keep: Collection[str] = (),
) -> tuple[File, ...]:
    """Bring `folder` to `wanted`, text by path; say what became of each file, in the order of the paths.

    Files of `once` are written where there are none and are a person's from then on. `force` overwrites edits; `keep`
    takes an edited file as the answer to what the project asks for. Nothing is touched unless `write`.

    Raises StateError for a manifest that cannot be read, ConfigurationError where a file cannot be read or written.
    """
    try:
        return _place(folder, wanted, once, write=write, force=force, keep=keep)
    except OSError as error:
        raise ConfigurationError(
            f"{error.filename or folder}: {error.strerror or error}",
            advice="Give the right to write there, or name another folder with --out. What was rendered before stands;"
            " the next rendering goes on from it.",
        ) from None


def _place(
    folder: Path,
    wanted: Mapping[str, str],
    once: Mapping[str, str],
    *,
    write: bool,
    force: Collection[str],
    keep: Collection[str],
) -> tuple[File, ...]:
    manifest = _rendered_before(folder)
    recorded = dict(manifest)
    digests = {path: _digest(text) for path, text in wanted.items()}
    if write and not digests.items() <= recorded.items():
        _write_manifest(folder, recorded, digests)
    found: list[File] = []
    for path, text in sorted(wanted.items()):
        outcome = _outcome(folder / path, text, recorded.get(path), forced=path in force)
        if outcome == "conflict" and path in keep:
            outcome = "edited"
        if write and outcome in ("new", "changed"):
            _write(folder / path, text)
        if outcome in ("new", "changed", "unchanged") or (outcome == "edited" and path in keep):
            recorded[path] = digests[path]
        difference = _difference(folder / path, text, path) if outcome in ("edited", "conflict") else ""
        found.append(File(path, outcome, difference))
    for path in sorted(set(manifest) - set(wanted)):
        fate = _fate(folder / path, manifest[path], forced=path in force)
        if fate == "removed" and write:
            _remove(folder / path, folder)
        if fate != "kept":
            del recorded[path]
        if fate is not None:
            found.append(File(path, fate))
    for path, text in sorted(once.items()):
        if not (folder / path).exists():
            if write:
                _write(folder / path, text)
            found.append(File(path, "new"))
    if write and (recorded, {}) != _read_manifest(folder / MANIFEST):
        _write_manifest(folder, recorded)
    return tuple(sorted(found, key=lambda each: each.path))


def _rendered_before(folder: Path) -> dict[str, str]:
    """The digest of each file that was rendered; of an interrupted rendering, those it came to."""
    rendered, begun = _read_manifest(folder / MANIFEST)
    came_to = {
        path: digest
        for path, digest in begun.items()
        if (folder / path).is_file() and _digest(_text(folder / path)) == digest
    }
    return rendered | came_to


def _outcome(file: Path, text: str, recorded: str | None, *, forced: bool) -> Outcome:
    if not file.exists():
        # One that was rendered and is gone was removed by somebody, who may have meant it.
        return (
            "new" if recorded is None or forced else ("edited" if recorded == _digest(text) else "conflict")
        )
    there = _text(file)
    if there == text:
        return "unchanged"
    if forced or (recorded is not None and _digest(there) == recorded):
        return "changed"
    return "edited" if recorded == _digest(text) else "conflict"


def _fate(file: Path, recorded: str, *, forced: bool) -> Outcome | None:
    """Of a file that is no longer needed; None where it is gone already."""
    if not file.exists():
        return None
    return "removed" if forced or _digest(_text(file)) == recorded else "kept"


def _text(file: Path) -> str:
    """The file's text; what is no UTF-8 is certainly not what was rendered."""
    return file.read_bytes().decode("utf-8", errors="surrogateescape").replace("\r\n", "\n")


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", errors="surrogateescape")).hexdigest()


def _difference(file: Path, text: str, path: str) -> str:
    there = _text(file) if file.exists() else ""
    lines = difflib.unified_diff(
        there.splitlines(keepends=True),
        text.splitlines(keepends=True),
        f"{path} (yours)",
        f"{path} (rendered)",
    )
    shown = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return "".join(shown).encode("utf-8", errors="replace").decode()


def _write(file: Path, text: str) -> None:
    """Whole or not at all: an interruption leaves the old file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.new")
    beside.write_bytes(text.encode())
    if text.startswith("#!"):
        beside.chmod(0o755)
    beside.replace(file)


def _remove(file: Path, folder: Path) -> None:
    file.unlink()
    for parent in file.parents:
        if parent == folder or any(parent.iterdir()):
            return
        parent.rmdir()


def _write_manifest(
    folder: Path, recorded: Mapping[str, str], begun: Mapping[str, str] | None = None
) -> None:
    document: dict[str, Any] = {"version": 1, "files": dict(sorted(recorded.items()))}
    if begun:
        document["begun"] = dict(sorted(begun.items()))
    _write(folder / MANIFEST, json.dumps(document, indent=2) + "\n")


def _read_manifest(file: Path) -> tuple[dict[str, str], dict[str, str]]:
    """What was rendered, and what an interrupted rendering had begun to write."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, {}
    except ValueError:
        document = None
    known = document if isinstance(document, dict) and document.get("version") == 1 else {}
    files: Any = known.get("files")
    begun: Any = known.get("begun", {})
    for each in (files, begun):
        if not isinstance(each, dict) or not all(isinstance(digest, str) for digest in each.values()):
            raise StateError(
                f"{file} is not the record of an earlier rendering that this version can read",
                advice="Take it from version control again. Without it every file would be taken for a person's edit.",
            )
    return dict(files), dict(begun)
