"""The connector on DynamoDB Local: what the real engine takes, returns and counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greylag.connectors.dynamodb import DynamoDBOptions, connector
from greylag.connectors.dynamodb.target import DynamoDBTarget
from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
from greylag.core.ports import TableInfo
from greylag.core.records import Encoded, Item, Refused
from greylag.core.values import Document, Int64, ObjectId, identical
from greylag.errors import AuthenticationError, ConfigurationError, SchemaError
from tests.property.strategies import documents
from tests.property.test_dynamodb_codec import legal_names

if TYPE_CHECKING:
    from greylag.connectors.dynamodb.codec import DynamoDBCodec

Open = Callable[..., DynamoDBTarget]


@pytest.fixture
def open_target(dynamodb_endpoint: str) -> Iterator[Open]:
    opened: list[DynamoDBTarget] = []

    def open_(**options: Any) -> DynamoDBTarget:
        given = {"region": "us-east-1", "endpoint_url": dynamodb_endpoint, "create_tables": True, **options}
        target = connector.open("dynamo", DynamoDBOptions(**given), Path()).target()
        assert isinstance(target, DynamoDBTarget)
        opened.append(target)
        return target

    yield open_
    for each in opened:
        each.close()


@pytest.fixture
def client(dynamodb_endpoint: str) -> Iterator[Any]:
    """boto3 alone."""
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=dynamodb_endpoint)
    yield client
    client.close()


def spec(table: str, key: tuple[str, ...] = ("PK",), types: str = "S", **options: Any) -> TableSpec:
    key_types = dict(zip(key, types, strict=True)) | options.pop("key_types", {})
    return TableSpec(DatasetRef("dynamo", table), key, key_types=key_types, **options)


def codec(target: DynamoDBTarget, info: TableInfo, family: str = "bson", **flow: Any) -> DynamoDBCodec:
    source = DatasetRef("mongo", "c")
    return target.codec(FlowSpec("flow", "service", source, spec(info.name), **flow), info, family)


def write(target: DynamoDBTarget, info: TableInfo, encoded: list[Encoded]) -> list[tuple[int, str]]:
    """All of it; what was refused, by place."""
    writer = target.writer(info)
    try:
        refused = []
        batches = [encoded[at : at + writer.batch_items] for at in range(0, len(encoded), writer.batch_items)]
        for at, delivery in enumerate(writer.write(batches)):
            refused += [(at * writer.batch_items + place, reason) for place, reason in delivery.refused]
        return refused
    finally:
        writer.close()


def scanned(target: DynamoDBTarget, table: str, count: int = 1) -> dict[bytes, bytes]:
    found = [
        stored
        for segment in target.segments(table, count=count)
        for page in target.scan(segment)
        for stored in page
    ]
    assert len({each.key for each in found}) == len(found)
    return dict(found)


def test_what_is_written_is_read_back_equal(open_target: Open, table_prefix: str) -> None:
    target = open_target()
    info = target.prepare(spec(f"{table_prefix}t", ("PK", "SK"), "SN"))
    one = codec(target, info)
    items = [
        Item(
            {
                "PK": f"p{at % 9}",
                "SK": at,
                "id": ObjectId(bytes([at % 256] * 12)),
                "x": [Int64(1), 1.5],
                "e": "x" * 900,
            }
        )
        for at in range(3000)
    ]  # over a megabyte, so that a scan has several pages
    assert write(target, info, [one.encode(each) for each in items]) == []
    expected = {each.key: each.body for each in map(one.canonical, items)}
    assert scanned(target, info.name) == expected
    assert scanned(target, info.name, 4) == expected
    keys = [one.key(body) for body in list(expected.values())[:250]]
    fetched = dict(target.fetch(info, [*keys, *keys, {"PK": "none", "SK": 0}]))
    assert fetched == dict(list(expected.items())[:250])
    assert target.delete(info, keys) == 250
    assert list(target.fetch(info, keys)) == []
    assert scanned(target, info.name) == dict(list(expected.items())[250:])


@pytest.mark.parametrize("keep_order", [False, True], ids=["unordered", "ordered"])
@pytest.mark.parametrize("family", ["bson", "json"])
def test_generated_documents_come_back_identical(
    family: str, keep_order: bool, open_target: Open, table_prefix: str
) -> None:
    target = open_target(connections=1)
    info = target.prepare(spec(f"{table_prefix}t"))
    one = codec(target, info, family, numbers="string", keep_order=keep_order)
    found: list[Document] = []

    @settings(max_examples=100, deadline=None)
    @given(documents(family).map(legal_names))
    def collect(document: Document) -> None:
        found.append(document)

    collect()
    items = [Item({**each, "PK": f"{at}"}) for at, each in enumerate(found)]
    assert write(target, info, [one.encode(each) for each in items]) == []
    expected = {each.key: (each.body, item) for item, each in ((item, one.canonical(item)) for item in items)}
    stored = scanned(target, info.name)
    assert stored.keys() == expected.keys()
    for key, body in stored.items():
        assert body == expected[key][0]
        assert identical(one.decode(body), expected[key][1].attributes, ordered=keep_order)


_NUMBERS = st.one_of(
    st.integers(-(10**38) + 1, 10**38 - 1),
    st.builds(
        lambda digits, exponent: Decimal(digits).scaleb(exponent),
        st.integers(-(10**9), 10**9),
        st.integers(-130, 116),
    ),
)


def test_sizes_are_dynamodbs_own(open_target: Open, table_prefix: str, client: Any) -> None:
    """An item that DynamoDB charges one unit for has at most 1024 bytes; with one byte more it is two units."""
    target = open_target()
    info = target.prepare(spec(f"{table_prefix}t"))
    one = codec(target, info, "json", numbers="string")

    def units(attributes: Document) -> float:
        item = orjson.loads(one.encode(Item(attributes)).body)
        client.delete_item(TableName=info.name, Key={"PK": item["PK"]})
        told = client.put_item(TableName=info.name, Item=item, ReturnConsumedCapacity="TOTAL")
        return float(told["ConsumedCapacity"]["CapacityUnits"])

    @settings(max_examples=40, deadline=None)
    @given(st.dictionaries(st.text("abé", min_size=1, max_size=3), _NUMBERS | st.lists(_NUMBERS | st.none())))
    def check(fields: dict[str, Any]) -> None:
        size = one.encode(Item({"PK": "k", **fields, "pad": ""})).size_bytes
        pad = 1024 - size
        if pad < 0:
            return
        assert units({"PK": "k", **fields, "pad": "x" * pad}) == 1
        assert units({"PK": "k", **fields, "pad": "x" * (pad + 1)}) == 2

    check()


_LONGEST = 409_600 - 4


@pytest.mark.parametrize(
    ("most", "beyond"),
    [
        ("x" * _LONGEST, "x" * (_LONGEST + 1)),
        (Decimal("9.9999999999999999999999999999999999999E+125"), Decimal("1E+126")),
        (Decimal("-1E-130"), Decimal("-9.9E-131")),
        (12345678901234567890123456789012345678, 123456789012345678901234567890123456789),
        (
            Decimal("0.00012345678901234567890123456789012345678"),
            Decimal("1.23456789012345678901234567890123456789"),
        ),
    ],
    ids=["400 KB", "largest", "smallest", "38 digits", "38 places"],
)
def test_limits_are_dynamodbs_own(most: Any, beyond: Any, open_target: Open, table_prefix: str) -> None:
    """DynamoDB Local takes what we allow, and refuses what we refuse."""
    target = open_target()
    info = target.prepare(spec(f"{table_prefix}t"))
    one = codec(target, info, "json")
    encoded = one.canonical(Item({"PK": "k", "a": most}))
    assert write(target, info, [encoded]) == []
    assert scanned(target, info.name) == {encoded.key: encoded.body}
    with pytest.raises(Refused):
        one.encode(Item({"PK": "k", "a": beyond}))
    wire = {"S" if isinstance(beyond, str) else "N": str(beyond)}
    [(place, reason)] = write(target, info, [Encoded(b"", orjson.dumps({"PK": {"S": "k"}, "a": wire}), 1)])
    assert place == 0
    assert "ValidationException" in reason


@pytest.mark.parametrize("levels", [30, 31])
def test_nesting_is_dynamodbs_own(levels: int, open_target: Open, table_prefix: str) -> None:
    target = open_target()
    info = target.prepare(spec(f"{table_prefix}t"))
    one = codec(target, info)
    leaves: list[Any] = ["x", [], {}]
    for leaf in leaves:
        value: Any = leaf
        wire: Any = {"S": "x"} if leaf == "x" else {"L": []} if leaf == [] else {"M": {}}
        for _ in range(levels):
            value, wire = [value], {"L": [wire]}
        raw = Encoded(b"", orjson.dumps({"PK": {"S": "k"}, "a": wire}), 1)
        try:
            one.encode(Item({"PK": "k", "a": value}))
            refused = False
        except Refused:
            refused = True
        assert bool(write(target, info, [raw])) is refused
        assert refused is (levels == 31 and leaf != "x")


def test_tables_are_created_and_described(open_target: Open, table_prefix: str) -> None:
    target = open_target()
    target.check()
    wanted = spec(
        f"{table_prefix}t",
        ("PK", "SK"),
        "SN",
        indexes={"ByOwner": ("owner", "SK"), "ByHash": ("hash",)},
        key_types={"owner": "S", "hash": "B"},
        ttl_attribute="expires",
    )
    assert target.describe(wanted.ref.dataset) is None
    info = target.prepare(wanted)
    assert (info.key, dict(info.indexes)) == (("PK", "SK"), dict(wanted.indexes))
    assert info.key_types == {"PK": "S", "SK": "N", "owner": "S", "hash": "B"}
    assert info.ttl_attribute == "expires"
    assert target.prepare(wanted) == target.describe(info.name) == info


def test_another_table_of_the_same_name_is_another_table(
    open_target: Open, table_prefix: str, client: Any
) -> None:
    target = open_target()
    first = target.prepare(spec(f"{table_prefix}t"))
    client.delete_table(TableName=first.name)
    assert target.prepare(spec(f"{table_prefix}t")).identity != first.identity


def test_a_missing_table_tells_both_ways_on(open_target: Open, table_prefix: str) -> None:
    with pytest.raises(SchemaError, match="does not exist") as caught:
        open_target(create_tables=False).prepare(spec(f"{table_prefix}t", indexes={"ByA": ("a",)}))
    assert "create_tables: true" in caught.value.advice
    assert "index ByA (a)" in caught.value.advice


def test_every_difference_is_told_at_once(open_target: Open, table_prefix: str) -> None:
    target = open_target()
    target.prepare(spec(f"{table_prefix}t", indexes={"One": ("a",)}, key_types={"a": "S"}))
    with pytest.raises(SchemaError) as caught:
        target.prepare(
            spec(
                f"{table_prefix}t",
                ("PK", "SK"),
                "NS",
                indexes={"One": ("b",), "Two": ("a",)},
                key_types={"a": "N"},
            )
        )
    for told in (
        "its key is PK, not PK, SK",
        "index One has the key a, not b",
        "no index Two",
        "a is of type S, not N",
    ):
        assert told in caught.value.message


def test_other_indexes_may_be_there_and_their_types_count(open_target: Open, table_prefix: str) -> None:
    target = open_target()
    target.prepare(spec(f"{table_prefix}t", indexes={"ByA": ("a",)}, key_types={"a": "N"}))
    info = target.prepare(spec(f"{table_prefix}t"))
    with pytest.raises(Refused, match="key of index ByA, a is of type S"):
        codec(target, info).encode(Item({"PK": "k", "a": "x"}))


def test_types_that_nobody_states(open_target: Open, table_prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="the type of a, b is not known"):
        open_target().prepare(spec(f"{table_prefix}t", indexes={"ByA": ("a", "b")}))


def test_time_to_live_is_turned_on_only_where_allowed(open_target: Open, table_prefix: str) -> None:
    open_target().prepare(spec(f"{table_prefix}t"))
    wanted = spec(f"{table_prefix}t", ttl_attribute="expires")
    with pytest.raises(SchemaError, match="expires items by no attribute"):
        open_target(create_tables=False).prepare(wanted)
    assert open_target().prepare(wanted).ttl_attribute == "expires"
    with pytest.raises(SchemaError, match=r"expires items by expires, greylag\.yaml says other"):
        open_target().prepare(spec(f"{table_prefix}t", ttl_attribute="other"))


def test_moto_gives_back_the_same_bytes(moto_endpoint: str, table_prefix: str, open_target: Open) -> None:
    """moto echoes numbers as they were sent, and tells other units than it should."""
    target = open_target(endpoint_url=moto_endpoint)
    info = target.prepare(spec(f"{table_prefix}t"))
    one = codec(target, info, "json")
    items = [Item({"PK": f"{at}", "n": Decimal("1.50"), "l": [{"x": 10**30}]}) for at in range(60)]
    encoded = [one.encode(each) for each in items]
    writer = target.writer(info)
    try:
        deliveries = list(writer.write([encoded[:25], encoded[25:50], encoded[50:]]))
    finally:
        writer.close()
    assert [each.units for each in deliveries] == [25, 25, 10]
    assert scanned(target, info.name) == {each.key: each.body for each in map(one.canonical, items)}
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=moto_endpoint)
    odd: Any = {"PK": {"S": "0"}, "n": {"N": "1.50"}, "l": {"L": [{"M": {"x": {"N": "1E+30"}}}]}}
    client.put_item(TableName=info.name, Item=odd)
    client.close()
    assert scanned(target, info.name)[
        b"S1:0"
    ] == b'{"PK":{"S":"0"},"l":{"L":[{"M":{"x":{"N":"1' + b"0" * 30 + (b'"}}}]},"n":{"N":"1.5"}}')


def test_no_source_yet() -> None:
    opened = connector.open("dynamo", DynamoDBOptions(region="us-east-1"), Path())
    with pytest.raises(ConfigurationError, match="not in this version"):
        opened.source()


def test_credentials_are_needed_but_not_for_a_server_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    table = TableInfo("t", "id", ("PK",), {}, {"PK": "S"})
    away = connector.open("dynamo", DynamoDBOptions(region="us-east-1"), Path()).target()
    for connect in (away.check, lambda: away.writer(table)):
        with pytest.raises(AuthenticationError, match="no AWS credentials"):
            connect()
    for url in ("http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"):
        here = connector.open(
            "dynamo", DynamoDBOptions(region="us-east-1", endpoint_url=url), Path()
        ).target()
        here.writer(table).close()
        here.close()


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x", "http://user:secret@x", "http://"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        DynamoDBOptions(endpoint_url=url)
