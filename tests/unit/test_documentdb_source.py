"""Programs of tests/cases/documentdb-source: none of what they ask for is missed, and nothing else is blamed.

A comment `!! KIND NAME` says what is to be found in its line for DocumentDB 5.0, `%` standing for a space; `-8.0` that
8.0 has it, `only=…` that these releases alone lack it. What stands in text of several lines is listed here.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from greylag.errors import ConfigurationError
from greylag.operations.assess.documentdb.code.scan import of_text, scan
from greylag.operations.assess.documentdb.release import Release
from greylag.operations.assess.documentdb.tables import COLUMNS, supported, tables

CASES = Path(__file__).parents[1] / "cases" / "documentdb-source"
_MARK = re.compile(r"!! (?P<kind>\S+) (?P<name>\S+)(?P<which>(?: (?:-\S+|only=\S+))*)")
IN_TEXT = [
    ("python/reports.py", "$setWindowFields", 48),
    ("python/reports.py", "$rank", 49),
    ("go/main.go", "$unionWith", 41),
    ("go/main.go", "$densify", 42),
    ("java/Scores.java", "$densify", 36),
    ("elsewhere/backup.sh", "$where", 9),
    ("odd/Names.java", "$densify", 47),
    ("odd/names.sh", "$bucketAuto", 17),
]
Finding = tuple[str, int, str, str]


def release_of(column: str) -> Release:
    return Release("5.0", "elastic") if column == "elastic" else Release(column)


def expected(column: str) -> set[Finding]:
    """What the marks say, and what stands in text of several lines."""
    wanted = {(file, line, "unsupported-operator", name) for file, name, line in IN_TEXT}
    for file in sorted(CASES.rglob("*")):
        if not file.is_file():
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            for mark in _MARK.finditer(line):
                which = mark["which"].split()
                only = next(
                    (each.removeprefix("only=").split(",") for each in which if "only=" in each), COLUMNS
                )
                if column in only and f"-{column}" not in which:
                    name = mark["name"].replace("%", " ")
                    wanted.add((file.relative_to(CASES).as_posix(), number, mark["kind"], name))
    return wanted


def test_none_is_missed_and_none_blamed_wrongly() -> None:
    found = scan(CASES, release_of("5.0"))
    told = {(each.file, each.line, each.kind, each.name) for each in found.findings}
    in_env = {each for each in told if each[0] == "shop/.env"}
    assert told - in_env == expected("5.0")
    assert {(line, kind) for _, line, kind, _ in in_env} == {(2, "connection"), (3, "retry-writes")}
    assert all(each.advice for each in found.findings)
    assert "hunter2" not in repr(found)
    assert "secret" not in repr(found)


def test_every_release_has_its_own() -> None:
    for column in COLUMNS:
        found = scan(CASES, release_of(column)).findings
        told = {(each.file, each.line, each.kind, each.name) for each in found if each.file != "shop/.env"}
        kinds = {"unsupported-operator", "unsupported-feature", "unsupported-index", "deprecated-call"}
        wanted = {each for each in expected(column) if each[2] in kinds}
        assert {each for each in told if each[2] in kinds} == wanted, column


AS_KEY = {
    "a.py": 'db.c.aggregate([{"NAME": {"x": 1}}])',
    "a.js": "db.c.aggregate([{ NAME: { x: 1 } }])",
    "b.js": "const s = { 'NAME': 1 };",
    "a.ts": "const p = [{ $match: {} }, { NAME: { a: '$b' } }] as const;",
    "a.go": 'p := mongo.Pipeline{{{"$match", 1}}, {{"NAME", bson.D{{"x", 1}}}}}',
    "b.go": 'p := bson.M{"NAME": 1}',
    "c.go": 'p := bson.D{{Key: "NAME", Value: 1}}',
    "a.java": 'list.add(new Document("NAME", new Document("x", 1)));',
    "a.php": "<?php $c->aggregate([['NAME' => 1]]);",
    "a.rb": 'c.aggregate([{ "NAME" => 1 }])',
    "a.cs": 'new BsonDocument("NAME", 1);',
    "a.json": '{"NAME": 1}',
    "b.py": "text = '[{\"NAME\": 1}]'",
    "b.java": 'Document.parse("{ NAME: 1 }");',
}
NOT_AS_KEY = {
    "a.py": 'db.c.aggregate([{"$group": {"_id": "NAME", "a": {"$sum": "NAME"}}}])  # {"NAME": 1}',
    "a.js": "db.c.aggregate([{ $unwind: 'NAME' }, { $group: { _id: `NAME` } }]); // { NAME: 1 }",
    "a.ts": "function f(a: X, NAME: number) { return a ? NAME : 'NAME'; } /* { NAME: 1 } */",
    "a.go": 'p := bson.D{{"$group", bson.D{{"_id", "NAME"}}}} // {"NAME", 1}',
    "a.java": 'Aggregates.group("NAME", sum("x", "NAME")); // new Document("NAME", 1)',
    "a.php": "<?php NAME = 1; echo \"NAME: {NAME}\"; f(NAME, ['a' => 'NAME']);",
    "a.sh": 'echo "NAME: {NAME: 1}" $(( NAME + 1 )) # {NAME: 1}',
    "a.kt": 'val x = "NAME: {NAME: 1}"',
    "a.tf": 'x = {"NAME" = 1}',
    "a.md": "{ NAME: 1 }",
}


@pytest.mark.parametrize("column", COLUMNS)
def test_every_operator_in_every_language(column: str) -> None:
    release, known = release_of(column), tables()
    for name, letters in known.operators.items():
        if name.startswith("$$"):
            continue
        wanted = [] if supported(letters, release) else [name]
        for file, text in AS_KEY.items():
            found = [each.name for each in of_text(text.replace("NAME", name), file, release)]
            if name in known.as_stage:
                found = [each for each in found if each not in known.as_stage]
            extra = {"$match"} & set(found)
            assert [each for each in found if each not in extra] == wanted, (file, name)
        for file, text in NOT_AS_KEY.items():
            found = [each.name for each in of_text(text.replace("NAME", name), file, release)]
            assert found == [], (file, name)


def test_every_operator_that_some_release_lacks_has_advice() -> None:
    known = tables()
    for name, letters in known.operators.items():
        if "n" in letters:
            assert known.operator_advice(name), name
            assert known.advice.get((name, "")) or "y" in letters or name == "$score", name
    assert all(each.read and each.address.startswith("https://") for each in known.sources)


def test_a_release_that_is_none() -> None:
    with pytest.raises(ConfigurationError, match=r"no elastic clusters of version 8\.0"):
        Release("8.0", "elastic")


def test_odd_programs_end(tmp_path: Path) -> None:
    odd = {
        "open.js": "const a = `${ { $facet: '",
        "deep.py": "[" * 3000 + '{"$facet": 1}',
        "close.go": ")]}}" * 500 + 'bson.M{"$facet": 1}',
        "binary.py": "\x00\x01\x02$facet",
        "quote.rb": "x = '" + "a\n" * 1000,
        "long.js": "var a = {" + "b: 1," * 100_000 + "};",
        "empty.ts": "",
        "latin.py": "",
    }
    for name, text in odd.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "latin.py").write_bytes(b"# \xe9\xff\n")
    (tmp_path / "link.py").symlink_to("deep.py")
    found = scan(tmp_path, Release("5.0")).findings
    assert {(each.file, each.name) for each in found if each.kind == "unsupported-operator"} == {
        ("open.js", "$facet"),
        ("deep.py", "$facet"),
        ("close.go", "$facet"),
    }
    assert {each.kind for each in found} == {"unsupported-operator", "unreadable", "links"}
