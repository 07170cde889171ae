"""Whatever JSON a file holds, however it is written, cut and resumed: the same records, exactly."""

from __future__ import annotations

import gzip
import json
import tempfile
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greylag.connectors.json import array, lines
from greylag.connectors.json.array import ArrayReader
from greylag.connectors.json.lines import LinesReader
from greylag.connectors.json.window import Window
from tests.unit.json.reading import everything, same, source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greylag.core.ports import Source
    from greylag.core.records import Rejection
    from greylag.core.values import Value

NASTY = [
    '"',
    "\\",
    '":',
    '":"',
    "},{",
    '},{"id"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\n",
    "\t",
    " ",
    "\x00",
    "é",
    "😀",
    "-0",
]
text = (
    st.lists(st.sampled_from(NASTY) | st.text(max_size=3), max_size=4)
    .map("".join)
    .filter(lambda each: not any(0xD800 <= ord(character) <= 0xDFFF for character in each))
)
number = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)


class Number(str):
    """A number as it is written."""

    __slots__ = ()


scalar = st.none() | st.booleans() | text | number.map(Number)
value = st.recursive(
    scalar,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "a", '"', "b:"]) | text, inner, max_size=4)
    ),
    max_leaves=12,
)
record = st.dictionaries(st.sampled_from(["id", "name", "x"]) | text, value, max_size=4)
uniform = st.fixed_dictionaries(
    {"id": scalar, "name": text, "items": st.lists(st.fixed_dictionaries({"id": scalar}), max_size=3)}
)
space = st.text(" \t\n\r", max_size=2)


class Writer:
    """Writes values as JSON with spaces wherever `draw` puts some, and characters escaped or not."""

    def __init__(self, draw: Callable[[Any], Any], spaces: st.SearchStrategy[str]) -> None:
        self._draw = draw
        self._spaces = spaces

    def space(self) -> str:
        return str(self._draw(self._spaces))

    def write(self, each: Any) -> str:
        if isinstance(each, Number):
            return str(each)
        if isinstance(each, str):
            return self._string(each)
        if isinstance(each, dict):
            members = [
                f"{self._string(key)}{self.space()}:{self.space()}{self.write(inner)}"
                for key, inner in each.items()
            ]
            return "{" + self.space() + f"{self.space()},{self.space()}".join(members) + self.space() + "}"
        if isinstance(each, list):
            inner = f"{self.space()},{self.space()}".join(map(self.write, each))
            return "[" + self.space() + inner + self.space() + "]"
        return json.dumps(each)

    def _string(self, each: str) -> str:
        if self._draw(st.booleans()):
            return json.dumps(each)
        if self._draw(st.integers(0, 7)) == 0:  # every character of the basic plane as an escape
            return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 0xFFFF else c for c in each) + '"'
        return json.dumps(each, ensure_ascii=False)


def expected(each: Any) -> Value:
    if isinstance(each, Number):
        return Decimal(each) if set(each) & set(".eE") or each == "-0" else int(each)
    if isinstance(each, dict):
        return {key: expected(inner) for key, inner in each.items()}
    if isinstance(each, list):
        return [expected(inner) for inner in each]
    assert each is None or isinstance(each, bool | str)
    return each


@st.composite
def documents(draw: Any, spaces: st.SearchStrategy[str]) -> tuple[list[Any], list[str]]:
    """Elements, and each as it is written. Some are no objects."""
    kinds = draw(st.sampled_from([uniform, record, uniform | record | scalar]))
    found = draw(st.lists(kinds, max_size=25))
    writer = Writer(draw, draw(st.sampled_from([st.just(""), st.just(" "), spaces])))
    return found, [writer.write(each) for each in found]


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks so small that these files have many."""
    monkeypatch.setattr(ArrayReader.__init__, "__kwdefaults__", {"batch_bytes": 200})
    monkeypatch.setattr(LinesReader.__init__, "__kwdefaults__", {"batch_bytes": 200})
    monkeypatch.setattr(Window.__init__, "__kwdefaults__", {"end": None, "block_bytes": 23})
    monkeypatch.setattr(array, "BLOCK_BYTES", 300)
    monkeypatch.setattr(lines, "BLOCK_BYTES", 7)
    monkeypatch.setattr(lines, "_COUNTING_BYTES", 11)


def check(
    found: list[Any], as_written: list[str], reader: Source, dataset: str, sizes: tuple[int, int]
) -> None:
    partition_bytes, page_bytes = sizes
    records, rejected = everything(reader, dataset, partition_bytes=partition_bytes, page_bytes=page_bytes)
    objects = {row: each for row, each in enumerate(found) if isinstance(each, dict)}
    assert [record.id for record in records] == list(objects)
    for record in records:
        assert isinstance(record.id, int)
        assert same(record.fields, expected(objects[record.id])), as_written[record.id]
    assert [each.id for each in rejected] == [row for row in range(len(found)) if row not in objects]
    for each in rejected:
        assert each.raw == as_written[as_row(each)].encode()
    check_resumes(reader, dataset, sizes)
    wanted = list(objects)[1::3]
    assert [record.id for record in reader.fetch(dataset, [*wanted, len(found), "0", -1])] == wanted


def as_row(each: Rejection) -> int:
    assert isinstance(each.id, int)
    return each.id


def check_resumes(reader: Source, dataset: str, sizes: tuple[int, int]) -> None:
    partition_bytes, page_bytes = sizes
    partitions = list(reader.partitions(dataset, partition_bytes=partition_bytes))
    assert partitions == list(reader.partitions(dataset, partition_bytes=partition_bytes))
    for partition in partitions:
        assert json.loads(json.dumps(partition.bounds)) == partition.bounds
        pages = list(reader.read(partition, None, page_bytes=page_bytes))
        assert all(page.records or page.rejected for page in pages)
        for place, page in enumerate(pages):
            again = list(reader.read(partition, page.cursor, page_bytes=page_bytes))
            assert again == pages[place + 1 :]


sizes = st.tuples(st.integers(1, 2000), st.integers(1, 3000))


@given(documents(space), st.sampled_from(["", "\ufeff", " \n"]), st.booleans(), sizes, space, st.data())
@settings(max_examples=60, deadline=None)
def test_an_array_gives_its_objects_exactly(
    written: tuple[list[Any], list[str]],
    before: str,
    zipped: bool,
    sizes: tuple[int, int],
    around: str,
    data: st.DataObject,
) -> None:
    found, parts = written
    between = data.draw(st.sampled_from([",", ", ", ",\n  ", f"{around},{around}"]))
    content = f"{before}[{around}{between.join(parts)}{around}]{around}"
    with file(content, "d.json", zipped=zipped) as reader:
        check(found, parts, reader, "d", sizes)


@given(documents(space), value, value, sizes)
@settings(max_examples=30, deadline=None)
def test_an_array_inside_a_file_is_found(
    written: tuple[list[Any], list[str]], before: Any, after: Any, sizes: tuple[int, int]
) -> None:
    found, parts = written
    plain = Writer(lambda _: "", st.just(""))
    plain.space = lambda: ""  # type: ignore[method-assign]
    plain._string = json.dumps  # type: ignore[method-assign,assignment]
    inside = f'{{"z":{plain.write(before)},"~/":[{",".join(parts)}],"y":{plain.write(after)}}}'
    content = f'[{plain.write(before)},{{"a":{plain.write(after)},"k":{inside}}},{plain.write(after)}]'
    with file(content, "d.json") as reader:
        check(found, parts, reader, "d#/1/k/~0~1", sizes)


@given(
    documents(st.just("")),
    st.lists(st.sampled_from(["", "", " ", "\t\r", "\n", "\r", " \n\n \r"]), min_size=26, max_size=26),
    st.booleans(),
    st.booleans(),
    sizes,
)
@settings(max_examples=60, deadline=None)
def test_lines_give_their_objects_exactly(
    written: tuple[list[Any], list[str]],
    after: list[str],
    ended: bool,
    zipped: bool,
    sizes: tuple[int, int],
) -> None:
    found, parts = written
    content = "\n".join(part + blank for part, blank in zip(parts, after, strict=False)) + "\n" * ended
    with file(after[-1] + content, "d.jsonl", zipped=zipped) as reader:
        check(found, parts, reader, "d", sizes)
        cuts = list(reader.partitions("d", partition_bytes=sizes[0]))
        if not zipped and cuts:
            size = len((after[-1] + content).encode())
            assert cuts[0].bounds["start"] == 0
            assert cuts[-1].bounds["end"] == size
            assert all(one.bounds["end"] == other.bounds["start"] for one, other in pairwise(cuts))


@contextmanager
def file(content: str, name: str, *, zipped: bool = False) -> Iterator[Source]:
    """A source of a folder with one file."""
    data = content.encode()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, name + ".gz" * zipped).write_bytes(gzip.compress(data) if zipped else data)
        yield source(Path(folder))
