"""boto3's clients, and the one place where what AWS says becomes Greylag's errors. No message holds a secret."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from greylag.connectors.dynamodb.errors import from_sdk
from greylag.connectors.dynamodb.session import on_this_machine
from greylag.errors import AuthenticationError, ConfigurationError, ConnectorError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_ACCOUNT = "000000000000"
"""The account's number at an emulator that does not tell one."""

_UNSUPPORTED = frozenset(
    {"InvalidAction", "MethodNotAllowed", "NotImplemented", "UnknownOperation", "UnknownOperationException"}
)
_LATER = frozenset(
    {
        "AWS.SimpleQueueService.QueueDeletedRecently",
        "OperationAborted",
        "QueueDeletedRecently",
        "ResourceInUseException",
    }
)
"""Refused for the moment: a queue's name is free again 60 seconds after it was deleted, a bucket's a while later.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
"""


class Unsupported(ConnectorError):  # noqa: N818
    """The server has no such call. AWS has them all; an emulator may not."""


def code_of(error: Exception) -> str:
    """The service's name for what went wrong; empty where it is not the service that says so."""
    return str(error.response.get("Error", {}).get("Code")) if isinstance(error, ClientError) else ""


def status_of(error: Exception) -> int:
    """The HTTP status, 0 where there was no answer."""
    told = error.response.get("ResponseMetadata", {}) if isinstance(error, ClientError) else {}
    return int(told.get("HTTPStatusCode", 0))


@contextmanager
def asking(doing: str, region: str) -> Iterator[None]:
    """Turns what boto3 raises inside into Greylag's errors; `doing` says which operation on what."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        told = from_sdk(error, doing, region)
        if code_of(error) in _UNSUPPORTED or status_of(error) in {405, 501}:
            raise Unsupported(told.message, advice="This server has no such call.") from None
        if code_of(error) in _LATER:
            raise TransientError(told.message, advice="Run again in a minute: it goes on.") from None
        if isinstance(told, AuthenticationError) and code_of(error):
            told.advice = (
                "Check the AWS credentials, and that they may do this: docs/provision.md lists the actions."
            )
        elif type(told) is ConnectorError and code_of(error):
            told.advice = "The message says why; after mending it run the same command again."
        raise told from None


def is_aws(url: str) -> bool:
    """Whether the address is one of AWS's own."""
    host = urlsplit(url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


def is_billed(url: str) -> bool:
    """Whether what is made there may cost money."""
    return not on_this_machine(url)


class Account:
    """Clients for what is not DynamoDB, with boto3's own chain of credentials and endpoints (AWS_ENDPOINT_URL_…)."""

    def __init__(self, profile: str | None, region: str | None) -> None:
        import botocore.session

        self._session: Any = botocore.session.Session(profile=profile)
        with asking("AWS", region or ""):
            self.region = region or self._session.get_config_variable("region") or ""
        if not self.region:
            raise ConfigurationError(
                "no region for buckets and queues",
                advice="Write `infrastructure: {region: eu-west-1}`, or set AWS_DEFAULT_REGION.",
            )

    def client(self, service: str, **config: Any) -> Any:
        """boto3's own, which tries again by itself."""
        from botocore.config import Config

        options = Config(
            connect_timeout=10,
            read_timeout=60,
            retries={"mode": "standard", "total_max_attempts": 5},
            **config,
        )
        with asking(service, self.region):
            return self._session.create_client(service, region_name=self.region, config=options)

    @cached_property
    def s3(self) -> Any:
        """Buckets; by path at an emulator, since no resolver knows their names there."""
        client = self.client("s3")
        if is_aws(client.meta.endpoint_url):
            return client
        client.close()
        return self.client("s3", s3={"addressing_style": "path"})

    @cached_property
    def sqs(self) -> Any:
        """Queues."""
        return self.client("sqs")

    @cached_property
    def number(self) -> str:
        """Who we are to AWS. An emulator is asked only where it is told to be asked (AWS_ENDPOINT_URL_STS)."""
        client = self.client("sts")
        try:
            if is_aws(client.meta.endpoint_url) and not is_aws(self.s3.meta.endpoint_url):
                return NO_ACCOUNT
            with asking("asking AWS for the account's number", self.region):
                return str(client.get_caller_identity()["Account"])
        finally:
            client.close()

    def place(self, url: str) -> str:
        """Where a name means one thing."""
        return f"{url} account {self.number}" if is_aws(url) else url

    def close(self) -> None:
        """Let go of connections."""
        for name in ("s3", "sqs"):
            client = self.__dict__.pop(name, None)
            if client is not None:
                client.close()
