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
TOO_NEW_FOR: Final = {6: "4.11", 7: "4.14", 8: "4.18"}
"""The first pymongo that no longer speaks to servers of this wire version: MongoDB and DocumentDB 3.6, those of 4.0,
MongoDB 4.2. MIN_SUPPORTED_WIRE_VERSION in pymongo/common.py says so in the packages of 4.10.1, 4.11, 4.13.2, 4.14.0,
4.17.0 and 4.18.0, read on 2026-12-01.

Source: https://pypi.org/project/pymongo/
"""
_NO_IDENTITY: Final = "credentials could not be obtained"
"""What pymongo-auth-aws says where botocore finds no credentials."""
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
        return ConfigurationError(f"{server}: cannot {operation}: {error}", advice=_other_driver(str(error)))
    if isinstance(error, driver.ConfigurationError):
        return ConfigurationError(
            f"{server}: cannot {operation}: {error}", advice="Mend the connection's url in greylag.yaml."
        )
    return ConnectorError(f"{server}: cannot {operation}: {error}")


def _other_driver(reason: str) -> str:
    found = re.search(r"reports wire version (\d+)", reason)
    if found is None:
        return "This server is too new for the driver that is installed: pip install --upgrade pymongo"
    since = TOO_NEW_FOR.get(int(found[1]))
    if since is None:
        return "This server is too old for every driver that Greylag can use."
    return f"This server is too old for the driver that is installed: pip install 'pymongo>=4.10,<{since}'"


def _refused(error: driver.OperationFailure, server: str, operation: str) -> GreylagError:
    reason = str((error.details or {}).get("errmsg") or error)
    if error.code is None and _NO_IDENTITY in reason:
        return AuthenticationError(
            f"{server}: cannot sign in as an AWS identity: neither the url nor the environment has its credentials",
            advice="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, where there is one) or "
            "AWS_PROFILE, or run where the machine has a role.",
        )
    if error.code in _WRONG_CREDENTIALS:
        return AuthenticationError(
            f"{server}: the server does not accept these credentials: {reason}",
            advice="Check user, password and authSource in the connection's url. An AWS identity must be a user of "
            "$external by its ARN, on an instance-based cluster of 5.0 or later.",
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
