"""What would meet a refusal only at an apply: names that AWS does not take, and names that two things would share."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from greylag.errors import ConfigurationError
from greylag.infra.render.stack import MAX_NAME, label, slug

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greylag.infra.render.stack import Stack

MAX_BUCKET = 63
"""Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""

_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}")
"""Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html"""

_CIDR_PREFIX = range(16, 21)
"""A VPC takes /16 to /28; its subnets need /20 (network/variables.tf)."""

OWN_TAGS = frozenset({"project", "environment", "managed-by"})


def refuse(stack: Stack) -> None:
    """Raises ConfigurationError for the first of them."""
    _lengths(stack)
    _tables(stack)
    _tags(stack)
    _addresses(stack)
    hosts = stack.hosts
    distinct(hosts.values(), "the domain of two services", "A name leads to one place.")


def distinct(names: Iterable[str], what: str, advice: str) -> None:
    """Raises ConfigurationError for a name that stands there twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ConfigurationError(f"{name}: {what}", advice=advice)
        seen.add(name)


def _lengths(stack: Stack) -> None:
    for each in stack.infrastructure.databases:
        whole = f"{slug(stack.project)}-staging-{slug(each)}"
        if len(whole) > MAX_NAME or not label(each)[:1].isalpha():
            raise ConfigurationError(
                f"database {each}: {whole} is longer than {MAX_NAME} characters, or {label(each)} begins with a digit",
                advice="Give the database a shorter name that begins with a letter.",
            )
    distinct(
        map(label, stack.infrastructure.databases),
        "two databases have this name in Terraform",
        "Let them differ in more than case and punctuation.",
    )
    for service, assets in stack.assets:
        whole = f"{slug(stack.project)}-staging-{assets.bucket}"
        if assets.bucket is not None and len(whole) > MAX_BUCKET:
            raise ConfigurationError(
                f"service {service}: the bucket's name {whole} is longer than {MAX_BUCKET} characters",
                advice="Give `bucket` a shorter name.",
            )


def _tables(stack: Stack) -> None:
    for name in stack.tables:
        if not _TABLE.fullmatch(name):
            raise ConfigurationError(
                f"table {name}: DynamoDB takes 3 to 255 letters, digits, _, . and -",
                advice="Give the table such a name.",
            )
    distinct(
        [*map(slug, stack.tables), *(f"{slug(each)}-cache" for each in stack.cache_tables)],
        "a table has the name that the cache of a service gets",
        "Rename one of them.",
    )


def _tags(stack: Stack) -> None:
    tags = [each.lower() for each in stack.infrastructure.tags]
    for each in tags:
        if each in OWN_TAGS or each.startswith("aws:"):
            raise ConfigurationError(
                f"tag {each}: everything has this tag already, or AWS keeps such names for itself",
                advice=f"Leave it out: {', '.join(sorted(OWN_TAGS))} are there without it.",
            )
    # Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
    distinct(tags, "two tags have this name, and IAM sees no difference in case", "Keep one of them.")


def _addresses(stack: Stack) -> None:
    cidr = stack.infrastructure.cidr
    try:
        network = IPv4Network(cidr)
    except ValueError:
        network = None
    if network is None or network.prefixlen not in _CIDR_PREFIX:
        raise ConfigurationError(
            f"`cidr` {cidr} is not the addresses of a network from /{_CIDR_PREFIX[0]} to /{_CIDR_PREFIX[-1]}",
            advice="Write one such as 10.0.0.0/16.",
        )
