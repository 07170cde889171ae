"""Positions in a change stream, as text: a time of the cluster to begin at, or a token the server gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bson import json_util
from bson.timestamp import Timestamp

from greylag.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TIMESTAMP: Final = "82"
"""The type byte of a timestamp, with which the text of a token begins; eight bytes of it follow.

Source: https://github.com/mongodb/mongo/blob/master/src/mongo/db/pipeline/resume_token.h
"""
_DOCUMENTDB: Final = "01"
"""With which the tokens of Amazon DocumentDB begin; the same eight bytes follow, as its guide's examples beside their
`clusterTime` show.

Source: https://docs.aws.amazon.com/documentdb/latest/developerguide/change_streams.html
"""
_TIMESTAMP_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class StreamPosition:
    """Where a stream goes on: after the token `token` or, without one, with the first event at `time` or later. `of`:
    the collections of the stream that gave the token, where that is known.
    """

    time: Timestamp | None
    token: Mapping[str, Any] | None = None
    of: tuple[str, ...] = ()

    @classmethod
    def at(cls, time: Timestamp) -> StreamPosition:
        """From that time of the cluster on."""
        return cls(time)

    @classmethod
    def after(cls, token: Mapping[str, Any], of: Sequence[str] = ()) -> StreamPosition:
        """After an event, or a place between two, whose token this is."""
        return cls(time_of(token), token, tuple(of))

    @classmethod
    def parse(cls, text: str) -> StreamPosition:
        """What `text` gave."""
        try:
            found = json_util.loads(text)
            return cls.after(found["token"], found.get("of", ())) if "token" in found else cls.at(found["at"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise StateError(f"{text[:200]!r} is no position of a MongoDB change stream") from error

    @property
    def text(self) -> str:
        """For `ChangeBatch.position`."""
        if self.token is None:
            return json_util.dumps({"at": self.time})
        return json_util.dumps({"token": dict(self.token), **({"of": list(self.of)} if self.of else {})})

    def for_stream(self, collections: Sequence[str]) -> StreamPosition:
        """The same place for a stream of these collections. A server finds a token only among the events of the stream:
        where some of its collections are followed no more, the place is the token's time. What is given twice so, at
        that very time, is whole states again.
        """
        if self.token is None or self.time is None or set(self.of) <= set(collections):
            return self
        return StreamPosition.at(self.time)

    @property
    def options(self) -> dict[str, Any]:
        """For the stage $changeStream."""
        if self.token is None:
            return {"startAtOperationTime": self.time}
        return {"resumeAfter": self.token}


def time_of(token: Mapping[str, Any]) -> Timestamp | None:
    """The time of the cluster at which the token stands; None where its form is not known."""
    text = token.get("_data")
    if not isinstance(text, str) or not text.startswith((_TIMESTAMP, _DOCUMENTDB)):
        return None
    digits = text[len(_TIMESTAMP) :][:_TIMESTAMP_DIGITS]
    if len(digits) < _TIMESTAMP_DIGITS:
        return None
    try:
        return Timestamp(int(digits[:8], 16), int(digits[8:], 16))
    except ValueError:
        return None


def following(time: Timestamp) -> Timestamp:
    """The first time after `time`."""
    return Timestamp(time.time, time.inc + 1)
