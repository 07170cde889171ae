"""What greylag.yaml says about how services run on AWS, once it has been read: plain, frozen, free of any secret.

Names of variables and secrets stand here, values never.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

Access = Literal["read", "write"]
"""What a service may do with a table or a bucket; "write" reads too."""


@dataclass(frozen=True, slots=True)
class RunSpec:
    """The program of a service: exactly one of `image` and `package` is set, and a container has an image.

    `memory_mb` and the counts have their defaults filled in. `cpu` is in units of 1/1024 vCPU. `tables` holds those
    of other services, by name.
    """

    kind: Literal["function", "container"]
    image: str | None
    package: str | None
    runtime: str | None
    handler: str | None
    architecture: str
    port: int | None
    cpu: int
    memory_mb: int
    timeout_seconds: int
    schedule: str | None
    min_count: int
    desired_count: int
    max_count: int
    reserved_concurrency: int | None
    provisioned_concurrency: int | None
    spot: bool
    command: tuple[str, ...]
    environment: tuple[str, ...]
    secrets: tuple[str, ...]
    health: str
    tables: Mapping[str, Access]
    queues: tuple[str, ...]
    caches: tuple[str, ...]
    assets: Mapping[str, Access]
    databases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CorsSpec:
    """What browsers may do from pages of other origins."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    max_age_seconds: int
    credentials: bool


@dataclass(frozen=True, slots=True)
class ApiSpec:
    """How clients reach a service. `routes` are "METHOD /path" or "$default", in order, an OpenAPI file's too."""

    routes: tuple[str, ...]
    cors: CorsSpec | None
    throttle_per_second: int
    throttle_burst: int
    websocket: bool
    domain: str | None


@dataclass(frozen=True, slots=True)
class CacheSpec:
    """A service's cache; `node` is None for a serverless one."""

    engine: Literal["valkey", "redis", "dynamodb"]
    node: str | None
    replicas: int
    max_gb: int


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """A service's queue. `visibility_seconds` is filled in: six times the timeout of what consumes it."""

    fifo: bool
    visibility_seconds: int
    retention_seconds: int
    max_receives: int
    batch: int
    delay_seconds: int


@dataclass(frozen=True, slots=True)
class AssetsSpec:
    """A service's bucket. `expire_after_days` goes by the beginning of names;
    days are None where objects stay."""

    bucket: str | None
    cloudfront: bool
    signed_urls: bool
    cors: tuple[str, ...]
    domain: str | None
    archive_after_days: int | None
    expire_after_days: Mapping[str, int]
    old_versions_after_days: int


@dataclass(frozen=True, slots=True)
class TrafficSpec:
    """What a service is asked to do, all rates a month; None where nothing is said. `low` and `high` are multiples of
    the mean that the cost is reckoned for beside it; shares are from 0 to 1.
    """

    reads: Decimal | None
    writes: Decimal | None
    items: int | None
    item_bytes: int | None
    consistent: Decimal
    requests: Decimal | None
    response_bytes: int
    milliseconds: int
    messages: Decimal | None
    message_bytes: int
    objects: int | None
    object_bytes: int
    uploads: Decimal | None
    downloads: Decimal | None
    archived: Decimal
    hit_rate: Decimal
    peak: Decimal
    low: Decimal
    high: Decimal
    tenants: int | None


@dataclass(frozen=True, slots=True)
class BudgetSpec:
    """What a service may cost, in US dollars; None where nothing is said. `now_usd` is what the old one costs."""

    monthly_usd: Decimal | None
    per_call_usd: Decimal | None
    per_tenant_usd: Decimal | None
    now_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A service: its flows by name, and how it runs on AWS as far as the file says."""

    name: str
    flows: tuple[str, ...] = ()
    run: RunSpec | None = None
    api: ApiSpec | None = None
    cache: CacheSpec | None = None
    queue: QueueSpec | None = None
    assets: AssetsSpec | None = None
    traffic: TrafficSpec | None = None
    budget: BudgetSpec | None = None


@dataclass(frozen=True, slots=True)
class DatabaseSpec:
    """A database. `serverless` holds the least and the most capacity, None where `instance` decides."""

    name: str
    kind: Literal["documentdb", "postgres"]
    version: str
    instance: str
    serverless: tuple[float, float] | None
    storage_gb: int
    max_storage_gb: int
    multi_az: bool
    replicas: int
    proxy: bool
    logical_replication: bool
    backup_days: int


@dataclass(frozen=True, slots=True)
class InfrastructureSpec:
    """What all services share. `alarm_email` is the name of the variable that holds the address."""

    region: str
    zones: int = 2
    cidr: str = "10.0.0.0/16"
    nat: Literal["gateway", "instance", "none"] = "gateway"
    domain: str | None = None
    alarm_email: str | None = None
    databases: Mapping[str, DatabaseSpec] = field(default_factory=dict)
    replicas: tuple[str, ...] = ()
    backup_keep_days: int | None = None
    backup_copy_to: str | None = None
    monthly_budget_usd: int = 100
    audit: bool = False
    github: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
