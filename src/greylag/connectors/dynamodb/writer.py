"""Writes and deletes items with BatchWriteItem, many requests at once.

Each of `connections` tasks pulls the next batch when it is free and keeps it until DynamoDB has acknowledged every
item of it. A request whose outcome is unknown is sent again with the same items. The event loop runs only while
the caller waits for a delivery.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import orjson

from greylag.connectors.dynamodb import limits
from greylag.connectors.dynamodb.bucket import Bucket
from greylag.connectors.dynamodb.errors import Fault
from greylag.connectors.dynamodb.keys import key_bytes
from greylag.connectors.dynamodb.service import Tally
from greylag.connectors.dynamodb.size import write_units
from greylag.core.ports import Delivery
from greylag.core.records import Erased
from greylag.errors import ConnectorError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from greylag.connectors.dynamodb.service import Service
    from greylag.connectors.dynamodb.wire import Connection
    from greylag.core.ports import TableInfo
    from greylag.core.records import Encoded

_AHEAD: Final = 4
"""Batches pulled beyond the oldest unacknowledged one, as a multiple of the connections."""

_REQUEST_BYTES: Final = limits.BATCH_WRITE_BYTES - 64 * 1024
"""Of the items in one request; the rest is room for what stands around them."""


class DynamoDBWriter:
    """See `ports.Writer`."""

    batch_items = limits.BATCH_WRITE_ITEMS

    def __init__(
        self, service: Service, table: TableInfo, connections: int, late_write_seconds: float
    ) -> None:
        self.late_write_seconds = late_write_seconds
        self._service = service
        self._table = table
        self._bucket = Bucket()
        self._loop = asyncio.new_event_loop()
        self._connections = [service.connection() for _ in range(connections)]
        self._units_per_estimate = 1.0
        self._head = b'{"RequestItems":{%b:[' % orjson.dumps(table.name)
        self._doing = f"writing to table {table.name}"

    def write(self, batches: Iterable[Sequence[Encoded | Erased]]) -> Iterator[Delivery]:
        """See `ports.Writer.write`."""
        run = _Run(self, batches)
        tasks = [self._loop.create_task(run.serve(each)) for each in self._connections]
        try:
            while ready := self._loop.run_until_complete(run.ready()):
                for delivery in ready:
                    with self._service.stalls:
                        yield delivery
        finally:
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    def limit(self, units_per_second: float | None) -> None:
        """See `ports.Writer.limit`."""
        self._bucket.units_per_second = units_per_second

    def close(self) -> None:
        """See `ports.Writer.close`."""
        if not self._loop.is_closed():
            for each in self._connections:
                each.close()
            self._loop.run_until_complete(asyncio.sleep(0))  # lets the sockets close
            self._loop.close()

    async def deliver(self, connection: Connection, batch: Sequence[Encoded | Erased]) -> Delivery:
        """Write a whole batch on one connection."""
        items = {each.key: each for each in batch}
        if len(items) < len(batch):
            self._refuse_different(batch, items)
        put = _Put()
        for request in _requests(items.values()):
            await self._put(connection, request, put)
        refused = tuple(
            (place, put.refused[item.key]) for place, item in enumerate(batch) if item.key in put.refused
        )
        written = [item for item in batch if item.key not in put.refused] if refused else batch
        return Delivery(
            len(written),
            sum([each.size_bytes for each in written]),
            put.units,
            put.throttles,
            refused,
            put.unknown,
        )

    def _refuse_different(
        self, batch: Sequence[Encoded | Erased], items: dict[bytes, Encoded | Erased]
    ) -> None:
        """Raises ConnectorError where not all items of a key are one."""
        if any(items[each.key].body != each.body for each in batch):
            raise ConnectorError(
                f"{self._doing}: two different items of a batch share a key",
                advice="Shared keys were looked for before: since then the source has changed, or a function gives "
                "other keys each time it is called. `greylag run --restart` looks again.",
            )

    async def _put(self, connection: Connection, items: list[Encoded | Erased], put: _Put) -> None:
        """Until every item is written or refused."""
        attempt = 0
        while True:
            estimate = sum([write_units(each.size_bytes) for each in items])
            foreseen = estimate * self._units_per_estimate
            await self._bucket.spend(foreseen)
            try:
                answer = await self._service.call(
                    connection, "BatchWriteItem", self._body(items), self._doing, put
                )
            except Fault as fault:
                self._bucket.settle(-foreseen)
                await self._halve(connection, items, put, fault)
                return
            left = self._unprocessed(answer, items)
            written = estimate - sum(write_units(each.size_bytes) for each in left)
            units = _units(answer, written)
            put.units += units
            self._bucket.settle(units - foreseen)
            if written:
                self._service.patience.succeeded()
                self._units_per_estimate += (units / written - self._units_per_estimate) * 0.1
            if not left:
                return
            put.throttles += 1
            if written:
                attempt = 0
                await asyncio.sleep(self._service.patience.delay(attempt))
            else:
                reason = f"{self._doing} at {self._service.endpoint}: DynamoDB leaves all items unprocessed"
                await asyncio.sleep(self._service.patience.failed(reason, attempt))
                attempt += 1
            items = left

    async def _halve(
        self, connection: Connection, items: list[Encoded | Erased], put: _Put, fault: Fault
    ) -> None:
        """Find the items that made DynamoDB refuse a request, and write the others."""
        if len(items) == 1:
            put.refused[items[0].key] = f"DynamoDB refused it: {fault}"
            return
        half = len(items) // 2
        await self._put(connection, items[:half], put)
        await self._put(connection, items[half:], put)

    def _body(self, items: list[Encoded | Erased]) -> bytes:
        requests = b",".join([_request(each) for each in items])
        return b'%b%b]},"ReturnConsumedCapacity":"TOTAL"}' % (self._head, requests)

    def _unprocessed(self, answer: dict[str, Any], items: list[Encoded | Erased]) -> list[Encoded | Erased]:
        """Which of `items` were not written; all of them where the answer names one that was not sent."""
        told = answer.get("UnprocessedItems")
        if not told:
            return []
        by_key = {each.key: each for each in items}
        try:
            return [
                by_key[key_bytes(_named(request), self._table.key)]
                for requests in told.values()
                for request in requests
            ]
        except (KeyError, TypeError, ValueError):
            return items


class _Put(Tally):
    """What became of a batch's items so far."""

    def __init__(self) -> None:
        super().__init__()
        self.units = 0.0
        self.refused: dict[bytes, str] = {}


class _Run:
    """One call of `write`: batches out to the connections, deliveries back in order."""

    def __init__(self, writer: DynamoDBWriter, batches: Iterable[Sequence[Encoded | Erased]]) -> None:
        self._writer = writer
        self._batches = iter(batches)
        self._flights: deque[_Flight] = deque()
        self._room = asyncio.Event()
        self._landed = asyncio.Event()
        self._pulled_all = False
        self._error: BaseException | None = None
        self._ended_with: Exception | None = None
        self._most = _AHEAD * len(writer._connections)  # noqa: SLF001 - its own class's other half

    async def serve(self, connection: Connection) -> None:
        """Batch after batch on one connection."""
        try:
            while (flight := await self._pull()) is not None:
                flight.delivery = await self._writer.deliver(connection, flight.batch)
                if flight is self._flights[0]:
                    self._landed.set()
        except Exception as error:  # noqa: BLE001 - raised again where the caller waits
            self._error = self._error or error
            self._landed.set()

    async def _pull(self) -> _Flight | None:
        # What has been delivered goes out before more comes in: else empty batches, which take no time, pile up.
        while len(self._flights) >= self._most or (self._flights and self._flights[0].delivery is not None):
            self._room.clear()
            await self._room.wait()
        if self._pulled_all or self._error is not None:
            return None
        batch = self._next()
        if batch is None:
            self._pulled_all = True
            self._landed.set()
            return None
        flight = _Flight(batch)
        self._flights.append(flight)
        return flight

    def _next(self) -> Sequence[Encoded | Erased] | None:
        """The next batch. What the batches raise counts once those before it are delivered: they are not lost."""
        try:
            with self._writer._service.stalls:  # noqa: SLF001
                return next(self._batches, None)
        except Exception as error:  # noqa: BLE001 - raised again where the caller waits
            self._ended_with = error
            return None

    async def ready(self) -> list[Delivery]:
        """The next deliveries in order, at least one; none after the last. Raises what a connection met, and after
        the last delivery what the batches ended with.
        """
        self._room.set()
        while True:
            found = []
            while self._flights and (delivery := self._flights[0].delivery) is not None:
                found.append(delivery)
                self._flights.popleft()
            if found:
                return found
            if self._error is not None:
                raise self._error
            if self._pulled_all and not self._flights:
                if self._ended_with is not None:
                    raise self._ended_with
                return []
            self._landed.clear()
            await self._landed.wait()


class _Flight:
    """A batch on its way, and its delivery once there is one."""

    __slots__ = ("batch", "delivery")

    def __init__(self, batch: Sequence[Encoded | Erased]) -> None:
        self.batch = batch
        self.delivery: Delivery | None = None


def _request(item: Encoded | Erased) -> bytes:
    if isinstance(item, Erased):
        return b'{"DeleteRequest":{"Key":%b}}' % item.body
    return b'{"PutRequest":{"Item":%b}}' % item.body


def _named(request: dict[str, Any]) -> dict[str, Any]:
    """The item, or its key, that a request of an answer is about."""
    if "DeleteRequest" in request:
        key: dict[str, Any] = request["DeleteRequest"]["Key"]
        return key
    item: dict[str, Any] = request["PutRequest"]["Item"]
    return item


def _requests(items: Iterable[Encoded | Erased]) -> Iterator[list[Encoded | Erased]]:
    """Items in groups that fit into a request."""
    request: list[Encoded | Erased] = []
    size = 0
    for item in items:
        if request and (len(request) == limits.BATCH_WRITE_ITEMS or size + len(item.body) > _REQUEST_BYTES):
            yield request
            request, size = [], 0
        request.append(item)
        size += len(item.body) + 32
    if request:
        yield request


def _units(answer: dict[str, Any], written: float) -> float:
    """What DynamoDB charged; at least what the items written cost, since emulators tell less or nothing."""
    told = answer.get("ConsumedCapacity") or ()
    return max(written, float(sum(each.get("CapacityUnits", 0.0) for each in told)))
