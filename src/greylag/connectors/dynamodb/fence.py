"""A fence around DynamoDB tables: a resource policy that denies writes to everyone but Greylag."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from greylag.connectors.dynamodb.errors import from_sdk
from greylag.connectors.dynamodb.session import Session, on_this_machine
from greylag.errors import ConnectorError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from greylag.connectors.dynamodb.options import DynamoDBOptions

SID: Final = "GreylagFence"
_WRITES: Final = [
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
]
"""A transaction is allowed where the actions it is made of are.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
"""


class DynamoDBFence:
    """See `ports.Fence`. A thing is a table. A denial wins over every permission, also those of an administrator; the
    service applies a policy within a short time, not at once.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/access-control-resource-based.html
    """

    def __init__(self, name: str, options: DynamoDBOptions) -> None:
        self._name = name
        self._options = options
        self._opened: tuple[Session, Any] | None = None

    def things(self, datasets: Sequence[str], who: str | None) -> Sequence[str]:  # noqa: ARG002 - everyone else is held
        """See `ports.Fence.things`."""
        return sorted(set(datasets))

    def look(self, thing: str) -> Mapping[str, Any]:
        """See `ports.Fence.look`: the table's policy as it stands, and the one it will have."""
        session, client = self._client()
        with self._translated(f"looking at table {thing}"):
            arn = client.describe_table(TableName=thing)["Table"]["TableArn"]
        policy = self._policy(arn)
        here = on_this_machine(self._options.endpoint_url)  # an emulator of many services
        sts = session.client("sts") if here else session.beside("sts")
        try:
            with self._translated("asking who we are"):
                who = str(sts.get_caller_identity()["UserId"])
        finally:
            sts.close()
        return {"arn": arn, "policy": policy, "instead": json.dumps(_with_denial(policy, arn, who))}

    def impose(self, thing: str, before: Mapping[str, Any]) -> Sequence[str]:
        """See `ports.Fence.impose`."""
        _, client = self._client()
        with self._translated(f"fencing table {thing}"):
            client.put_resource_policy(
                ResourceArn=before["arn"], Policy=before["instead"], ConfirmRemoveSelfResourceAccess=False
            )
        return (f"the resource policy of table {thing} denies writes to everyone but Greylag ({SID})",)

    def lift(self, thing: str, before: Mapping[str, Any]) -> Sequence[str]:
        """See `ports.Fence.lift`. A policy that somebody changed since loses our statement and keeps the rest."""
        _, client = self._client()
        now = self._policy(before["arn"])
        if now is None:
            return (f"table {thing} has no resource policy",)
        same = json.loads(now) == json.loads(before["instead"])
        wanted = before["policy"] if same else _without_denial(now)
        with self._translated(f"releasing table {thing}"):
            if wanted is None:
                client.delete_resource_policy(ResourceArn=before["arn"])
                return (f"table {thing} has no resource policy again",)
            client.put_resource_policy(ResourceArn=before["arn"], Policy=wanted)
        return (
            f"table {thing} has {'its resource policy again' if same else f'a resource policy without {SID}'}",
        )

    def clock_ms(self) -> int:
        """See `ports.Fence.clock_ms`: this machine's, DynamoDB tells none."""
        return time.time_ns() // 1_000_000

    def close(self) -> None:
        """See `ports.Fence.close`."""
        if self._opened is not None:
            self._opened[1].close()

    def _policy(self, arn: str) -> str | None:
        from botocore.exceptions import ClientError

        _, client = self._client()
        with self._translated("looking at a resource policy"):
            try:
                return str(client.get_resource_policy(ResourceArn=arn)["Policy"])
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code")
                if code == "PolicyNotFoundException":
                    return None
                if code in {"UnknownOperationException", "InvalidAction"}:
                    raise ConnectorError(
                        f"connection {self._name}: this server knows no resource policies, so it can refuse nobody",
                        advice="DynamoDB itself does; DynamoDB Local does not. Stop the application instead.",
                    ) from None
                raise

    def _client(self) -> tuple[Session, Any]:
        if self._opened is None:
            session = Session(self._name, self._options)
            self._opened = session, session.client()
        return self._opened

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise from_sdk(error, doing, self._client()[0].region) from None


def _with_denial(policy: str | None, arn: str, who: str) -> dict[str, Any]:
    """`who` is a user's id, or a role's with the session's name behind a colon: any session of the role is Greylag."""
    role, colon, _ = who.partition(":")
    denial = {
        "Sid": SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": _WRITES,
        "Resource": arn,
        "Condition": {"StringNotLike": {"aws:userid": f"{role}:*" if colon else who}},
    }
    document = json.loads(policy) if policy else {"Version": "2012-10-17", "Statement": []}
    return {**document, "Statement": [*_others(document), denial]}


def _without_denial(policy: str) -> str | None:
    document = json.loads(policy)
    left = _others(document)
    return json.dumps({**document, "Statement": left}) if left else None


def _others(document: Mapping[str, Any]) -> list[Any]:
    statements = document.get("Statement", [])
    listed = statements if isinstance(statements, list) else [statements]
    return [each for each in listed if each.get("Sid") != SID]
