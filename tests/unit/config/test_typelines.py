"""Types put into the text of greylag.yaml: nothing around them changes by a byte."""

from __future__ import annotations

import pytest

from greylag.config.typelines import TypesAt, only_types_added, with_types
from greylag.errors import ConfigurationError

HEAD = "services:\n  s:  # service\n    flows:\n      f:\n"
FLOW = ("services", "s", "flows", "f")
TYPES = {"items[].price": "decimal128", "at": "date", "on": "string"}
PAIRS = '"items[].price": decimal128, at: date, "on": string'

CASES = {
    "a block": (
        HEAD
        + '        from: a.b   # from\n        to: c.d  # "to"\n\n        # the key\n        key: {id: "{id}"}\n',
        HEAD
        + '        from: a.b   # from\n        to: c.d  # "to"\n'
        + f"        types: {{{PAIRS}}}\n"
        + '\n        # the key\n        key: {id: "{id}"}\n',
    ),
    "braces": (
        "services: {s: {flows: {f: {from: a.b, to: c.d, drop: [x]}}}}  # é\n",
        f"services: {{s: {{flows: {{f: {{from: a.b, to: c.d, types: {{{PAIRS}}}, drop: [x]}}}}}}}}  # é\n",
    ),
    "types in braces, over lines": (
        HEAD
        + "        types: {_id: objectId,  # one\n                b: date}        # two\n        to: c.d\n",
        HEAD
        + "        types: {_id: objectId,  # one\n"
        + f"                b: date, {PAIRS}}}        # two\n        to: c.d\n",
    ),
    "types as a block": (
        HEAD + "        types:   # t\n          _id: objectId  # x\n          # end\n        to: c.d\n",
        HEAD
        + "        types:   # t\n          _id: objectId  # x\n"
        + '          "items[].price": decimal128\n          at: date\n          "on": string\n'
        + "          # end\n        to: c.d\n",
    ),
    "types of nothing": (
        HEAD + "        types:   # t\n        to: c.d\n",
        HEAD + f"        types: {{{PAIRS}}}   # t\n        to: c.d\n",
    ),
    "empty types": (
        HEAD + "        types: {}\n        to: c.d\n",
        HEAD + f"        types: {{{PAIRS}}}\n        to: c.d\n",
    ),
    "no line end": (HEAD + "        to: c.d", HEAD + f"        to: c.d\n        types: {{{PAIRS}}}"),
    "no value that ends clearly": (
        HEAD + "        key:\n          id: x\n",
        HEAD + f"        types: {{{PAIRS}}}\n        key:\n          id: x\n",
    ),
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("case", CASES)
def test_types_are_added_and_nothing_else(case: str, newline: str) -> None:
    before, after = (text.replace("\n", newline) for text in CASES[case])
    additions = [TypesAt(FLOW, TYPES)]
    assert with_types(before, additions) == after
    assert only_types_added(before, after, additions, "greylag.yaml")


def test_a_split_has_types_of_its_own() -> None:
    before = HEAD + "        to: c.d\n        split:\n          items: {attributes: {PK: x}}\n"
    additions = [TypesAt(FLOW, {"at": "date"}), TypesAt((*FLOW, "split", "items"), {"price": "decimal128"})]
    after = with_types(before, additions)
    assert after == (
        HEAD + "        to: c.d\n        types: {at: date}\n"
        "        split:\n          items: {attributes: {PK: x}, types: {price: decimal128}}\n"
    )
    assert only_types_added(before, after, additions, "greylag.yaml")


def test_references_to_variables_stay_references(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    before = "x: ${SECRET}\n" + HEAD + "        to: c.d\n"
    after = with_types(before, [TypesAt(FLOW, TYPES)])
    assert after.startswith("x: ${SECRET}\n")
    assert "hunter2" not in after


@pytest.mark.parametrize(
    "flow",
    [
        "      f: &f\n        to: c.d\n      g: *f\n",  # what is added to one would be added to the other
        "      f:\n        types: &t {a: date}\n        to: c.d\n      g: {types: *t}\n",
        "      f:\n        types: ~\n        to: c.d\n",
        "      g: {to: c.d}\n",
    ],
)
def test_what_has_no_place_of_its_own_is_refused_with_the_line_to_write(flow: str) -> None:
    with pytest.raises(ConfigurationError, match=r"have no place of their own") as refused:
        with_types("services:\n  s:\n    flows:\n" + flow, [TypesAt(FLOW, {"at": "date"})])
    assert refused.value.advice == "Write them by hand: types: {at: date}"


def test_any_other_change_is_seen() -> None:
    before = HEAD + "        to: c.d\n"
    added = [TypesAt(FLOW, {"at": "date"})]
    good = with_types(before, added)
    for wrong in (
        good.replace("c.d", "c.e"),
        good.replace("date", "double"),
        before,
        good + "more: 1\n",
        "a: [",
    ):
        assert not only_types_added(before, wrong, added, "greylag.yaml")
