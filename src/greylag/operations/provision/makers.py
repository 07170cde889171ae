"""How one kind of thing is looked at, made, set up and removed at one place; tables, buckets and queues do this."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from greylag.operations.provision.things import Thing


@dataclass(frozen=True, slots=True)
class Found:
    """A thing as it stands. `identity` is the service's own for this very thing; `tags` is None where the service has
    none, and then `made_at` (seconds, by the service's clock) is all that tells when it came to be.
    """

    identity: str
    made_at: float
    tags: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Look:
    """What stood under a name at `at`, by the service's clock (whole seconds, rounded down)."""

    found: Found | None
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a thing: `read` tells it as it stands, `write` makes it `wanted`."""

    name: str
    wanted: Any
    read: Callable[[], Any]
    write: Callable[[], None]


class Maker(Protocol):
    """Raises the errors of `greylag.errors` and nothing else. Nothing is cached: every look asks the service."""

    @property
    def kind(self) -> str:
        """table, bucket or queue."""

    @property
    def place(self) -> str:
        """The endpoint, and on AWS the account: a name means one thing here."""

    @property
    def billed(self) -> bool:
        """Whether what is made here costs money: everywhere but on this machine."""

    @property
    def is_aws(self) -> bool:
        """Whether this is AWS itself, which refuses nothing that it documents."""

    @property
    def tags_at_creation(self) -> bool:
        """Whether a thing is never there without its tags, not for a moment."""

    def look(self, name: str) -> Look:
        """What stands there. Raises ConnectorError where the name belongs to another account."""

    def create(self, thing: Thing, tags: Mapping[str, str]) -> None:
        """Make it with its tags. Found there already is no error: the next look tells whose it is."""

    def ready(self, thing: Thing, tags: Mapping[str, str]) -> None:
        """Wait until it can be used, and put its tags on where `create` could not."""

    def settings(self, thing: Thing) -> Iterator[Setting]:
        """Its settings, the one that could lock us out last."""

    def contents(self, name: str) -> str:
        """What is in it, in words; empty for nothing."""

    def delete(self, name: str, say: Callable[[str], None]) -> None:
        """Remove it with all that is in it, and wait until it is gone."""


def server_time(error: Any) -> float:
    """When the service answered, by its own clock; by ours where it does not say."""
    told = getattr(error, "response", {}).get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        return parsedate_to_datetime(told).timestamp()
    except (TypeError, ValueError):
        return float(int(time.time()))
