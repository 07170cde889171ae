"""Which service a dataset belongs to: the part of the application that cuts over with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from greylag.operations.init import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.operations.init.code import Mention
    from greylag.operations.init.compose import ComposeService
    from greylag.operations.init.mongodb import Database

_NO_SERVICE: Final = frozenset(
    {
        "data",
        "db",
        "database",
        "databases",
        "json",
        "storage",
        "src",
        "app",
        "server",
        "backend",
        "api",
        "public",
    }
    | {"assets", "lib", "services", "seed", "seeds", "files", "var", "static", "config", "dump", "export"}
)
"""Folders whose names say nothing of what the application does with what is in them."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A service and why it owns the dataset."""

    service: str
    why: str


@dataclass(frozen=True, slots=True)
class Services:
    """What tells who owns what."""

    project: str
    compose: Sequence[ComposeService]
    mentions: Sequence[Mention]

    @property
    def own(self) -> list[ComposeService]:
        """The services that are parts of the application: not stores, and each once."""
        named = {each.name: each for each in reversed(self.compose) if each.own}
        return [named[name] for name in sorted(named)]

    def of_file(self, file: str) -> Owner:
        """The owner of a data file."""
        places = [
            (len(folder), each.name, told)
            for each in self.own
            for folder, told in (
                *([(each.build, "is built from")] if each.build else []),
                *((mount, "mounts") for mount in each.mounts),
            )
            if folder != "." and PurePosixPath(file).is_relative_to(folder)
        ]
        deepest = [each for each in places if each[0] == max(places)[0]] if places else []
        if len({name for _, name, _ in deepest}) == 1:
            _, name, told = deepest[0]
            return Owner(words.name(name), f"compose service {name} {told} its folder")
        named = [each for each in PurePosixPath(file).parts[:-1] if each.casefold() not in _NO_SERVICE]
        if named:
            return Owner(words.name(named[0]), f"it lies in the folder {named[0]}")
        return Owner(self.project, "nothing says which part of the application it belongs to")

    def of_collection(self, database: Database, collection: str) -> Owner:
        """The owner of a collection."""
        own = {each.name: each for each in self.own}
        users = [each for each in database.services if each in own]
        if len(users) == 1:
            return Owner(
                words.name(users[0]), f"only compose service {users[0]} has the address of {database.name}"
            )
        among = users or list(own)
        wanted = words.singular(collection)
        naming = {
            name
            for name in among
            for mention in self.mentions
            if words.singular(mention.collection) == wanted and _inside(mention.place.file, own[name])
        }
        if len(naming) == 1:
            name = naming.pop()
            return Owner(words.name(name), f"only the code of {name} names the collection")
        like = [name for name in among if words.singular(words.bare(name)) == wanted]
        if like:
            return Owner(words.name(like[0]), f"the service {like[0]} is called like the collection")
        return Owner(words.name(database.name), "nothing says which part of the application it belongs to")


def _inside(file: str, service: ComposeService) -> bool:
    return (
        service.build is not None
        and service.build != "."
        and PurePosixPath(file).is_relative_to(service.build)
    )
