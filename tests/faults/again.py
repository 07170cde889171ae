"""A change stream that gives its changes again, as one that promises "at least once" does.

Told by the file `again` of a process's folder, capture's stream goes back by so many batches and gives from there on
once more, by the source itself. These may be batches that an earlier capture of the same spool was given. It is told
while it reads or before it begins, and counts once.
"""

from __future__ import annotations

import contextlib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from greylag.engine.follow.capture import Capture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.core.change import ChangeBatch
    from greylag.core.ports import ChangeFeed
    from greylag.engine.follow.spool import SpoolWriter

TOLD: Final = "again"
DONE: Final = "gave-again"
_GIVEN: Final = "given"
"""In the folder of a spool: every position that its stream has passed, a line each, in their order."""


def tell(folder: Path, batches: int) -> None:
    """The stream that is captured in `folder` goes back by so many batches as soon as it has given so many."""
    draft = folder / f"{TOLD}.new"
    draft.write_text(str(batches))
    draft.replace(folder / TOLD)


def unsay(folder: Path) -> None:
    """It goes back no more, unless it has already."""
    (folder / TOLD).unlink(missing_ok=True)


def times(folder: Path) -> int:
    """How often it has."""
    with contextlib.suppress(FileNotFoundError):
        return len((folder / DONE).read_text())
    return 0


def install() -> None:
    """For every capture of this process and those forked from it."""
    begin = Capture.__init__

    def begin_again(self: Capture, feed: ChangeFeed, spool: SpoolWriter, **more: Any) -> None:
        begin(self, _Again(feed, spool.folder / _GIVEN), spool, **more)

    Capture.__init__ = begin_again  # type: ignore[method-assign]


class _Again:
    """The feed; all but `read` as it is. Nobody looks at what was passed while it is gone back: `read` begins anew."""

    def __init__(self, feed: ChangeFeed, given: Path) -> None:
        self._feed = feed
        self._given = given

    def __getattr__(self, name: str) -> Any:
        return getattr(self._feed, name)

    def read(self, position: str) -> Iterator[ChangeBatch]:
        while True:
            position = self._earlier() or position
            with closing(self._feed.read(position)) as batches:  # type: ignore[type-var]
                for batch in batches:
                    with self._given.open("a") as file:
                        file.write(f"{position}\n")
                    yield batch
                    position = batch.position
                    if Path(TOLD).exists():
                        break
                else:
                    return

    def _earlier(self) -> str | None:
        """Where to begin again, if that was told and has been given."""
        with contextlib.suppress(FileNotFoundError):
            given = self._given.read_text().splitlines()
            batches = int(Path(TOLD).read_text())
            if not given:  # killed while it was gone back to its beginning
                return None
            Path(TOLD).unlink()
            with Path(DONE).open("a") as file:
                file.write(".")
            place = len(given) - min(batches, len(given))
            # Where it has been twice in a row, what it had passed before lies ahead now: none of that is earlier.
            draft = self._given.with_name("given.new")
            draft.write_text("".join(f"{each}\n" for each in given[:place]))
            draft.replace(self._given)
            return given[place]
        return None
