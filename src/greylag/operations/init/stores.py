"""The kinds of store that can be recognised, and by what: images, variables, addresses, constructors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MONGODB: Final = "mongodb"


@dataclass(frozen=True, slots=True)
class StoreKind:
    """One kind of store. `variables` looks at names of environment variables, `code` at lines of code."""

    kind: str
    title: str
    images: re.Pattern[str]
    variables: re.Pattern[str]
    schemes: re.Pattern[str]
    code: re.Pattern[str]


def _kind(kind: str, title: str, images: str, variables: str, schemes: str, *, code: str) -> StoreKind:
    return StoreKind(
        kind,
        title,
        re.compile(rf"(?:^|/)(?:{images})(?:[:@]|$)"),
        re.compile(rf"(?:^|_)(?:{variables})", re.IGNORECASE),
        re.compile(rf"(?<![\w+])(?:{schemes})://"),
        re.compile(code),
    )


KINDS: Final = (
    _kind(
        MONGODB,
        "MongoDB",
        r"mongo|mongodb|mongodb-community-server|percona-server-mongodb",
        r"MONGO",
        r"mongodb(?:\+srv)?",
        code=r"\bMongoClients?\b|\bmongoose\.(?:connect|createConnection)\(|\bmongo\.Connect\(|\bmongo\.NewClient\("
        r"|\bAsyncIOMotorClient\(|\bMongo::Client\b",
    ),
    _kind(
        "postgresql",
        "PostgreSQL",
        r"postgres|postgresql|postgis|timescaledb|pgvector",
        r"POSTGRES|PG(?:HOST|PORT|USER|DATABASE|PASSWORD)$",
        r"(?:jdbc:)?postgres(?:ql)?(?:\+\w+)?",
        code=r"\bpsycopg2?\.connect\(|\basyncpg\.(?:connect|create_pool)\(|\bpgx(?:pool)?\.(?:Connect|New)\b"
        r"|\bpostgres\.Open\(|sql\.Open\(\s*[\"'](?:postgres|pgx)|\brequire\([\"']pg[\"']\)|from [\"']pg[\"']",
    ),
    _kind(
        "mysql",
        "MySQL",
        r"mysql|mariadb|percona",
        r"MYSQL|MARIADB",
        r"(?:jdbc:)?(?:mysql|mariadb)(?:\+\w+)?",
        code=r"\bpymysql\.connect\(|sql\.Open\(\s*[\"']mysql|\bmysql2?\.create(?:Connection|Pool)\(|\bmysql\.Open\(",
    ),
    _kind(
        "redis",
        "Redis",
        r"redis|redis-stack|redis-stack-server|valkey|keydb",
        r"REDIS|VALKEY",
        r"(?:rediss?|valkey)",
        code=r"\bredis\.(?:Redis|StrictRedis|from_url|NewClient|NewClusterClient|ParseURL|createClient)\b|\bnew Redis\("
        r"|\b(?:require\(|from )[\"']redis[\"']",
    ),
    _kind(
        "s3",
        "MinIO/S3",
        r"minio",
        r"MINIO|S3",
        r"s3",
        code=r"\bMinio\(|\bMinio\.Client\(|\bminio\.New\(|\bnew S3(?:Client)?\("
        r"|\bboto3\.(?:client|resource)\(\s*[\"']s3",
    ),
    _kind(
        "rabbitmq",
        "RabbitMQ",
        r"rabbitmq",
        r"RABBIT|AMQP",
        r"(?:amqps?|pyamqp)",
        code=r"\bamqp\.(?:Dial|connect)\(|\bpika\.\w*Connection\b|\baio_pika\.connect",
    ),
    _kind("celery", "Celery", r"celery|flower", r"CELERY", r"celery", code=r"\bCelery\("),
    _kind(
        "kafka",
        "Kafka",
        r"kafka|cp-kafka|redpanda",
        r"KAFKA",
        r"kafka",
        code=r"\bKafka(?:Producer|Consumer)\(|\bnew Kafka\(|\bkafka\.NewReader\(",
    ),
    _kind(
        "elasticsearch",
        "Elasticsearch",
        r"elasticsearch|opensearch",
        r"ELASTIC|OPENSEARCH",
        r"elasticsearch",
        code=r"\bElasticsearch\(|\belasticsearch\.NewClient\(",
    ),
)
"""In the order in which reports name them."""

_TOOLS: Final = re.compile(
    r"(?:^|/)(?:mongo-express|adminer|pgadmin4?|redis-?commander|nginx|traefik|caddy|mailhog)(?:[:@]|$)"
)

_TITLES: Final = {each.kind: each.title for each in KINDS}


def title_of(kind: str) -> str:
    """How people call it."""
    return _TITLES[kind]


def of_image(image: str) -> str | None:
    """The kind that a container image runs."""
    return next((each.kind for each in KINDS if each.images.search(image)), None)


def is_tool(image: str) -> bool:
    """Whether a container image is neither a store nor a part of an application."""
    return _TOOLS.search(image) is not None


def of_variable(name: str, value: str = "") -> str | None:
    """The kind that an environment variable is about: its value's scheme says so, else its name."""
    found = of_address(value)
    if found is not None or "://" in value:
        return found
    return next((each.kind for each in KINDS if each.variables.search(name)), None)


def of_address(text: str) -> str | None:
    """The kind of the first address in `text`."""
    found = [(match.start(), each.kind) for each in KINDS if (match := each.schemes.search(text)) is not None]
    return min(found)[1] if found else None


def of_code(line: str) -> tuple[str, ...]:
    """The kinds whose clients a line of code makes or whose addresses it holds."""
    return tuple(each.kind for each in KINDS if each.code.search(line) or each.schemes.search(line))
