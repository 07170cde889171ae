"""Whatever happens to a backup's bytes, it is refused before anything is written."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from greylag.errors import SourceDataError
from tests.integration.recovery.conftest import ITEMS
from tests.integration.recovery.items import assert_holds, client_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.command import Command
    from tests.integration.recovery.conftest import Recovery


def _part(folder: Path) -> Path:
    return min(folder.rglob("*.gz"))


def _flipped(place: float) -> Callable[[Path], None]:
    def flip(folder: Path) -> None:
        path = _part(folder)
        content = bytearray(path.read_bytes())
        content[int(place * (len(content) - 1))] ^= 1
        path.write_bytes(content)

    return flip


def _truncated(share: float) -> Callable[[Path], None]:
    def truncate(folder: Path) -> None:
        path = _part(folder)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    return truncate


def _appended(folder: Path) -> None:
    with _part(folder).open("ab") as file:
        file.write(b"\0")


def _missing(folder: Path) -> None:
    _part(folder).unlink()


def _swapped(folder: Path) -> None:
    one, other = sorted(folder.rglob("*.gz"))[:2]
    first = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(first)


def _extra(folder: Path) -> None:
    shutil.copy(_part(folder), folder / "data" / "0000" / "000000-000999.gz")


def _edited(key: str, value: object) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / "manifest.json"
        document = json.loads(path.read_text())
        target = document if key in document else document["tables"][0]
        target[key] = value
        path.write_text(json.dumps(document, indent=1))

    return edit


def _manifest_flipped(folder: Path) -> None:
    path = folder / "manifest.json"
    content = path.read_text()
    path.write_text(content.replace('"records": 1', '"records": 2', 1))


def _manifest_truncated(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_bytes(path.read_bytes()[:-40])


def _fewer_parts(folder: Path) -> None:
    path = folder / "manifest.json"
    document = json.loads(path.read_text())
    part = document["tables"][0]["parts"].pop()
    (folder / part["file"]).unlink()
    path.write_text(json.dumps(document))


DAMAGES = {
    "magic": _flipped(0),
    "header": _flipped(0.001),
    "first-block": _flipped(0.1),
    "middle": _flipped(0.5),
    "checksum": _flipped(0.999),
    "last-byte": _flipped(1),
    "half": _truncated(0.5),
    "empty": _truncated(0),
    "one-byte-short": _truncated(0.9999),
    "one-byte-more": _appended,
    "missing": _missing,
    "extra": _extra,
    "swapped": _swapped,
    "manifest-records": _edited("records", 1),
    "manifest-name": _edited("name", "dynamo.other"),
    "manifest-version": _edited("version", 2),
    "manifest-byte": _manifest_flipped,
    "manifest-truncated": _manifest_truncated,
    "manifest-fewer-parts": _fewer_parts,
}


def test_damaged(recovery: Recovery, table: str, dynamodb_endpoint: str) -> None:
    """One backup, damaged each way in turn: a test of its own for each would make it as often."""
    folder = recovery.folder / recovery.backup().place
    into = f"dynamo.{table}-copy"
    for name, damage in DAMAGES.items():
        damaged = recovery.folder / "damaged" / name
        shutil.copytree(folder, damaged)
        damage(damaged)
        for dry_run in (False, True):
            with pytest.raises(SourceDataError):
                recovery.restore(str(damaged), into=into, dry_run=dry_run)
    assert f"{table}-copy" not in client_of(dynamodb_endpoint).list_tables()["TableNames"]
    recovery.restore(str(folder), into=into)
    assert_holds(dynamodb_endpoint, f"{table}-copy", ITEMS)


def test_the_command_says_so(greylag: Command, recovery: Recovery, table: str) -> None:
    _flipped(0.5)(recovery.folder / recovery.backup().place)
    failed = greylag("restore", "backups", "--into", f"dynamo.{table}-copy", expect=6)
    assert "its SHA-256 differs" in failed.stderr
    assert "Nothing was written." in failed.stderr
