"""MongoDB's addresses and what clients are told, in code and in files of settings, and what they must become."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from greylag.core.findings import Finding, Severity
from greylag.operations.assess.documentdb.address import address_for
from greylag.operations.assess.documentdb.code.hosts import named_in_code, named_in_settings
from greylag.operations.assess.documentdb.code.lexer import HOLE, NAME, STRING
from greylag.operations.assess.documentdb.tables import supported, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.operations.assess.documentdb.code.structure import Code
    from greylag.operations.assess.documentdb.release import Release

_ADDRESS: Final = re.compile(r"mongodb(?P<srv>\+srv)?://(?P<rest>[^\s\"'`<>\\]*)")
_HOSTS: Final = re.compile(
    r"(?:.*@)?(?P<hosts>[^/?]*)(?:/(?P<database>[^?]*))?(?:\?(?P<options>.*))?", re.DOTALL
)
_BEGINS: Final = re.compile(r"mongodb(?:\+srv)?://")
"""What an address that is put together begins with."""
_OWN: Final = ".docdb"
_LOCAL: Final = re.compile(r"^(?:localhost|127\.0\.0\.1|\[::1\]|host\.docker\.internal|0\.0\.0\.0)(?::\d+)?$")
_SAFE: Final = re.compile(r"[A-Za-z0-9._-]+(?::\d{1,5})?(?:,[A-Za-z0-9._-]+(?::\d{1,5})?)*")
_OF_A_NEW_ADDRESS: Final = frozenset({"retryWrites", "tls", "ssl", "replicaSet"})
_NAMES: Final = frozenset({"authSource", "replicaSet"})
_ON: Final = frozenset({"true", "True", "1"})
_SETS: Final = {
    "retryWrites": "retryWrites",
    "retrywrites": "retryWrites",
    "retry_writes": "retryWrites",
    "SetRetryWrites": "retryWrites",
    "authMechanism": "authMechanism",
    "auth_mechanism": "authMechanism",
    "AuthMechanism": "authMechanism",
    "tlsAllowInvalidCertificates": "insecure",
    "tlsInsecure": "insecure",
    "tls_allow_invalid_certificates": "insecure",
    "InsecureSkipVerify": "insecure",
    "authSource": "authSource",
    "auth_source": "authSource",
    "authsource": "authSource",
    "AuthSource": "authSource",
    "replicaSet": "replicaSet",
    "replicaset": "replicaSet",
    "replica_set": "replicaSet",
    "SetReplicaSet": "replicaSet",
    "requiredReplicaSetName": "replicaSet",
}


def in_text(text: str, file: str, release: Release) -> Iterator[Finding]:
    """The addresses in a file of settings, and the hosts that its keys name. Comments are passed over."""
    for hosts, number in named_in_settings(text):
        yield _server(hosts, file, number, release)
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith(("#", "//", ";", "<!--")):
            for match in _ADDRESS.finditer(line):
                yield from _address(match, file, number, release)


def in_code(code: Code, file: str, release: Release) -> Iterator[Finding]:
    """The addresses in a program's strings, the hosts and the options that it gives its clients."""
    for hosts, line in named_in_code(code):
        yield _server(hosts, file, line, release)
    for place, token in enumerate(code.tokens):
        if token.kind == STRING:
            for match in _ADDRESS.finditer(token.text):
                before, after = token.text[: match.start()].strip(), token.text[match.end() :].strip()
                # Between words it is prose, a help text or an error's.
                if (not before or before[-1] in "='\"") and (not after or after[0] in "'\"\\"):
                    line = token.line + token.text.count("\n", 0, match.start())
                    yield from _address(match, file, line, release)
            if _is_put_together(code, place):
                yield _server("", file, token.line, release)
        if token.text in _SETS and token.kind in {NAME, STRING}:
            yield from _option_set(code, place, file, release)


def _is_put_together(code: Code, place: int) -> bool:
    """Whether the string is what an address begins with, and more is added to it."""
    text = code.tokens[place].text
    added = code.mark(place + 1) == "+" or (code.mark(place + 1) == "." and code.family.name == "php")
    return added and _BEGINS.fullmatch(text) is not None


def _option_set(code: Code, place: int, file: str, release: Release) -> Iterator[Finding]:
    token = code.tokens[place]
    called = code.mark(place + 1) == "("
    if code.mark(place + 1) not in {":", "=", "=>", "(", ","}:
        return
    value = code.at(place + 2).text
    if called and code.name(place + 2) == "" and code.string(place + 2) is None:
        return
    if _SETS[token.text] in _NAMES and code.string(place + 2) is None:
        return  # a variable's
    told = _told(_SETS[token.text], value, release)
    if told is not None:
        severity, kind, message, advice = told
        yield Finding(severity, kind, token.text, message, advice, file, token.line)


def _address(match: re.Match[str], file: str, line: int, release: Release) -> Iterator[Finding]:
    parts = _HOSTS.fullmatch(match["rest"])
    if parts is None or re.search(rf"[A-Za-z0-9{HOLE}$]", parts["hosts"]) is None:
        return  # what addresses begin with, or an example
    hosts = parts["hosts"]
    shown = hosts if _SAFE.fullmatch(hosts) and hosts.strip(",:.") else "a MongoDB server"
    database = parts["database"] if parts["database"] and _SAFE.fullmatch(parts["database"]) else ""
    options = dict(_options(parts["options"] or ""))
    if _OWN in hosts:
        yield from _documentdb(options, shown, file, line, release, database=database)
        return
    yield _server(hosts, file, line, release, database=database, srv=bool(match["srv"]))
    for name, value in options.items():
        told = _told(name, value, release) if name not in _OF_A_NEW_ADDRESS else None
        if told is not None:
            severity, kind, problem, what = told
            yield Finding(severity, kind, name, problem, what, file, line)


def _server(
    hosts: str, file: str, line: int, release: Release, *, database: str = "", srv: bool = False
) -> Finding:
    """What a MongoDB that is named there becomes."""
    shown = hosts if _SAFE.fullmatch(hosts) and hosts.strip(",:.") else "a MongoDB server"
    becomes = address_for(release, database)
    if hosts and all(_LOCAL.match(each) for each in hosts.split(",")):
        message = f"an address of a MongoDB on this machine ({shown})"
        advice = f"Keep it for development. In production it becomes {becomes}"
        return Finding(Severity.NOTE, "connection", shown, message, advice, file, line)
    how = ", by a name server's record, which DocumentDB does not have" if srv else ""
    message = f"an address of a MongoDB ({shown}{how})"
    return Finding(Severity.WARNING, "connection", shown, message, f"It becomes {becomes}", file, line)


def _documentdb(
    options: dict[str, str], shown: str, file: str, line: int, release: Release, *, database: str
) -> Iterator[Finding]:
    """What an address of DocumentDB lacks."""
    becomes = address_for(release, database)
    retryable = supported(tables().sets["retryable_writes"]["releases"], release)
    if not retryable and options.get("retryWrites", "").lower() != "false":
        yield Finding(
            Severity.BLOCKER,
            "retry-writes",
            shown,
            "drivers retry writes unless they are told not to, and this release refuses such writes",
            f"Add retryWrites=false: {becomes}",
            file,
            line,
        )
    if options.get("tls", options.get("ssl", "")).lower() != "true":
        yield Finding(
            Severity.WARNING,
            "connection",
            shown,
            "the address does not ask for TLS, which clusters require unless that was turned off",
            f"It becomes {becomes}",
            file,
            line,
        )
    if not release.elastic and not options.get("replicaSet"):
        yield Finding(
            Severity.NOTE,
            "connection",
            shown,
            "without replicaSet=rs0 a client stays with one instance and does not follow a failover",
            f"It becomes {becomes}",
            file,
            line,
        )
    for name, value in options.items():
        told = _told(name, value, release)
        if told is not None:
            severity, kind, problem, what = told
            yield Finding(severity, kind, name, problem, what, file, line)


def _options(text: str) -> Iterator[tuple[str, str]]:
    known = {
        each.lower(): each
        for each in (
            *_SETS,
            "tls",
            "ssl",
            "replicaSet",
            "authSource",
            "w",
            "readConcernLevel",
            "directConnection",
        )
    }
    for each in re.split(r"[&;]", text):
        name, _, value = each.partition("=")
        name = known.get(name.lower(), name)
        yield _SETS.get(name, name), unquote(value)


def _told(option: str, value: str, release: Release) -> tuple[Severity, str, str, str] | None:
    """What an option with this value means, and what to do."""
    known = tables()
    if option == "retryWrites" and value in _ON:
        if supported(known.sets["retryable_writes"]["releases"], release):
            return (
                Severity.NOTE,
                "retry-writes",
                "retried writes need DocumentDB 8.0.2 or later; updateMany and deleteMany are never retried",
                "Use 8.0.2 or later, or retryWrites=false.",
            )
        return (
            Severity.BLOCKER,
            "retry-writes",
            f"{release} refuses writes that a driver may retry",
            "Set retryWrites to false, and repeat a failed write in the application where that is safe.",
        )
    if option == "authMechanism" and not known.takes("authentication", value, release):
        return (
            Severity.BLOCKER,
            "authentication",
            f"{release} does not know the mechanism {value}",
            "Use a user and a password (SCRAM-SHA-1), or IAM (MONGODB-AWS) on instances of 5.0 and later.",
        )
    if option == "authSource" and value not in {"admin", "$external", ""}:
        return (
            Severity.WARNING,
            "authentication",
            "DocumentDB keeps all users in the database admin",
            "Take authSource out, or set it to admin.",
        )
    if option == "replicaSet" and re.fullmatch(r"[\w.-]+", value) and (release.elastic or value != "rs0"):
        return (
            Severity.WARNING,
            "connection",
            "an elastic cluster is no replica set"
            if release.elastic
            else "DocumentDB's replica set is named rs0",
            "Take replicaSet out." if release.elastic else "Set replicaSet to rs0.",
        )
    if option == "insecure" and value in _ON:
        return (
            Severity.WARNING,
            "tls-unverified",
            "the client does not look at the server's certificate",
            "Give it Amazon's bundle of certificates (tlsCAFile=global-bundle.pem) and take this out.",
        )
    if option == "w" and value == "0" and release.elastic:
        return (
            Severity.BLOCKER,
            "write-concern",
            "an elastic cluster takes no write concern of 0",
            "Use w=majority.",
        )
    if option == "readConcernLevel" and value in {"linearizable", "snapshot"}:
        return (
            Severity.WARNING,
            "read-concern",
            f"read concern {value} is not what DocumentDB gives: what it reads is durable, on a replica a little late",
            "Read from the primary where the latest state counts, and use majority.",
        )
    return None
