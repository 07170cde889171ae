"""What `greylag provision` made, in `provisioned.json` of the state folder: the only things deprovision removes.

Guarantee: an entry is on the disk before AWS is asked to make the thing, and the file is replaced in one step, so a
kill or a power cut leaves nothing made that no entry stands for. One process writes (`state.locks.run_lock`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import msgspec

from greylag.engine.disk import sync_folder, writing
from greylag.errors import StateError

if TYPE_CHECKING:
    from pathlib import Path

FILE = "provisioned.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that Greylag makes or has made.

    `place` is the endpoint and account it is made at. `token` is its own: the service carries it as a tag. At
    `absent_at`, by the service's clock, there was nothing of that name. `identity` is the service's own, known once the
    thing is "made". `refused` holds settings that an emulator does not have.
    """

    kind: str
    place: str
    name: str
    what: str
    project: str
    token: str
    absent_at: float
    owners: tuple[str, ...] = ()
    state: Literal["making", "made"] = "making"
    identity: str = ""
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _File:
    format: int
    entries: tuple[Entry, ...]


class Record:
    """The entries, in the order in which they were begun."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._entries = {_key(each): each for each in _load(self._path)}

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All of them."""
        return tuple(self._entries.values())

    def find(self, kind: str, place: str, name: str) -> Entry | None:
        """The entry of that thing, if Greylag made it or began to."""
        return self._entries.get((kind, place, name))

    def put(self, entry: Entry) -> None:
        """Add or replace it, durably."""
        self._entries[_key(entry)] = entry
        self._save()

    def remove(self, entry: Entry) -> None:
        """Forget it, durably: the thing is gone, or is no longer ours."""
        if self._entries.pop(_key(entry), None) is not None:
            self._save()

    def _save(self) -> None:
        partial = self._path.with_suffix(".partial")
        with writing(self._path):
            with partial.open("wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(_File(_FORMAT, self.entries)), indent=1))
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._path)
            sync_folder(self._path.parent)


def _key(entry: Entry) -> tuple[str, str, str]:
    return entry.kind, entry.place, entry.name


def _load(path: Path) -> tuple[Entry, ...]:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File)
    except FileNotFoundError:
        return ()
    except msgspec.MsgspecError as error:
        raise StateError(
            f"{path} cannot be read: {error}",
            advice="It tells what Greylag made on AWS. Put it back from a copy; without it nothing can be removed.",
        ) from error
    if found.format != _FORMAT:
        raise StateError(
            f"{path} was written by another version of Greylag", advice="Use that version, or a newer one."
        )
    return found.entries
