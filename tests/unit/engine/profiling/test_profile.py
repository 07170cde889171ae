"""Profiles of hand-made datasets where the right answer is known."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from greylag.connectors import memory
from greylag.connectors.memory import MemoryConnector
from greylag.core.profile import DatasetProfile, FieldProfile, KeyCandidate
from greylag.core.records import Page, Record
from greylag.core.values import Document, Int64, ObjectId
from greylag.engine.profiling import fields as fields_module
from greylag.engine.profiling import profile as profile_module
from greylag.engine.profiling.profile import profile
from greylag.engine.profiling.reading import Subject
from greylag.engine.profiling.tally import Tally, levels
from greylag.engine.profiling.target import Holds
from tests.inline import Inline

if TYPE_CHECKING:
    from pathlib import Path


def profiled(
    folder: Path,
    records: list[Document | bytes],
    *,
    family: str = "json",
    sample: int | None = None,
    holds: Holds | None = None,
) -> DatasetProfile:
    memory.put(folder / "data", "things", records, family=family)
    connector = MemoryConnector("memory", folder / "data", family)
    subject = Subject("things", "memory", connector, connector.source().describe("things"))
    [found] = profile(
        [subject],
        executor=Inline(),
        folder=folder / "work",
        observe=lambda _: None,
        sample=sample,
        holds=holds,
    )
    assert not (folder / "work").exists()
    return found


def field(found: DatasetProfile, path: str) -> FieldProfile:
    return next(each for each in found.fields if each.path == path)


def test_types_presence_and_examples(tmp_path: Path) -> None:
    found = profiled(
        tmp_path,
        [
            {"a": 1, "b": "x", "c": {"d": True}},
            {"a": "1", "b": None, "c": {"d": False, "e": 2}},
            {"a": Decimal("1.5"), "c": []},
            b"\xff",
        ],
    )
    assert (found.records_read, found.unreadable, found.whole) == (4, 1, True)
    assert field(found, "a") == FieldProfile(
        "a",
        3,
        0,
        {"decimal": 1, "int": 1, "string": 1},
        3,
        {"decimal": "1.5", "int": "1", "string": "1"},
        longest=1,
    )
    assert field(found, "a").mixed
    assert (field(found, "b").missing, field(found, "b").types) == (1, {"null": 1, "string": 1})
    assert not field(found, "b").mixed
    assert field(found, "c").types == {"array": 1, "document": 2}
    assert (field(found, "c.d").missing, field(found, "c.e").missing) == (0, 1)


def test_arrays_are_looked_into(tmp_path: Path) -> None:
    found = profiled(tmp_path, [{"tags": ["a", "b"], "items": [{"p": 1}, {"q": [[2]]}]}, {"tags": []}])
    assert {each.path: each.records for each in found.fields} == {
        "items": 1,
        "items[]": 2,
        "items[].p": 1,
        "items[].q": 1,
        "items[].q[]": 1,
        "items[].q[][]": 1,
        "tags": 2,
        "tags[]": 2,
    }
    assert field(found, "tags[]").distinct is None


def test_candidate_keys(tmp_path: Path) -> None:
    records: list[Document | bytes] = [
        {
            "id": number,
            "email": f"u{number}@example.org",
            "mixed": number if number % 2 else str(number),
            "sometimes": number,
            "price": Decimal(f"{number}.5"),
            "group": number % 10,
            "in": {"side": f"s{number}"},
            "nearly": f"n{min(number, 997)}",
        }
        for number in range(1000)
    ]
    del records[7]["sometimes"]  # type: ignore[union-attr]
    found = profiled(tmp_path, records)
    assert found.keys == (
        KeyCandidate("email", "string", 0, proven=True),
        KeyCandidate("id", "int", 0, proven=True),
        KeyCandidate("in.side", "string", 0, proven=True),
        KeyCandidate("nearly", "string", 3, proven=False),
    )


def test_a_sample_proves_nothing(tmp_path: Path) -> None:
    found = profiled(tmp_path, [{"id": number} for number in range(500)], sample=50)
    assert not found.whole
    assert found.bias
    assert found.records_total == 500
    assert 25 <= found.records_read <= 100
    assert [(each.path, each.proven) for each in found.keys] == [("id", False)]


def test_what_the_source_keeps_unique_needs_no_proof(tmp_path: Path) -> None:
    records: list[Document | bytes] = [{"_id": ObjectId(b"%012d" % each), "a": each} for each in range(500)]
    found = profiled(tmp_path, records, family="bson", sample=50)
    assert found.keys[0] == KeyCandidate("_id", "objectId", 0, proven=True)


@pytest.mark.parametrize("place", [0, 500, 29_999])
def test_one_value_planted_twice_is_found_wherever_it_stands(
    tmp_path: Path, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile_module, "PARTITION_BYTES", 50_000)
    records: list[Document | bytes] = [{"code": f"c{number}"} for number in range(30_000)]
    records[place] = {"code": "c17"}
    found = profiled(tmp_path, records)
    assert found.records_read == 30_000
    assert found.keys == (KeyCandidate("code", "string", 2, proven=False),)


def test_a_document_with_many_names_is_a_map(tmp_path: Path) -> None:
    records: list[Document | bytes] = [{"by": {f"k{number}": {"n": number}}} for number in range(300)]
    found = profiled(tmp_path, records)
    assert [(each.path, each.records, each.missing) for each in found.fields] == [
        ("by", 300, 0),
        ("by.*", 300, 0),
        ("by.*.n", 300, 0),
    ]


def test_fields_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields_module, "FIELDS", 5)
    found = profiled(tmp_path, [{"a": {"b": 1, "c": {"d": 1, "e": 2}}, "f": 1}, {"g": [1]}])
    assert [each.path for each in found.fields] == ["a", "f", "g"]
    assert found.fields_left_out


def test_numbers_and_sizes_beyond_the_target(tmp_path: Path) -> None:
    holds = Holds(
        item_bytes=1000,
        near_bytes=500,
        measured_bytes=400,
        levels=3,
        record_bytes=_length,
        number_problem=_problem,
    )
    found = profiled(
        tmp_path,
        [
            {"text": "x" * 2000},
            {"text": "x" * 700},
            {"text": ""},
            {"n": 10**30},
            {"n": 5},
            {"deep": [[[1]]]},
        ],
        holds=holds,
    )
    assert (found.fitness.oversize, found.fitness.near_limit, found.fitness.largest_item) == (1, 1, 2000)
    assert found.fitness.largest_id == "0"
    assert (found.fitness.deepest, found.fitness.too_deep) == (4, 1)
    assert (field(found, "n").unfit, field(found, "n").unfit_example) == (1, "too large")
    assert (field(found, "text").empty, field(found, "text").longest) == (1, 2000)


def _length(document: Document, _: str) -> int:
    return len(str(document.get("text", "")))


def _problem(value: Any) -> str:
    return "too large" if value > 10**20 else ""


def test_levels() -> None:
    documents: list[Document] = [{}, {"a": 1}, {"a": []}, {"a": {"b": [{}]}}]
    assert [levels(each) for each in documents] == [1, 1, 2, 4]


def test_parts_give_the_same_in_any_order() -> None:
    chance = random.Random(5)
    pages = [_page(chance) for _ in range(6)]
    whole = _tally(pages)
    for _ in range(5):
        chance.shuffle(pages)
        parts = [_tally([each]) for each in pages]
        together = parts[0]
        for each in parts[1:]:
            together.merge(each)
        assert fields_module.profiles(together.fields) == fields_module.profiles(whole.fields)
        assert together.told_sizes == whole.told_sizes


def _tally(pages: list[Page]) -> Tally:
    tally = Tally("bson")
    for each in pages:
        tally.add(each, None, lambda *_: None)
    return tally


def _page(chance: random.Random) -> Page:
    values: list[Any] = [1, Int64(1), "a", 1.5, None, True, {"x": 1}, [1, "b"], b"q"]
    documents: list[Document] = [
        {"fixed": number, f"key{chance.randrange(5)}": 1, "map": {f"m{chance.randrange(150)}": 1}}
        for number in range(40)
    ]
    for each in documents:
        each["any"] = values[chance.randrange(len(values) - 1)] if chance.random() < 0.9 else "zz"
    return Page([Record(None, each) for each in documents], "", 1)
