"""DynamoDB's JSON API over connections of our own: signed, retried, and its refusals told apart."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import orjson

from greylag.connectors.dynamodb.errors import Fault, fault_of
from greylag.connectors.dynamodb.patience import Patience
from greylag.connectors.dynamodb.sign import Signer
from greylag.connectors.dynamodb.wire import Broken, Connection, Endpoint, Stalls

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from greylag.connectors.dynamodb.sign import Credentials

_API: Final = "DynamoDB_20120810."


class Tally:
    """How often one caller's requests were throttled, and how often one was given up without an answer."""

    def __init__(self) -> None:
        self.throttles = 0
        self.unknown = 0


class Service:
    """Everything that requests of one writer or reader share."""

    def __init__(
        self,
        endpoint: Endpoint,
        region: str,
        credentials: Callable[[], Credentials],
        tls: ssl.SSLContext | None,
        patience_seconds: float,
    ) -> None:
        self.endpoint = endpoint
        self.region = region
        self.stalls = Stalls()
        self.patience = Patience(patience_seconds, self.stalls.now)
        self._tls = tls
        self._signer = Signer(credentials, region, endpoint.host, endpoint.path)

    def connection(self) -> Connection:
        """A connection, opened when first used."""
        return Connection(self.endpoint, self._tls, self.stalls)

    async def call(
        self, connection: Connection, operation: str, body: bytes, doing: str, tally: Tally
    ) -> dict[str, Any]:
        """The answer, asked for again until there is one: `body` must be safe to send twice.

        Raises Fault where the content of the request is refused (`Fault.rejected`), TransientError as `Patience`
        does, and else what `Fault.error` says. Whether an answer is progress, the caller tells `patience`.
        """
        attempt = 0
        second_chance = True
        while True:
            try:
                answer = await connection.send(self._signer.request(_API + operation, body))
                if answer.status == 200:
                    content: dict[str, Any] = orjson.loads(answer.body)
                    return content
                fault = fault_of(answer)
                if fault.rejected:
                    self.patience.succeeded()
                    raise fault
                if second_chance and self._mended(fault, answer.date()):
                    second_chance = False
                    continue
                if not (fault.throttled or fault.transient):
                    raise fault.error(doing, self.region)
                tally.throttles += fault.throttled
                reason = f"{doing} at {self.endpoint}: {fault}"
            except Broken as broken:
                tally.unknown += broken.sent
                reason = f"{doing} at {self.endpoint}: {broken}"
            except orjson.JSONDecodeError:
                connection.close()
                reason = f"{doing} at {self.endpoint}: the answer is not JSON"
            await asyncio.sleep(self.patience.failed(reason, attempt))
            attempt += 1

    def _mended(self, fault: Fault, service_time: float | None) -> bool:
        """Whether the request, signed again, may pass."""
        if fault.skewed and service_time is not None:
            return self._signer.follow_clock(service_time)
        return fault.expired and self._signer.refresh()
