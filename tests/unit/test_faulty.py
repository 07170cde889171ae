"""The faulty connector: the same faults for the same seed, each raised once, and nothing lost by them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from greylag.connectors import faulty, memory
from greylag.connectors.memory import put
from greylag.core.flows import DatasetRef, TableSpec
from greylag.core.records import Encoded
from greylag.errors import TransientError

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.core.ports import Connector


def connection(folder: Path, *, name: str = "faulty", seed: int = 1, **faults: float) -> Connector:
    options = faulty.connector.options.model_validate(
        {"kind": "faulty", "inner": {"kind": "memory", "path": "data"}, "seed": seed, "faults": faults}
    )
    return faulty.connector.open(name, options, folder)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    put(tmp_path / "data", "things", [{"n": number} for number in range(200)])
    return tmp_path


def read(connector: Connector) -> tuple[list[Any], list[int]]:
    """The records' ids and the sizes of pages, read again from the last cursor at each fault."""
    source = connector.source()
    ids: list[Any] = []
    sizes: list[int] = []
    for partition in source.partitions("things", partition_bytes=10**6):
        cursor, ended = None, False
        while not ended:
            try:
                for page in source.read(partition, cursor, page_bytes=100):
                    cursor = page.cursor
                    sizes.append(len(page.records))
                    ids += [record.id for record in page.records]
                ended = True
            except TransientError:
                continue
    source.close()
    return ids, sizes


def test_transient_faults_strike_once_and_lose_nothing(data: Path) -> None:
    source = connection(data, transient=1).source()
    (partition,) = source.partitions("things", partition_bytes=10**6)
    with pytest.raises(TransientError):
        next(source.read(partition, None, page_bytes=100))
    assert next(source.read(partition, None, page_bytes=100)).records[0].id == 0
    source.close()
    ids, _ = read(connection(data, name="another", transient=1))
    assert ids == list(range(200))


def test_short_pages_are_the_same_each_time(data: Path) -> None:
    ids, sizes = read(connection(data, short_page=0.5))
    assert ids == list(range(200))
    assert len(set(sizes[:-1])) > 1
    assert read(connection(data, short_page=0.5)) == (ids, sizes)
    assert read(connection(data, short_page=0.5, seed=2))[1] != sizes


def test_an_unknown_outcome_has_landed(data: Path) -> None:
    target = connection(data, unknown=1).target()
    table = target.prepare(TableSpec(DatasetRef("faulty", "table"), ("pk",)))
    writer = target.writer(table)
    batch = [Encoded(b"key", b'{"pk":"a"}', 10)]
    with pytest.raises(TransientError, match="it has landed"):
        list(writer.write([batch]))
    assert memory.items(data / "data", "table") == [{"pk": "a"}]
    (delivery,) = writer.write([batch])
    assert delivery.items == 1
    assert memory.items(data / "data", "table") == [{"pk": "a"}]
    writer.close()
    target.close()


def test_throttles_and_repeats_are_told_and_raise_nothing(data: Path) -> None:
    target = connection(data, throttle=0.3, repeat=0.3).target()
    writer = target.writer(target.prepare(TableSpec(DatasetRef("faulty", "table"), ("pk",))))
    batches = [[Encoded(b"%d" % number, b'{"pk":"%d"}' % number, 10)] for number in range(50)]
    told = Counter((each.throttles, each.units) for each in writer.write(batches))
    assert {throttles for throttles, _ in told} == {0, 1}
    assert {units for _, units in told} == {1.0, 2.0}
    assert len(memory.items(data / "data", "table")) == 50
    writer.close()
    target.close()


def test_the_inner_connection_is_checked() -> None:
    for inner in ({"kind": "memory", "pat": "x"}, {"kind": "no such kind"}, "memory"):
        with pytest.raises(ValidationError):
            faulty.connector.options.model_validate({"kind": "faulty", "inner": inner})
    with pytest.raises(ValidationError):
        faulty.connector.options.model_validate(
            {"kind": "faulty", "inner": {"kind": "memory", "path": "x"}, "faults": {"throttle": 2}}
        )
