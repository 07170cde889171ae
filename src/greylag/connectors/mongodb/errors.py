"""pymongo's exceptions as Greylag's errors, at one boundary. The server's address is named, its password never."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pymongo.errors as driver

from greylag.connectors.mongodb.address import DOCUMENTDB_CA
from greylag.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectorError,
    GreylagError,
    PositionLost,
    SchemaError,
    TransientError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_WRONG_CREDENTIALS: Final = frozenset({11, 18, 334, 8000})
_UNAUTHORIZED: Final = 13
_NO_SUCH_NAMESPACE: Final = 26
OUT_OF_ORDER: Final = frozenset({217, 225})
"""The server no longer knows the numbers of a session's earlier writes."""
TRANSIENT: Final = frozenset(
    {
        *OUT_OF_ORDER,
        *(
            46,
            64,
            112,
            246,
        ),  # locks, write concerns, conflicts and snapshots that come out right the next time
        *(6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436),  # the driver's retryable errors
        *(
            43,
            50,
            63,
            133,
            134,
            136,
            175,
            237,
            290,
            13388,
            11601,
        ),  # cursors, plans and waits that were cut short
    }
)
"""Codes after which the same read may succeed.

Source: https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
"""

_HISTORY_LOST: Final = frozenset({260, 280, 286})
"""InvalidResumeToken, ChangeStreamFatalError, ChangeStreamHistoryLost."""
_LABELS: Final = ("RetryableError", "ResumableChangeStreamError")


_TLS: Final = (
    (
        "unable to get local issuer certificate",
        "its certificate is not signed by a CA that is trusted here",
        f"Name the CA's file in the connection's `ca_file`; Amazon DocumentDB's is {DOCUMENTDB_CA}",
    ),
    (
        "self-signed certificate",
        "its certificate is signed by a CA that is not trusted here",
        "Name the CA's file in the connection's `ca_file`.",
    ),
    (
        "certificate is not valid for",
        "its certificate is for another host",
        "Name the server in the url as its certificate does.",
    ),
    (
        "certificate verify failed",
        "its certificate is not accepted",
        "Check `ca_file`, and the host in the url.",
    ),
    (
        "WRONG_VERSION_NUMBER",
        "it does not speak TLS",
        "Leave `ca_file`, tls=true and ssl=true out of the connection, or turn TLS on at the server.",
    ),
)
"""What a failed handshake says, what that means, and what to do: trying again helps none of them."""


@contextmanager
def translated(connection: str, hosts: str, operation: str) -> Iterator[None]:
    """Raises what pymongo raises inside as an error of `greylag.errors`."""
    try:
        yield
    except driver.PyMongoError as error:
        raise _translate(error, f"{connection} ({hosts})", operation) from error


def _translate(error: driver.PyMongoError, server: str, operation: str) -> GreylagError:
    if isinstance(error, driver.OperationFailure):
        return _refused(error, server, operation)
    if isinstance(error, driver.ConnectionFailure):
        for sign, what, advice in _TLS:
            if sign in str(error):
                return ConfigurationError(f"{server}: cannot {operation}: {what}", advice=advice)
        reason = str(error).partition(", Timeout:")[0].partition(" (configured timeouts:")[0]
        return TransientError(
            f"{server}: cannot {operation}: {reason}",
            advice="Is the server running, and reachable from here? Check host, port, firewall and TLS options.",
        )
    if isinstance(error, driver.ConfigurationError) and "MONGODB-AWS" in str(error):
        return ConfigurationError(
            f"{server}: cannot {operation}: signing in as an AWS identity takes a package that is not installed",
            advice="pip install 'greylag[iam]'",
        )
    if isinstance(error, driver.ConfigurationError) and "wire version" in str(error):
        return ConfigurationError(
            f"{server}: cannot {operation}: {error}",
            advice="This server is too old for the driver that is installed. DocumentDB 3.6 and 4.0: pip install "
            "'pymongo>=4.10,<4.11'",
        )
    if isinstance(error, driver.ConfigurationError):
        return ConfigurationError(
            f"{server}: cannot {operation}: {error}", advice="Mend the connection's url in greylag.yaml."
        )
    return ConnectorError(f"{server}: cannot {operation}: {error}")


def _refused(error: driver.OperationFailure, server: str, operation: str) -> GreylagError:
    reason = str((error.details or {}).get("errmsg") or error)
    if error.code in _WRONG_CREDENTIALS:
        return AuthenticationError(
            f"{server}: the server does not accept these credentials: {reason}",
            advice="Check user, password and authSource in the connection's url.",
        )
    if error.code == _UNAUTHORIZED:
        command = re.search(r"execute command \{ (\w+)", reason)
        lacking = f"the privilege for {command[1]!r}" if command else "a privilege"
        return AuthenticationError(
            f"{server}: cannot {operation}: the user lacks {lacking}: {reason[:300]}",
            advice="Give the user the role `read` on the database: "
            'db.grantRolesToUser("…", [{role: "read", db: "…"}]). Without credentials in the url, add them.',
        )
    if error.code == _NO_SUCH_NAMESPACE:
        return SchemaError(f"{server}: cannot {operation}: {reason}")
    if error.code in _HISTORY_LOST:
        return PositionLost(
            f"{server}: cannot {operation}: the oplog no longer reaches back to the position: {reason[:300]}",
            advice="`greylag run --follow --reload FLOW` loads the flow's dataset again from a new position, without "
            "emptying the target. A larger oplog (replSetResizeOplog) keeps more history.",
        )
    if error.code in TRANSIENT or any(error.has_error_label(each) for each in _LABELS):
        return TransientError(f"{server}: cannot {operation}: {reason}")
    return ConnectorError(f"{server}: cannot {operation}: {reason[:1000]}")
