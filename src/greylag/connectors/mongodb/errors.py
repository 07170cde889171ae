"""pymongo's exceptions as Greylag's errors, at one boundary. The server's address is named, its password never."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pymongo.errors as driver

from greylag.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectorError,
    GreylagError,
    SchemaError,
    TransientError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_WRONG_CREDENTIALS: Final = frozenset({11, 18, 334, 8000})
_UNAUTHORIZED: Final = 13
_NO_SUCH_NAMESPACE: Final = 26
_TRANSIENT: Final = frozenset(
    {
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
        reason = str(error).partition(", Timeout:")[0].partition(" (configured timeouts:")[0]
        return TransientError(
            f"{server}: cannot {operation}: {reason}",
            advice="Is the server running, and reachable from here? Check host, port, firewall and TLS options.",
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
    if error.code in _TRANSIENT or error.has_error_label("RetryableError"):
        return TransientError(f"{server}: cannot {operation}: {reason}")
    return ConnectorError(f"{server}: cannot {operation}: {reason[:1000]}")
