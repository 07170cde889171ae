"""What a project needs on AWS in one environment: which modules, and the names of everything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greylag.core.naming import prefix, slug
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.core.flows import TableSpec
    from greylag.core.services import (
        ApiSpec,
        AssetsSpec,
        CacheSpec,
        DatabaseSpec,
        InfrastructureSpec,
        QueueSpec,
        RunSpec,
        ServiceSpec,
    )

__all__ = ["ENVIRONMENTS", "MAX_NAME", "Stack", "label", "slug", "variable"]

ENVIRONMENTS = ("dev", "staging", "prod")

MAX_NAME = 36
"""Of project, environment and service together: the least that any module takes (cache/variables.tf)."""


def label(name: str) -> str:
    """`name` as a label of Terraform."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def variable(*names: str) -> str:
    """Names as one environment variable."""
    return "_".join(label(name) for name in names).upper()


@dataclass(frozen=True)
class Stack:
    """One environment of a project. `tables` are those of its DynamoDB connections, by their names."""

    project: str
    environment: str
    infrastructure: InfrastructureSpec
    services: Mapping[str, ServiceSpec]
    tables: Mapping[str, TableSpec]
    writers: Mapping[str, frozenset[str]]
    """The services whose flows write a table, by the table's name."""

    @property
    def name(self) -> str:
        """The prefix of every name."""
        return prefix(self.project, self.environment)

    def check(self) -> None:
        """Raises ConfigurationError for names that AWS or the modules would refuse."""
        for each in self.services:
            whole = f"{slug(self.project)}-staging-{slug(each)}"
            if len(whole) > MAX_NAME or not re.fullmatch(r"[a-z].*", slug(self.project)):
                raise ConfigurationError(
                    f"the names of AWS's resources begin with {whole}, which is longer than {MAX_NAME} characters"
                    " or begins with a digit",
                    advice="Give the project or the service a shorter name.",
                )
        for names, what in ((self.services, "services"), (self.tables, "tables")):
            seen: dict[str, str] = {}
            for each in names:
                if seen.setdefault(label(each), each) != each:
                    raise ConfigurationError(
                        f"the {what} {seen[label(each)]!r} and {each!r} have one name in Terraform",
                        advice="Let them differ in more than case and punctuation.",
                    )

    @property
    def functions(self) -> list[tuple[str, RunSpec]]:
        """Services whose program is a function."""
        return [(name, run) for name, run in self._programs() if run.kind == "function"]

    @property
    def containers(self) -> list[tuple[str, RunSpec]]:
        """Services whose program is a container."""
        return [(name, run) for name, run in self._programs() if run.kind == "container"]

    @property
    def apis(self) -> list[tuple[str, ApiSpec]]:
        """Services with an API."""
        return [(each.name, each.api) for each in self.services.values() if each.api is not None]

    @property
    def queues(self) -> list[tuple[str, QueueSpec]]:
        """Services with a queue."""
        return [(each.name, each.queue) for each in self.services.values() if each.queue is not None]

    @property
    def assets(self) -> list[tuple[str, AssetsSpec]]:
        """Services with a bucket."""
        return [(each.name, each.assets) for each in self.services.values() if each.assets is not None]

    @property
    def caches(self) -> list[tuple[str, CacheSpec]]:
        """Services with a cache in ElastiCache."""
        return [
            (each.name, each.cache)
            for each in self.services.values()
            if each.cache is not None and each.cache.engine != "dynamodb"
        ]

    @property
    def cache_tables(self) -> list[str]:
        """Services whose cache is a table."""
        return [
            each.name
            for each in self.services.values()
            if each.cache is not None and each.cache.engine == "dynamodb"
        ]

    @property
    def documentdb(self) -> list[DatabaseSpec]:
        """Databases of that kind."""
        return [each for each in self.infrastructure.databases.values() if each.kind == "documentdb"]

    @property
    def postgres(self) -> list[DatabaseSpec]:
        """Databases of that kind."""
        return [each for each in self.infrastructure.databases.values() if each.kind == "postgres"]

    @property
    def needs_network(self) -> bool:
        """Whether anything stands in a VPC."""
        return bool(self.containers or self.caches or self.infrastructure.databases)

    @property
    def hosts(self) -> dict[str, str]:
        """The public names: of `SERVICE` its API's, of `SERVICE-assets` its bucket's. Without a zone, none."""
        found = {}
        for each in self.services.values():
            if each.api is not None and each.api.domain is not None:
                found[each.name] = self._host(each.api.domain)
            if each.assets is not None and each.assets.domain is not None:
                found[f"{each.name}-assets"] = self._host(each.assets.domain)
        return found

    def origin_host(self, service: str) -> str:
        """The name behind CloudFront, which a load balancer's or an API's own certificate is for."""
        return self._host(f"{slug(service)}-origin.{self.infrastructure.domain}")

    def users_of(self, kind: str, name: str) -> list[str]:
        """The services with a program that use the `kind` (queues, caches, assets, databases) `name`."""
        own = {"queues": "queue", "caches": "cache", "assets": "assets"}.get(kind)
        return [
            service
            for service, run in self._programs()
            if name in getattr(run, kind)
            or (own is not None and service == name and getattr(self.services[name], own) is not None)
        ]

    def in_network(self, service: str) -> bool:
        """Whether the service's program stands in the VPC: containers do, functions that connect to something."""
        run = self.services[service].run
        if run is None:
            return False
        caches = {name for name, _ in self.caches}
        return run.kind == "container" or bool(run.databases) or bool({service, *run.caches} & caches)

    def tables_of(self, service: str) -> dict[str, str]:
        """The tables a service's program may use: "read" or "write", its own flows' to write."""
        run = self.services[service].run
        own = {name: "write" for name in self.tables if service in self.writers.get(name, ())}
        return {**(dict(run.tables) if run is not None else {}), **own}

    @property
    def images(self) -> list[str]:
        """Repositories that are made, by the names `run.image` gives."""
        return sorted(
            {run.image for _, run in self._programs() if run.image is not None and "/" not in run.image}
        )

    @property
    def packages(self) -> list[tuple[str, str]]:
        """Services whose function comes as a zip, with the folder it is made of."""
        return [(name, run.package) for name, run in self.functions if run.package is not None]

    def _programs(self) -> list[tuple[str, RunSpec]]:
        return [(each.name, each.run) for each in self.services.values() if each.run is not None]

    def _host(self, host: str) -> str:
        return host if self.environment == "prod" else f"{self.environment}-{host}"
