"""From the sections of services and `infrastructure:` to what they mean, and what does not fit together in them."""

from __future__ import annotations

import re
from math import ceil
from typing import TYPE_CHECKING, Any

from greylag.config.openapi import routes_of
from greylag.config.section import duration_seconds
from greylag.config.traffic import rate
from greylag.core.nearest import did_you_mean
from greylag.core.services import (
    ApiSpec,
    AssetsSpec,
    BudgetSpec,
    CacheSpec,
    CorsSpec,
    DatabaseSpec,
    InfrastructureSpec,
    QueueSpec,
    RunSpec,
    ServiceSpec,
    TrafficSpec,
)
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from greylag.config.findings import Findings
    from greylag.config.infrastructure import Api, Assets, Database, Queue, Run
    from greylag.config.model import ProjectFile, Service
    from greylag.config.traffic import Traffic
    from greylag.config.tree import Node, Step

MAX_FUNCTION_SECONDS = 900
"""Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

MAX_HTTP_API_SECONDS = 30
"""Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"""

MAX_VISIBILITY_SECONDS = 43_200
MAX_RETENTION_SECONDS = 13 * 86_400
MAX_DELAY_SECONDS = 900
"""Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html

Of the 14 days that SQS keeps a message a day is left for its dead letters: a message keeps its first date.
"""

VISIBILITY_TIMES_TIMEOUT = 6
"""Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""

FIFO_BATCH = 10
"""The most messages of a FIFO queue a function gets at once.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
"""

ARCHIVE_AFTER_DAYS = 30
"""Objects stay at least so long before S3 moves them to infrequent access.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
"""

_DAY = 86_400
_CONTAINER_MEMORY_MB = {
    256: (512, 2048),
    512: (1024, 4096),
    1024: (2048, 8192),
    2048: (4096, 16_384),
    4096: (8192, 30_720),
    8192: (16_384, 61_440),
    16_384: (32_768, 122_880),
}
"""The least and the most memory by processor units.

Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
"""
_FUNCTION_MEMORY_MB = 256
_FUNCTION_MEMORY_MOST_MB = 10_240
_VERSIONS = {"postgres": "17", "documentdb": "8.0.0"}
_INSTANCES = {"postgres": "db.t4g.small", "documentdb": "db.t4g.medium"}
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-[^}]*)?\}")


def resolve_services(
    file: ProjectFile, tables: Collection[str], root: Path, findings: Findings
) -> dict[str, ServiceSpec]:
    """The services by name. `tables` are the names of the project's tables; what does not fit is a finding."""
    resolver = _Resolver(file, tables, root, findings)
    return {name: resolver.service(name, service) for name, service in file.services.items()}


def resolve_infrastructure(
    file: ProjectFile, written: Node, region: str | None, findings: Findings
) -> InfrastructureSpec | None:
    """What `infrastructure:` says; None where there is none. `written` is the file before variables were put in, and
    `region` that of the first DynamoDB connection.
    """
    section = file.infrastructure
    if section is None:
        return None
    place: tuple[Step, ...] = ("infrastructure",)
    if section.region is None and region is None:
        findings.add(place, "`infrastructure` needs `region`: no connection of kind dynamodb names one")
    own = section.region or region or ""
    for name in [*section.replicas, *([section.backup.copy_to] if section.backup is not None else [])]:
        if name == own:
            findings.add(
                place, f"region {name} is the project's own already; `replicas` and `copy_to` name others"
            )
    return InfrastructureSpec(
        region=own,
        zones=section.zones,
        cidr=section.cidr,
        nat=section.nat,
        domain=section.domain,
        alarm_email=_reference(written, findings),
        databases={name: _database(name, each) for name, each in section.databases.items()},
        replicas=section.replicas,
        backup_keep_days=_days(section.backup.keep) if section.backup is not None else None,
        backup_copy_to=section.backup.copy_to if section.backup is not None else None,
        monthly_budget_usd=section.monthly_budget_usd,
        audit=section.audit,
        github=section.github,
        tags=section.tags,
    )


def _reference(written: Node, findings: Findings) -> str | None:
    """The name of the variable that holds the address: one person's address is nothing for a repository."""
    path = ("infrastructure", "alarm_email")
    node = written.entries["infrastructure"].entries.get("alarm_email")
    if node is None or node.value is None:
        return None
    match = _REFERENCE.fullmatch(str(node.value))
    if match is None:
        findings.add(path, "`alarm_email` is a reference, so that no address is in the files: ${ALARM_EMAIL}")
        return None
    return match[1]


def _database(name: str, database: Database) -> DatabaseSpec:
    serverless = database.serverless
    return DatabaseSpec(
        name=name,
        kind=database.kind,
        version=database.version or _VERSIONS[database.kind],
        instance=database.instance or _INSTANCES[database.kind],
        serverless=(serverless.min, serverless.max) if serverless is not None else None,
        storage_gb=database.storage_gb,
        max_storage_gb=max(database.max_storage_gb, database.storage_gb),
        multi_az=database.multi_az,
        replicas=database.replicas,
        proxy=database.proxy,
        logical_replication=database.logical_replication,
        backup_days=_days(database.backup),
    )


def _days(text: str) -> int:
    return ceil(duration_seconds(text) / _DAY)


class _Resolver:
    def __init__(self, file: ProjectFile, tables: Collection[str], root: Path, findings: Findings) -> None:
        self._file = file
        self._tables = tables
        self._root = root
        self._findings = findings

    @property
    def _domain(self) -> str | None:
        return self._file.infrastructure.domain if self._file.infrastructure is not None else None

    def service(self, name: str, service: Service) -> ServiceSpec:
        """What one service means."""
        place: tuple[Step, ...] = ("services", name)
        if service.api is not None and service.run is None:
            self._findings.add((*place, "api"), f"service {name} has an `api` but no `run` that answers")
        return ServiceSpec(
            name=name,
            flows=tuple(service.flows),
            run=self._run(name, service, service.run) if service.run is not None else None,
            api=self._api(name, service, service.api) if service.api is not None else None,
            cache=CacheSpec(
                service.cache.engine, service.cache.node, service.cache.replicas, service.cache.max_gb
            )
            if service.cache is not None
            else None,
            queue=self._queue(name, service, service.queue) if service.queue is not None else None,
            assets=self._assets(name, service.assets) if service.assets is not None else None,
            traffic=self._traffic(name, service.traffic) if service.traffic is not None else None,
            budget=BudgetSpec(**dict(service.budget)) if service.budget is not None else None,
        )

    def _traffic(self, name: str, traffic: Traffic) -> TrafficSpec:
        if traffic.low > traffic.high:
            self._findings.add(
                ("services", name, "traffic", "low"), f"service {name}: `low` of its traffic is above `high`"
            )
        rates = ("reads", "writes", "requests", "messages", "uploads", "downloads")
        said: dict[str, Any] = dict(traffic)
        monthly = {key: rate(said[key]) for key in rates if said[key] is not None}
        return TrafficSpec(**{**said, **monthly})

    def _run(self, name: str, service: Service, run: Run) -> RunSpec:
        place, owner = ("services", name, "run"), f"service {name}"
        timeout = duration_seconds(run.timeout)
        if run.kind == "function" and timeout > MAX_FUNCTION_SECONDS:
            self._findings.add((*place, "timeout"), f"{owner}: a function's `timeout` is 15m at most")
        if run.kind == "container" and service.api is not None and run.port is None:
            self._findings.add(place, f"{owner}: a container with an `api` needs the `port` it listens on")
        uses = run.uses
        self._known(uses.tables, self._tables, (*place, "uses", "tables"), f"{owner}: there is no table")
        for key, names in (("queues", uses.queues), ("caches", uses.caches), ("assets", tuple(uses.assets))):
            section = {"queues": "queue", "caches": "cache"}.get(key, key)
            having = [
                each for each, other in self._file.services.items() if getattr(other, section) is not None
            ]
            self._known(names, having, (*place, "uses", key), f"{owner}: no `{section}:` is in a service")
        databases = self._file.infrastructure.databases if self._file.infrastructure is not None else {}
        self._known(
            uses.databases,
            databases,
            (*place, "uses", "databases"),
            f"{owner}: `infrastructure` has no database",
        )
        both = sorted({*run.environment} & {*run.secrets})
        if both:
            self._findings.add((*place, "secrets"), f"{owner}: {both[0]} is in `environment` and `secrets`")
        return RunSpec(
            kind=run.kind,
            image=run.image,
            package=run.package,
            runtime=run.runtime,
            handler=run.handler,
            architecture=run.architecture,
            port=run.port,
            cpu=run.cpu,
            memory_mb=self._memory_mb(name, run),
            timeout_seconds=timeout,
            schedule=run.schedule,
            min_count=run.count.min,
            desired_count=run.count.min if run.count.desired is None else run.count.desired,
            max_count=run.count.max,
            reserved_concurrency=run.concurrency.reserved,
            provisioned_concurrency=run.concurrency.provisioned,
            spot=run.spot,
            command=run.command,
            environment=run.environment,
            secrets=run.secrets,
            health=run.health,
            tables=uses.tables,
            queues=uses.queues,
            caches=uses.caches,
            assets=uses.assets,
            databases=uses.databases,
        )

    def _memory_mb(self, name: str, run: Run) -> int:
        if run.kind == "function":
            least, most, default = 128, _FUNCTION_MEMORY_MOST_MB, _FUNCTION_MEMORY_MB
        else:
            least, most = _CONTAINER_MEMORY_MB[run.cpu]
            default = least
        memory = default if run.memory_mb is None else run.memory_mb
        if not least <= memory <= most:
            with_cpu = f" with cpu {run.cpu}" if run.kind == "container" else ""
            self._findings.add(
                ("services", name, "run", "memory_mb"),
                f"service {name}: `memory_mb` of a {run.kind}{with_cpu} is {least} to {most}",
            )
        return memory

    def _known(
        self, names: Iterable[str], known: Collection[str], path: tuple[Step, ...], message: str
    ) -> None:
        for name in names:
            if name not in known:
                hint = did_you_mean(name, known)
                self._findings.add((*path, name), f"{message} {name!r}{hint}")

    def _api(self, name: str, service: Service, api: Api) -> ApiSpec:
        place, owner = ("services", name, "api"), f"service {name}"
        routes = api.routes
        if api.openapi is not None:
            try:
                routes = routes_of(self._root / api.openapi)
            except ConfigurationError as error:
                self._findings.add((*place, "openapi"), f"{owner}: {error.message}")
        run = service.run
        if run is not None and run.kind == "function":
            if not routes and api.openapi is None and not api.websocket:
                self._findings.add(place, f"{owner}: `api` needs `routes`, `openapi` or `websocket: true`")
            if routes and duration_seconds(run.timeout) > MAX_HTTP_API_SECONDS:
                self._findings.add(
                    ("services", name, "run", "timeout"),
                    f"{owner}: an API waits {MAX_HTTP_API_SECONDS}s at most; let a queue take what takes longer",
                )
        if run is not None and run.kind == "container" and not self._domain:
            self._findings.add(
                place,
                f"{owner}: a container's load balancer needs a certificate: give `domain` of `infrastructure:`",
            )
        if api.websocket and run is not None and run.kind == "container":
            self._findings.add(
                (*place, "websocket"),
                f"{owner}: `websocket` is for functions; a container takes WebSockets on its own port",
            )
        cors = None
        if api.cors is not None:
            if api.cors.credentials and "*" in api.cors.origins:
                self._findings.add(
                    (*place, "cors"), f"{owner}: cookies go to no origin that is `*`; name the origins"
                )
            cors = CorsSpec(
                api.cors.origins,
                api.cors.methods,
                api.cors.headers,
                duration_seconds(api.cors.max_age),
                api.cors.credentials,
            )
        self._within_domain(api.domain, (*place, "domain"), owner)
        return ApiSpec(routes, cors, api.throttle.per_second, api.throttle.burst, api.websocket, api.domain)

    def _queue(self, name: str, service: Service, queue: Queue) -> QueueSpec:
        place, owner = ("services", name, "queue"), f"service {name}"
        run = service.run
        consumed = run is not None and run.kind == "function"
        timeout = duration_seconds(run.timeout) if run is not None and consumed else 30
        least = VISIBILITY_TIMES_TIMEOUT * timeout
        visibility = duration_seconds(queue.visibility) if queue.visibility is not None else least
        if consumed and visibility < least:
            self._findings.add(
                (*place, "visibility"),
                f"{owner}: `visibility` is at least six times the timeout of its function: {least}s",
            )
        retention = duration_seconds(queue.retention)
        delay = duration_seconds(queue.delay) if queue.delay is not None else 0
        for key, value, most, words in (
            ("visibility", visibility, MAX_VISIBILITY_SECONDS, "12h"),
            ("retention", retention, MAX_RETENTION_SECONDS, "13d"),
            ("delay", delay, MAX_DELAY_SECONDS, "15m"),
        ):
            if value > most:
                self._findings.add((*place, key), f"{owner}: `{key}` of a queue is {words} at most")
        if queue.fifo and queue.batch > FIFO_BATCH:
            self._findings.add(
                (*place, "batch"), f"{owner}: a `batch` of a FIFO queue is {FIFO_BATCH} at most"
            )
        return QueueSpec(queue.fifo, visibility, retention, queue.max_receives, queue.batch, delay)

    def _assets(self, name: str, assets: Assets) -> AssetsSpec:
        place, owner = ("services", name, "assets"), f"service {name}"
        lifecycle = assets.lifecycle
        archive = _days(lifecycle.archive_after) if lifecycle.archive_after is not None else None
        expire = {prefix: _days(after) for prefix, after in lifecycle.expire_after.items()}
        if archive is not None and archive < ARCHIVE_AFTER_DAYS:
            self._findings.add(
                (*place, "lifecycle", "archive_after"), f"{owner}: objects are archived after 30d or later"
            )
        if not assets.cloudfront and (assets.signed_urls or assets.domain is not None):
            self._findings.add(
                place, f"{owner}: `signed_urls` and `domain` of a bucket need `cloudfront: true`"
            )
        self._within_domain(assets.domain, (*place, "domain"), owner)
        return AssetsSpec(
            assets.bucket,
            assets.cloudfront,
            assets.signed_urls,
            assets.cors,
            assets.domain,
            archive,
            expire,
            _days(lifecycle.old_versions_after),
        )

    def _within_domain(self, host: str | None, path: tuple[Step, ...], owner: str) -> None:
        if host is None:
            return
        domain = self._domain
        if domain is None:
            self._findings.add(
                path, f"{owner}: `domain` needs the `domain` of `infrastructure:` it is part of"
            )
        elif host != domain and not host.endswith(f".{domain}"):
            self._findings.add(path, f"{owner}: {host} is not part of the project's domain {domain}")


def region_of(connections: Mapping[str, Node]) -> str | None:
    """The region of the first DynamoDB connection."""
    for node in connections.values():
        kind, region = node.entries.get("kind"), node.entries.get("region")
        if (
            kind is not None
            and kind.value == "dynamodb"
            and region is not None
            and isinstance(region.value, str)
        ):
            return region.value
    return None
