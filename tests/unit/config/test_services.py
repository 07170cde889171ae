"""The sections that say how services run on AWS: what they mean, and what does not fit together in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greylag.config import InvalidProject

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.config import Project

FILE = """\
project: shop
connections:
  dynamo: {kind: dynamodb, region: us-east-1}
tables:
  shop: {in: dynamo, key: [PK, SK], key_types: {PK: S, SK: N}, ttl: expires}
services:
  api:
    run:
      package: build/api
      runtime: python3.13
      handler: app.handler
      timeout: 20s
      uses: {tables: {shop: read}, queues: [worker], databases: [orders]}
    api:
      routes: [GET /orders]
  worker:
    run: {kind: container, image: worker, cpu: 1024, count: 2}
    queue: {fifo: true}
    cache: valkey
    assets: {lifecycle: {expire_after: {tmp/: 7d}}}
infrastructure:
  domain: example.com
  alarm_email: "${ALARM_EMAIL}"
  databases:
    orders: {kind: postgres}
  backup: {}
environments:
  prod: {infrastructure: {zones: 3}}
"""
ADDRESS = {"ALARM_EMAIL": "someone@example.com"}


def test_what_it_means(project: Callable[..., Project]) -> None:
    found = project(FILE, environ=ADDRESS)
    infrastructure = found.infrastructure
    assert infrastructure is not None
    assert (infrastructure.region, infrastructure.zones) == ("us-east-1", 2)
    assert infrastructure.backup_keep_days == 35
    assert infrastructure.databases["orders"].instance == "db.t4g.small"
    api, worker = found.service_specs["api"], found.service_specs["worker"]
    assert api.run is not None
    assert (api.run.timeout_seconds, api.run.memory_mb, api.run.tables) == (20, 256, {"shop": "read"})
    assert api.api is not None
    assert api.api.routes == ("GET /orders",)
    assert worker.run is not None
    assert (worker.run.memory_mb, worker.run.min_count, worker.run.max_count) == (2048, 2, 2)
    assert worker.queue is not None
    assert worker.queue.visibility_seconds == 180
    assert worker.cache is not None
    assert worker.cache.engine == "valkey"
    assert worker.assets is not None
    assert worker.assets.expire_after_days == {"tmp/": 7}
    [table] = found.tables.values()
    assert table.key_types == {"PK": "S", "SK": "N"}
    assert table.ttl_attribute == "expires"


def test_an_environment_lays_over_it(project: Callable[..., Project]) -> None:
    infrastructure = project(FILE, "prod", ADDRESS).infrastructure
    assert infrastructure is not None
    assert infrastructure.zones == 3


def test_the_address_of_alarms_stays_out(project: Callable[..., Project]) -> None:
    infrastructure = project(FILE, environ=ADDRESS).infrastructure
    assert infrastructure is not None
    assert infrastructure.alarm_email == "ALARM_EMAIL"
    assert ADDRESS["ALARM_EMAIL"] not in repr(infrastructure)


def test_a_project_without_it(project: Callable[..., Project], design: str) -> None:
    found = project(design, environ={"MONGODB_URI": "mongodb://one"})
    assert found.infrastructure is None
    assert found.service_specs["catalogue"].flows == ("products", "orders")
    assert found.service_specs["catalogue"].run is None


def test_routes_of_an_openapi_file(
    project: Callable[..., Project], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("api") / "openapi.yaml"
    file.write_text(
        "openapi: 3.1.0\npaths:\n  /orders: {get: {}, post: {}, summary: x}\n  /health: {get: {}}\n"
    )
    found = project(FILE.replace("routes: [GET /orders]", f"openapi: {file}"), environ=ADDRESS)
    api = found.service_specs["api"].api
    assert api is not None
    assert api.routes == ("GET /orders", "POST /orders", "GET /health")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "zones: 3",
            "zone: 3",
            "28: unknown key 'zone' in `infrastructure` of the project; did you mean 'zones'?",
        ),
        (
            "image: worker",
            "imge: worker",
            "17: unknown key 'imge' in `run` of service worker; did you mean 'image'?",
        ),
        (
            "databases: [orders]",
            "databases: [order]",
            "13: service api: `infrastructure` has no database 'order'",
        ),
        (
            "tables: {shop: read}",
            "tables: {shp: read}",
            "13: service api: there is no table 'shp'; did you mean",
        ),
        ("queues: [worker]", "queues: [api]", "13: service api: no `queue:` is in a service 'api'"),
        ("timeout: 20s", "timeout: 31s", "12: service api: an API waits 30s at most"),
        ("timeout: 20s", "timeout: 20", "12: `run.timeout` of service api should be text"),
        (
            "routes: [GET /orders]",
            "routes: [/orders]",
            "15: `api.routes.0` of service api: '/orders' is not a route",
        ),
        ("routes: [GET /orders]", "openapi: no.yaml", "15: service api: the OpenAPI file"),
        (
            "routes: [GET /orders]",
            "domain: api.example.org",
            "15: service api: api.example.org is not part of",
        ),
        (
            "      runtime: python3.13\n",
            "",
            "8: `run` of service api: a `package` needs `runtime` and `handler`",
        ),
        (
            "cpu: 1024",
            "cpu: 1024, memory_mb: 512",
            "17: service worker: `memory_mb` of a container with cpu 1024 is",
        ),
        (
            "fifo: true",
            "fifo: true, batch: 11",
            "18: service worker: a `batch` of a FIFO queue is 10 at most",
        ),
        ("fifo: true", "retention: 14d", "18: service worker: `retention` of a queue is 13d at most"),
        ("cache: valkey", "cache: memcached", "19: `cache.engine` of service worker should be"),
        (
            "expire_after: {tmp/: 7d}",
            "archive_after: 1d",
            "20: service worker: objects are archived after 30d or later",
        ),
        ('"${ALARM_EMAIL}"', "someone@example.com", "23: `alarm_email` is a reference"),
        (
            "kind: postgres",
            "kind: documentdb, proxy: true",
            "25: `infrastructure.databases.orders` of the project: RDS",
        ),
        (
            "region: us-east-1",
            "region: us-east-1, create_tables: maybe",
            "3: `create_tables` of connection dynamo",
        ),
        ("SK: N}", "SK: N, other: S}", "5: table shop: 'other' is in no key and no index"),
        ("backup: {}", "backup: {copy_to: us-east-1}", "21: region us-east-1 is the project's own already"),
    ],
)
def test_one_mistake(project: Callable[..., Project], before: str, after: str, expected: str) -> None:
    assert before in FILE
    with pytest.raises(InvalidProject) as caught:
        project(FILE.replace(before, after, 1), environ=ADDRESS)
    found = [f"{problem.line}: {problem.message}" for problem in caught.value.problems]
    assert any(each.startswith(expected) for each in found), found


def test_a_stated_type_and_a_template_agree(project: Callable[..., Project], design: str) -> None:
    stated = design.replace('indexes: {EmailIndex: {email: "{email}"}}', "key_types: {userId: S}")
    assert stated != design
    flow = next(
        each
        for each in project(stated, environ={"MONGODB_URI": "mongodb://one"}).flows
        if each.name == "users"
    )
    assert flow.table.key_types == {"userId": "S"}
    with pytest.raises(
        InvalidProject, match="makes userId of table forum-users a number, its key_types makes it"
    ):
        project(
            stated.replace('userId: "{id}"', 'userId: "{id:N}"'), environ={"MONGODB_URI": "mongodb://one"}
        )
