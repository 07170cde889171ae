"""What a connection of kind `dynamodb` may say in greylag.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from greylag.connectors.dynamodb.wire import Endpoint


class DynamoDBOptions(BaseModel):
    """A connection of kind `dynamodb`. Credentials come from AWS's own chain: environment, profile, role."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["dynamodb"] = "dynamodb"
    region: Annotated[
        str | None, Field(description="The AWS region. Without it, the one AWS tools are set to.")
    ] = None
    endpoint_url: Annotated[
        str,
        Field(
            description="Another endpoint than the region's own: an emulator, a VPC endpoint. Empty: none."
        ),
    ] = ""
    profile: Annotated[str | None, Field(description="The profile in AWS's configuration files.")] = None
    create_tables: Annotated[
        bool,
        Field(description="Whether missing tables are created, and time to live and streams are turned on."),
    ] = False
    billing: Annotated[Literal["on_demand"], Field(description="How created tables are billed.")] = (
        "on_demand"
    )
    write_units_per_second: Annotated[
        float | None,
        Field(
            gt=0,
            description="What all workers together may spend on a table. Without it Greylag finds the rate.",
        ),
    ] = None
    connections: Annotated[int, Field(ge=1, le=256, description="Connections of each worker to a table.")] = (
        16
    )
    patience_seconds: Annotated[
        float, Field(gt=0, description="How long to try when DynamoDB is away or throttles everything.")
    ] = 300.0
    late_write_seconds: Annotated[
        float,
        Field(
            ge=0,
            description="How long an unanswered request may still take effect: later changes of its items wait for it.",
        ),
    ] = 300.0
    ttl_deletes: Annotated[
        Literal["carry", "ignore"],
        Field(
            description="Where changes are carried back: whether what DynamoDB itself deletes, by time to live, is "
            "deleted there too."
        ),
    ] = "carry"
    # A signed request is refused once it is five minutes old.
    # Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html

    @field_validator("endpoint_url")
    @classmethod
    def _address(cls, url: str) -> str:
        if url:
            Endpoint.parse(url)
        return url

    @field_validator("region", "profile")
    @classmethod
    def _none_if_empty(cls, text: str | None) -> str | None:
        return text or None
