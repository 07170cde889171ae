"""What things are called on AWS. Terraform and `greylag provision` give them the same names."""

from __future__ import annotations

import re

DEFAULT_ENVIRONMENT = "dev"
"""The environment in names where none was chosen."""


def slug(name: str) -> str:
    """`name` in lower-case letters, digits and single dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def prefix(project: str, environment: str) -> str:
    """What every name begins with: shop-prod."""
    return f"{slug(project)}-{environment or DEFAULT_ENVIRONMENT}"


def service_prefix(project: str, environment: str, service: str) -> str:
    """What the names of one service's things begin with: shop-prod-orders."""
    return f"{prefix(project, environment)}-{slug(service)}"


def cache_table(project: str, environment: str, service: str) -> str:
    """The table of a service's cache (modules/dynamodb: NAME-KEY)."""
    return f"{service_prefix(project, environment, service)}-cache"


def bucket(project: str, environment: str, service: str, chosen: str | None, account: str) -> str:
    """A service's bucket (modules/assets): `chosen` is the name that greylag.yaml gives."""
    if chosen is not None:
        return f"{chosen}-{environment or DEFAULT_ENVIRONMENT}"
    return f"{service_prefix(project, environment, service)}-assets-{account}"


def queue(project: str, environment: str, service: str, *, fifo: bool, dead_letters: bool = False) -> str:
    """A service's queue, or the queue of its dead letters (modules/queue)."""
    name = service_prefix(project, environment, service)
    return f"{name}{'-dead-letters' if dead_letters else ''}{'.fifo' if fifo else ''}"
