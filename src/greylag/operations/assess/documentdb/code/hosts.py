"""MongoDB servers that are named by host and port, without an address: `MongoClient("db", 27017)`, `MONGO_HOST=db`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from greylag.operations.assess.documentdb.code.lexer import NAME, STRING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.operations.assess.documentdb.code.structure import Code

_HOST: Final = re.compile(r"[A-Za-z0-9](?:[\w-]*\w)?(?:\.[\w-]+)*(?::\d{2,5})?")
_FULL_HOST: Final = re.compile(r"localhost|[\w-]+(?:\.[\w-]+)+|[\w.-]+:\d{2,5}")
"""What can hardly be anything else, the name of a variable for one."""
_CLIENTS: Final = frozenset(
    {
        "MongoClient",
        "AsyncMongoClient",
        "AsyncIOMotorClient",
        "MotorClient",
        "ServerAddress",
        "SetHosts",
        "PyMongo",
    }
)
_HOST_KEYS: Final = frozenset({"host", "hosts"})
_OF_MONGODB: Final = re.compile(r"mongo|docdb|documentdb", re.IGNORECASE)
_ASSIGNED: Final = re.compile(
    r"""^(?P<indent>[ \t]*)(?:-[ \t]+)?(?:export[ \t]+|ENV[ \t]+)?["']?(?P<key>[A-Za-z][\w.-]*)["']?"""
    r"""(?:[ \t]*[:=][ \t]*|[ \t]+)["']?(?P<value>[^\s"'#]*)"""
)
_SECTION: Final = re.compile(r"^\s*\[+(?P<name>[^\]]+)\]+\s*$")
_COMMENTS: Final = ("#", "//", ";", "<!--")
_DEEP: Final = 4


class Named(NamedTuple):
    """A server, or several with commas between, and where it stands."""

    hosts: str
    line: int


def named_in_code(code: Code) -> Iterator[Named]:
    """Clients that are given hosts, and settings of MongoDB that name one."""
    for place, token in enumerate(code.tokens):
        if token.kind == NAME and code.mark(place + 1) == "(" and _is_client(code, place):
            yield from _of_call(code, place + 1)
        elif token.kind in {NAME, STRING} and token.text.lower() in _HOST_KEYS:
            value = code.string(place + 2)
            if (
                value
                and code.mark(place + 1) in {":", "=>"}
                and _HOST.fullmatch(value)
                and _is_of_mongodb(code, place)
            ):
                yield Named(value, token.line)


def named_in_settings(text: str) -> Iterator[Named]:
    """Hosts in a file of settings, by the key that names them and the keys and sections that it stands under."""
    section = ""
    above: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith(_COMMENTS):
            continue
        if (heading := _SECTION.match(line)) is not None:
            section, above = heading["name"], []
            continue
        found = _ASSIGNED.match(line)
        if found is None:
            continue
        depth = len(found["indent"])
        above = [each for each in above if each[0] < depth]
        path = ".".join([section, *(key for _, key in above), found["key"]])
        above.append((depth, found["key"]))
        last = re.split(r"[._-]", found["key"].lower())[-1]
        if last in _HOST_KEYS and _OF_MONGODB.search(path) and _HOST.fullmatch(found["value"]):
            yield Named(found["value"], number)


def _is_client(code: Code, place: int) -> bool:
    name = code.name(place)
    if code.name(place - 1) in {"class", "def", "function", "func"}:
        return False
    return name in _CLIENTS or (name == "connect" and code.chain(place)[:1] == ["mongoengine"])


def _of_call(code: Code, opening: int) -> Iterator[Named]:
    end = code.partner.get(opening, opening)
    line = code.tokens[opening].line
    if end == opening + 1:  # pymongo's own default
        if code.family.name == "python":
            yield Named("localhost", line)
        return
    named = next((at for at in range(opening + 1, end) if _is_host_argument(code, at, opening)), None)
    start = opening + 1 if named is None else named + 2
    if named is None and code.name(opening - 1) == "connect":
        return  # its first argument is the database
    hosts = list(_strings(code, start, end, opening))
    if hosts and all(_HOST.fullmatch(each) for each in hosts):
        port = _port(code, start, end, opening) if len(hosts) == 1 and ":" not in hosts[0] else ""
        yield Named(",".join(hosts) + port, line)


def _is_host_argument(code: Code, at: int, opening: int) -> bool:
    return code.name(at) == "host" and code.mark(at + 1) == "=" and code.opener(at) == opening


def _strings(code: Code, start: int, end: int, opening: int) -> Iterator[str]:
    """The string that stands there, those of the list that does, or the default of a call that does."""
    if (text := code.string(start)) is not None:
        yield text
        return
    for at in range(start, end):
        if code.mark(at) == "," and code.opener(at) == opening:
            return
        text = code.string(at)
        if text is None:
            continue
        around = code.opener(at)
        if code.mark(around) == "(":
            if _FULL_HOST.fullmatch(text) and code.callee(around) not in _CLIENTS:
                yield text
        elif code.opener(around) == opening and (
            code.name(around - 1) == "string" or not code.name(around - 1)
        ):
            yield text


def _port(code: Code, start: int, end: int, opening: int) -> str:
    for at in range(start, end):
        if code.opener(at) == opening and re.fullmatch(r"\d{2,5}", code.name(at)):
            before = code.mark(at - 1)
            if before == "," or (before == "=" and code.name(at - 2) == "port"):
                return f":{code.name(at)}"
    return ""


def _is_of_mongodb(code: Code, place: int) -> bool:
    """Whether one of the keys that the brackets around it belong to speaks of MongoDB."""
    opening = code.opener(place)
    for _ in range(_DEEP):
        if opening < 0:
            return False
        if code.mark(opening - 1) in {":", "=", "=>"}:
            owner = code.name(opening - 2) or code.string(opening - 2) or ""
            if _OF_MONGODB.search(owner):
                return True
        opening = code.opener(opening)
    return False
