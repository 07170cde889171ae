"""The backups of a place: which are there, and whether one of them is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.core.nearest import did_you_mean
from greylag.errors import ConfigurationError, SourceDataError
from greylag.recovery.format import MANIFEST, manifest_of

if TYPE_CHECKING:
    from greylag.recovery.format import Manifest, TableBackup
    from greylag.recovery.places import Place


def opened(place: Place) -> tuple[Place, Manifest]:
    """The backup that `place` is, or the newest finished one below it, with its own place.

    Raises ConfigurationError where there is none, SourceDataError for a manifest that is damaged.
    """
    own = _manifest(place)
    if own is not None:
        return place, own
    found = everything(place)
    if not found:
        raise ConfigurationError(
            f"there is no finished backup at {place}",
            advice="`greylag backup --to PLACE` makes one; an interrupted one goes on with the same command.",
        )
    return max(found, key=lambda each: each[1].finished_at)


def everything(place: Place) -> list[tuple[Place, Manifest]]:
    """Every finished backup below `place`."""
    found = []
    for name in place.folders():
        below = place.below(name)
        manifest = _manifest(below)
        if manifest is not None:
            found.append((below, manifest))
    return found


def refuse_other_files(place: Place, manifest: Manifest) -> None:
    """Raises SourceDataError where a file is missing, or one is there that the backup does not know."""
    known = {MANIFEST, *manifest.files()}
    there = set(place.names())
    for name in sorted(known - there):
        raise SourceDataError(
            f"{place}/{name} is missing",
            advice="Restore another backup, or a whole copy of this one. Nothing was written.",
        )
    for name in sorted(there - known):
        raise SourceDataError(
            f"{place}/{name} is not part of this backup",
            advice="Find out who put it there; a backup is restored only as it was made. Nothing was written.",
        )


def chosen(manifest: Manifest, names: tuple[str, ...]) -> tuple[TableBackup, ...]:
    """The tables of a backup that are named as they were, connection.dataset, or by the dataset alone; all for none.

    Raises ConfigurationError for one it does not have.
    """
    if not names:
        return manifest.tables
    found = []
    for name in names:
        fits = [each for each in manifest.tables if name in (each.name, each.dataset)]
        if len(fits) != 1:
            known = [each.name for each in manifest.tables]
            said = "has no table" if not fits else "has several tables"
            raise ConfigurationError(
                f"backup {manifest.id} {said} {name!r}{did_you_mean(name, known)}",
                advice=f"It has: {', '.join(known)}.",
            )
        found += fits
    return tuple({each.name: each for each in found}.values())


def _manifest(place: Place) -> Manifest | None:
    try:
        content = place.read(MANIFEST)
    except SourceDataError:
        return None
    return manifest_of(content, f"{place}/{MANIFEST}")
