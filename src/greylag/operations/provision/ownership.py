"""Whether a thing is the very one that Greylag made: the record and the thing itself must both say so."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.operations.provision.makers import Found
    from greylag.operations.provision.record import Entry

PROJECT_TAG = "greylag:project"
TOKEN_TAG = "greylag:creation"  # noqa: S105 - the name of a tag


def new_token() -> str:
    """One for each thing, each time it is made."""
    return uuid.uuid4().hex


def tags_of(entry: Entry) -> dict[str, str]:
    """The tags that make a thing that of `entry`."""
    return {PROJECT_TAG: entry.project, TOKEN_TAG: entry.token}


def strange(entry: Entry, found: Found, *, tags_at_creation: bool) -> str:
    """Why `found` is not the thing of `entry`; empty where it is."""
    tagged = _tagged(entry, found.tags)
    if entry.state == "made":
        if found.identity != entry.identity:
            return "it was deleted and made anew by someone else"
        return "" if tagged is not False else f"it does not carry the tag {TOKEN_TAG} that Greylag gave it"
    if tagged:
        return ""
    # A kill fell between its creation and its tags, or the service has no tags: then it must have come to be after we
    # saw that nothing was there, and carry nobody's tag.
    may_be_bare = found.tags is None or (not tags_at_creation and not found.tags)
    if may_be_bare and found.made_at >= entry.absent_at:
        return ""
    return "someone else made it while Greylag was about to"


def _tagged(entry: Entry, tags: Mapping[str, str] | None) -> bool | None:
    if tags is None:
        return None
    return all(tags.get(name) == value for name, value in tags_of(entry).items())
