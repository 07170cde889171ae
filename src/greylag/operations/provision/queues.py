"""SQS queues and the queues of their dead letters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from greylag.operations.provision.aws import Unsupported, asking, code_of, is_aws, is_billed
from greylag.operations.provision.makers import Found, Look, Setting, server_time
from greylag.operations.provision.policies import statement_in, tls_only, with_statement
from greylag.operations.provision.things import Queue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from greylag.operations.provision.aws import Account
    from greylag.operations.provision.things import Thing

_ABSENT = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
_DEAD_LETTER_SECONDS = 1_209_600
_MESSAGE_BYTES = 262_144
_WAIT_SECONDS = 20
"""As modules/queue has them."""


class Queues:
    """See `makers.Maker`."""

    kind = "queue"
    tags_at_creation = True

    def __init__(self, account: Account) -> None:
        self._client = account.sqs
        self._region = account.region
        self._url = str(self._client.meta.endpoint_url)
        self.is_aws = is_aws(self._url)
        self.billed = is_billed(self._url)
        self.place = account.place(self._url)

    def look(self, name: str) -> Look:
        """See `makers.Maker.look`."""
        try:
            url = self._client.get_queue_url(QueueName=name)["QueueUrl"]
            told = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        except (BotoCoreError, ClientError) as error:
            if code_of(error) in _ABSENT:
                return Look(None, server_time(error))
            with asking(f"looking at queue {name}", self._region):
                raise
        tags: dict[str, str] | None
        try:
            with asking(f"reading the tags of queue {name}", self._region):
                tags = dict(self._client.list_queue_tags(QueueUrl=url).get("Tags", {}))
        except Unsupported:
            tags = None
        made = told["CreatedTimestamp"]
        return Look(Found(f"{told['QueueArn']}@{made}", float(made), tags))

    def create(self, thing: Thing, tags: Mapping[str, str]) -> None:
        """See `makers.Maker.create`."""
        assert isinstance(thing, Queue)
        with asking(f"creating queue {thing.name}", self._region):
            self._client.create_queue(QueueName=thing.name, Attributes=_at_creation(thing), tags=dict(tags))

    def ready(self, thing: Thing, tags: Mapping[str, str]) -> None:
        """See `makers.Maker.ready`. A queue is there at once, with its tags."""

    def settings(self, thing: Thing) -> Iterator[Setting]:
        """See `makers.Maker.settings`."""
        assert isinstance(thing, Queue)
        queue = thing
        for name, value in _attributes(queue).items():
            yield self._attribute(queue, name, value)
        arn = self._arn(queue.name)
        beside = arn.rpartition(":")[0]
        if queue.dead_letters:
            redrive = {
                "deadLetterTargetArn": f"{beside}:{queue.dead_letters}",
                "maxReceiveCount": queue.spec.max_receives,
            }
            yield self._attribute(queue, "RedrivePolicy", redrive)
        if queue.source:
            allow = {"redrivePermission": "byQueue", "sourceQueueArns": [f"{beside}:{queue.source}"]}
            yield self._attribute(queue, "RedriveAllowPolicy", allow)
        if self._url.startswith("https:"):  # who answers over http alone would let nobody in
            statement = tls_only("sqs", [arn])
            yield Setting(
                "Policy (TLS only)",
                statement,
                lambda: statement_in(self._read(queue.name).get("Policy")),
                lambda: self._write(
                    queue.name, "Policy", with_statement(self._read(queue.name).get("Policy"), statement)
                ),
            )

    def _attribute(self, queue: Queue, name: str, wanted: Any) -> Setting:
        def read() -> Any:
            told = self._read(queue.name).get(name)
            if told is None or isinstance(wanted, str):
                return told
            found = json.loads(told)
            if "maxReceiveCount" in found:
                found["maxReceiveCount"] = int(found["maxReceiveCount"])
            return found

        text = wanted if isinstance(wanted, str) else json.dumps(wanted)
        return Setting(name, wanted, read, lambda: self._write(queue.name, name, text))

    def _address(self, name: str) -> str:
        with asking(f"looking at queue {name}", self._region):
            return str(self._client.get_queue_url(QueueName=name)["QueueUrl"])

    def _read(self, name: str) -> dict[str, str]:
        url = self._address(name)
        with asking(f"reading queue {name}", self._region):
            found: dict[str, str] = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
                "Attributes"
            ]
        return found

    def _write(self, name: str, attribute: str, value: str) -> None:
        url = self._address(name)
        with asking(f"setting {attribute} of queue {name}", self._region):
            self._client.set_queue_attributes(QueueUrl=url, Attributes={attribute: value})

    def _arn(self, name: str) -> str:
        return self._read(name)["QueueArn"]

    def contents(self, name: str) -> str:
        """See `makers.Maker.contents`. SQS counts approximately: a message of the last minute may be missing."""
        told = self._read(name)
        waiting = ("", "NotVisible", "Delayed")
        count = sum(int(told.get(f"ApproximateNumberOfMessages{each}", 0)) for each in waiting)
        return f"about {count} messages" if count else ""

    def delete(self, name: str, say: Callable[[str], None]) -> None:  # noqa: ARG002 - one request
        """See `makers.Maker.delete`."""
        url = self._address(name)
        with asking(f"deleting queue {name}", self._region):
            self._client.delete_queue(QueueUrl=url)

    def close(self) -> None:
        """The account closes the client."""


def _at_creation(queue: Queue) -> dict[str, str]:
    return {**({"FifoQueue": "true"} if queue.name.endswith(".fifo") else {}), **_attributes(queue)}


def _attributes(queue: Queue) -> dict[str, str]:
    spec = queue.spec
    found = {
        "VisibilityTimeout": str(spec.visibility_seconds),
        "MessageRetentionPeriod": str(_DEAD_LETTER_SECONDS if queue.source else spec.retention_seconds),
        "MaximumMessageSize": str(_MESSAGE_BYTES),
        "SqsManagedSseEnabled": "true",
    }
    if not queue.source:
        found["DelaySeconds"] = str(spec.delay_seconds)
        found["ReceiveMessageWaitTimeSeconds"] = str(_WAIT_SECONDS)
        if spec.fifo:
            found["DeduplicationScope"] = "messageGroup"
            found["FifoThroughputLimit"] = "perMessageGroupId"
    return found
