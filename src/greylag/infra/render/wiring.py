"""The variables that tell a program where everything is. None is a secret; secrets come by their ARN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.infra.render.access import cache_user
from greylag.infra.render.clashes import distinct
from greylag.infra.render.hcl import Raw
from greylag.infra.render.stack import label, slug, variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.core.services import RunSpec
    from greylag.infra.render.hcl import Value
    from greylag.infra.render.stack import Stack


def environment(stack: Stack, service: str) -> dict[str, Value]:
    """The program's variables, in a fixed order: stores, then databases, then secrets."""
    run = stack.services[service].run
    assert run is not None
    found = [
        *_stores(stack, service, run),
        *_databases(stack, service, run),
        *_secrets(service, run),
    ]
    distinct(
        [*(name for name, _ in found), *run.environment],
        f"two variables of service {service} have this name",
        "Rename what it comes from; docs/infrastructure.md lists the names that programs find.",
    )
    return dict(found)


def _stores(stack: Stack, service: str, run: RunSpec) -> Iterator[tuple[str, Value]]:
    for name in stack.tables_of(service):
        yield variable("table", name), Raw(f'module.dynamodb.names["{slug(name)}"]')
    for owner in (each for each in stack.cache_tables if each in (service, *run.caches)):
        yield _of(service, owner, "CACHE_TABLE"), Raw(f'module.dynamodb.names["{slug(owner)}-cache"]')
    for owner, _ in stack.queues:
        if service in stack.users_of("queues", owner):
            yield _of(service, owner, "QUEUE_URL"), Raw(f"module.queue_{label(owner)}.queue_url")
    for owner, assets in stack.assets:
        if service in stack.users_of("assets", owner):
            yield _of(service, owner, "ASSETS_BUCKET"), Raw(f"module.assets_{label(owner)}.bucket_name")
            if assets.cloudfront:
                yield _of(service, owner, "ASSETS_URL"), Raw(f"module.assets_{label(owner)}.url")
    for owner, _ in stack.caches:
        if service in stack.users_of("caches", owner):
            made = f"module.cache_{label(owner)}"
            yield _of(service, owner, "CACHE_HOST"), Raw(f"{made}.endpoint")
            yield _of(service, owner, "CACHE_PORT"), Raw(f"tostring({made}.port)")
            yield _of(service, owner, "CACHE_USER"), Raw(f'{made}.user_names["{cache_user(service)}"]')


def _databases(stack: Stack, service: str, run: RunSpec) -> Iterator[tuple[str, Value]]:
    for name in run.databases:
        database = stack.infrastructure.databases[name]
        made = f"module.{'proxy' if database.proxy else 'database'}_{label(name)}"
        yield variable(name, "host"), Raw(f"{made}.endpoint")
        yield variable(name, "port"), Raw(f"tostring({made}.port)")
        if database.kind == "postgres":
            yield variable(name, "database"), label(name)
            yield variable(name, "user"), label(service)
        elif run.kind == "function":
            yield (
                variable(name, "secret_arn"),
                Raw(f"aws_secretsmanager_secret.{label(service)}_{label(name)}.arn"),
            )


def _secrets(service: str, run: RunSpec) -> Iterator[tuple[str, Value]]:
    if run.kind == "function":
        for secret in run.secrets:
            yield (
                f"{secret}_SECRET_ARN",
                Raw(f"aws_secretsmanager_secret.{label(service)}_{label(secret)}.arn"),
            )


def _of(service: str, owner: str, name: str) -> str:
    """`name` for what is the service's own, with the owner's name before it for another's."""
    return name if service == owner else f"{variable(owner)}_{name}"
