"""The shape of what `greylag infra render` and `greylag provision` need to know: how services run on AWS.

Every section only names what differs from a sound default; docs/infrastructure-keys.md shows each key in use.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from greylag.config.section import Duration, Name, Section, Text

_ROUTE = re.compile(r"\$default|(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|ANY) /[^\s]*")
_SCHEDULE = re.compile(r"(rate|cron|at)\([^()]+\)")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_REPOSITORY = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOST = re.compile(r"(?!-)[a-z0-9-]+(\.[a-z0-9-]+)+")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def _like(pattern: re.Pattern[str], what: str, example: str) -> Any:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(f"{text!r} is not {what}, such as {example}")
        return text

    return AfterValidator(check)


Route = Annotated[str, _like(_ROUTE, "a route", "GET /products/{id}, ANY /{proxy+} or $default")]
Schedule = Annotated[str, _like(_SCHEDULE, "a schedule", "rate(5 minutes) or cron(0 3 * * ? *)")]
Region = Annotated[str, _like(_REGION, "a region", "eu-west-1")]
Repository = Annotated[str, _like(_REPOSITORY, "a repository", "owner/name")]
Variable = Annotated[str, _like(_VARIABLE, "a variable's name", "LOG_LEVEL")]
Host = Annotated[str, _like(_HOST, "a domain", "example.com")]
Bucket = Annotated[str, _like(_BUCKET, "a bucket's name", "shop-assets")]
HealthPath = Annotated[str, _like(re.compile(r"/\S*"), "a path", "/health")]


def _count(value: Any) -> Any:
    return {"min": value, "desired": value, "max": value} if isinstance(value, int) else value


class Count(Section):
    """How many copies of a container run."""

    min: int = Field(1, ge=0, description="The fewest.")
    desired: int | None = Field(None, ge=0, description="At the start; without it, the fewest.")
    max: int = Field(4, ge=1, description="The most that autoscaling starts.")

    @model_validator(mode="after")
    def _in_order(self) -> Count:
        if not self.min <= (self.min if self.desired is None else self.desired) <= self.max:
            raise ValueError("min, desired and max stand in this order")
        return self


class Concurrency(Section):
    """How many copies of a function may run, and how many are kept warm."""

    reserved: int | None = Field(
        None, ge=0, description="The most at a time, taken out of the account's share."
    )
    provisioned: int | None = Field(None, ge=1, description="Kept warm, and billed all the time.")


class Uses(Section):
    """What else of the project the program may reach, beside its own tables, queue, cache and bucket."""

    tables: dict[Text, Literal["read", "write"]] = Field(
        {}, description="Tables by name: read, or write (which reads too)."
    )
    queues: tuple[Name, ...] = Field((), description="Services whose queues it sends to.")
    caches: tuple[Name, ...] = Field((), description="Services whose caches it reads and writes.")
    assets: dict[Name, Literal["read", "write"]] = Field(
        {}, description="Services whose buckets it reads, or writes (and reads)."
    )
    databases: tuple[Name, ...] = Field((), description="Databases of `infrastructure:` it connects to.")


class Run(Section):
    """The program of a service."""

    kind: Literal["function", "container"] = Field(
        "function", description="function: AWS Lambda. container: ECS on Fargate."
    )
    image: Text | None = Field(
        None,
        description="A container image: the name of a repository that is made for it, or a whole address.",
    )
    package: Text | None = Field(None, description="A function's code: a folder that is zipped for it.")
    runtime: Text | None = Field(None, description="A packaged function's runtime, such as python3.13.")
    handler: Text | None = Field(None, description="A packaged function's entry, such as app.handler.")
    architecture: Literal["arm64", "x86_64"] = Field("arm64", description="The processor it is built for.")
    port: int | None = Field(None, ge=1, le=65535, description="The port a container listens on.")
    cpu: Literal[256, 512, 1024, 2048, 4096, 8192, 16384] = Field(
        256, description="A container's processor units: 1024 are one vCPU."
    )
    memory_mb: int | None = Field(
        None, ge=128, description="Memory in MiB: 512 for a container unless said, 256 for a function."
    )
    timeout: Duration = Field("30s", description="How long one call of a function may take.")
    schedule: Schedule | None = Field(None, description="When a function is called: rate(…) or cron(…).")
    count: Annotated[Count, BeforeValidator(_count, json_schema_input_type=int | Count)] = Field(
        Count.model_validate({}), description="How many containers: one number, or min, desired and max."
    )
    concurrency: Concurrency = Field(
        Concurrency.model_validate({}), description="How many copies of a function."
    )
    spot: bool = Field(False, description="Run containers on spare capacity, which AWS may take back.")
    command: tuple[Text, ...] = Field(
        (), description="What a container starts instead of its image's command."
    )
    environment: tuple[Variable, ...] = Field(
        (), description="Names of variables it needs that are no secrets; values go into values.auto.tfvars."
    )
    secrets: tuple[Variable, ...] = Field(
        (),
        description="Names of secrets it needs: each becomes a secret in Secrets Manager, without a value.",
    )
    health: HealthPath = Field("/health", description="The path a container answers 200 on.")
    uses: Uses = Field(Uses.model_validate({}), description="What else of the project it may reach.")

    @model_validator(mode="after")
    def _fits(self) -> Run:
        if (self.image is None) == (self.package is None):
            raise ValueError("give `image` or `package`, one of the two")
        if self.package is not None:
            if self.kind == "container":
                raise ValueError("a container runs an `image`; `package` is for functions")
            if self.runtime is None or self.handler is None:
                raise ValueError("a `package` needs `runtime` and `handler`")
        elif self.runtime is not None or self.handler is not None:
            raise ValueError("an `image` holds its `runtime` and `handler`; they go with `package`")
        if self.kind == "container" and self.schedule is not None:
            raise ValueError("`schedule` calls a function; a container runs all the time")
        if self.kind == "function" and self.port is not None:
            raise ValueError("a function listens on no `port`; `kind: container` does")
        return self


class Cors(Section):
    """What browsers may do from pages of other origins."""

    origins: tuple[Text, ...] = Field(description="Origins, such as https://shop.example.com.")
    methods: tuple[Text, ...] = Field(("GET", "POST", "PUT", "PATCH", "DELETE"), description="Methods.")
    headers: tuple[Text, ...] = Field(("authorization", "content-type"), description="Headers.")
    max_age: Duration = Field("1h", description="How long a browser remembers the answer.")
    credentials: bool = Field(False, description="Whether cookies go along.")


class Throttle(Section):
    """How many requests are let through; the others are answered 429."""

    per_second: int = Field(100, ge=1, description="Requests per second that may go on for ever.")
    burst: int = Field(200, ge=1, description="Requests at once.")


class Api(Section):
    """How clients reach the program."""

    routes: tuple[Route, ...] = Field((), description="Routes of a function, such as GET /products.")
    openapi: Text | None = Field(None, description="An OpenAPI 3 file whose paths are the routes.")
    cors: Cors | None = Field(None, description="For pages of other origins.")
    throttle: Throttle = Field(Throttle.model_validate({}), description="The most requests.")
    websocket: bool = Field(
        False, description="A WebSocket API beside it, or alone where there are no routes."
    )
    domain: Host | None = Field(None, description="Its name: a part of `domain` of `infrastructure:`.")

    @model_validator(mode="after")
    def _one_list(self) -> Api:
        if self.routes and self.openapi is not None:
            raise ValueError("give `routes` or `openapi`, not both")
        return self


class Cache(Section):
    """A cache."""

    engine: Literal["valkey", "redis", "dynamodb"] = Field(
        "valkey", description="valkey or redis: ElastiCache. dynamodb: a table whose items expire."
    )
    node: Text | None = Field(
        None, description="A node type, such as cache.t4g.micro; without one the cache is serverless."
    )
    replicas: int = Field(1, ge=0, le=5, description="Copies of the node in other zones.")
    max_gb: int = Field(1, ge=1, description="The most a serverless cache keeps, and is billed for.")

    @model_validator(mode="after")
    def _fits(self) -> Cache:
        if self.engine == "dynamodb" and self.node is not None:
            raise ValueError("`engine: dynamodb` has no nodes")
        return self


class Queue(Section):
    """An SQS queue with its dead letters."""

    fifo: bool = Field(False, description="Order within a group, each message once.")
    visibility: Duration | None = Field(
        None,
        description="How long a message is hidden from other consumers; without it, six times the timeout.",
    )
    retention: Duration = Field("4d", description="How long a message waits at most: 14d is the most.")
    max_receives: int = Field(
        5, ge=1, le=1000, description="After so many failures a message becomes a dead letter."
    )
    batch: int = Field(10, ge=1, le=10000, description="Messages a function gets at once.")
    delay: Duration | None = Field(None, description="How long a message waits first: 15m at most.")


class Lifecycle(Section):
    """When objects move to cheaper storage, and when they are removed."""

    archive_after: Duration | None = Field(None, description="Moved to infrequent access: 30d or more.")
    expire_after: dict[Text, Duration] = Field(
        {}, description="Removed, by the beginning of their names: receipts/."
    )
    old_versions_after: Duration = Field("90d", description="Overwritten and deleted versions are removed.")


class Assets(Section):
    """A private bucket."""

    bucket: Bucket | None = Field(
        None,
        description="The bucket's name after project and environment; without it, the service and the account.",
    )
    cloudfront: bool = Field(True, description="Readers get objects from CloudFront.")
    signed_urls: bool = Field(False, description="CloudFront answers signed addresses alone.")
    cors: tuple[Text, ...] = Field((), description="Origins whose pages may upload and read.")
    domain: Host | None = Field(None, description="Its name: a part of `domain` of `infrastructure:`.")
    lifecycle: Lifecycle = Field(Lifecycle.model_validate({}), description="When objects move and go.")


class Capacity(Section):
    """Bounds of a serverless database."""

    min: float = Field(0.5, ge=0.5, description="The least, billed all the time.")
    max: float = Field(4, ge=1, description="The most.")


class Database(Section):
    """A database that services name under `run.uses.databases`."""

    kind: Literal["documentdb", "postgres"] = Field(description="Amazon DocumentDB, or RDS for PostgreSQL.")
    version: Text | None = Field(
        None, description="The engine's version: 17 for PostgreSQL, 8.0.0 for DocumentDB."
    )
    instance: Text | None = Field(
        None, description="The instance type; without it db.t4g.small (postgres), db.t4g.medium (documentdb)."
    )
    serverless: Capacity | None = Field(None, description="DocumentDB by capacity instead of instances.")
    storage_gb: int = Field(20, ge=20, le=65536, description="PostgreSQL's storage at the start.")
    max_storage_gb: int = Field(100, ge=20, le=65536, description="How far PostgreSQL's storage grows.")
    multi_az: bool = Field(True, description="A standby in another zone.")
    replicas: int = Field(0, ge=0, le=15, description="Copies to read from.")
    proxy: bool = Field(False, description="RDS Proxy in front of PostgreSQL, which functions need.")
    logical_replication: bool = Field(
        True, description="PostgreSQL's logical replication, which following changes needs."
    )
    backup: Duration = Field("7d", description="How long automatic backups are kept.")

    @model_validator(mode="after")
    def _fits(self) -> Database:
        if self.kind == "documentdb" and self.proxy:
            raise ValueError("RDS Proxy does not work with DocumentDB")
        if self.kind == "postgres" and self.serverless is not None:
            raise ValueError("`serverless` is for DocumentDB; give PostgreSQL an `instance`")
        if self.serverless is not None and self.instance is not None:
            raise ValueError("give `instance` or `serverless`, not both")
        return self


class Backup(Section):
    """AWS Backup of tables, databases and buckets."""

    keep: Duration = Field("35d", description="How long a daily backup is kept.")
    copy_to: Region | None = Field(None, description="Another region that gets a copy.")


class Infrastructure(Section):
    """What all services share on AWS."""

    region: Region | None = Field(
        None, description="The region; without it, that of the first DynamoDB connection."
    )
    zones: Literal[2, 3] = Field(2, description="How many availability zones.")
    cidr: Text = Field("10.0.0.0/16", description="The addresses of the network.")
    nat: Literal["gateway", "instance", "none"] = Field(
        "gateway",
        description="How private subnets reach the internet: gateway, a small instance, not at all.",
    )
    domain: Host | None = Field(None, description="A domain with a hosted zone in Route 53.")
    alarm_email: str | None = Field(
        None, description="Who is told, as a reference: ${ALARM_EMAIL}. The address stays out of the files."
    )
    databases: dict[Name, Database] = Field({}, description="Databases by name.")
    replicas: tuple[Region, ...] = Field((), description="Other regions that get a copy of every table.")
    backup: Backup | None = Field(None, description="Daily backups in a vault of their own.")
    monthly_budget_usd: int = Field(100, ge=1, description="Spending that is told when it is near.")
    audit: bool = Field(False, description="CloudTrail and AWS Config for the account.")
    github: Repository | None = Field(
        None, description="owner/name of the repository whose workflow deploys."
    )
    tags: dict[Text, Text] = Field({}, description="Tags on everything, beside project and environment.")
