"""`greylag schema`: valid JSON Schema 2020-12 that takes what `load` takes and refuses its commonest mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from greylag.config import schema
from greylag.config.model import ProjectFile

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def validator() -> Draft202012Validator:
    built = schema()
    Draft202012Validator.check_schema(built)
    assert built["$schema"] == Draft202012Validator.META_SCHEMA["$schema"]
    return Draft202012Validator(built)


def parsed(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def test_it_takes_the_example(validator: Draft202012Validator, design: str) -> None:
    validator.validate(parsed(design))


def test_it_takes_environments_and_variables(validator: Draft202012Validator, design: str) -> None:
    example = parsed(design)
    example["connections"]["dynamo"]["create_tables"] = "${CREATE}"
    example["environments"] = {
        "prod": {
            "connections": {"dynamo": {"region": "eu-west-1", "create_tables": None}, "forum": None},
            "services": {"catalogue": {"flows": {"products": {"drop": ["x"], "ttl": None}}}},
        },
        "empty": None,
    }
    validator.validate(example)


@pytest.mark.parametrize(
    "change",
    [
        lambda example: example.update(servces={}),
        lambda example: example.pop("project"),
        lambda example: example["connections"]["mongo"].update(databse="x"),
        lambda example: example["connections"]["mongo"].update(kind="mongo"),
        lambda example: example["connections"]["mongo"].pop("kind"),
        lambda example: example["connections"]["mongo"].update(batch="many"),
        lambda example: example["services"]["catalogue"].update(traffic={"reeds": "1/s"}),
        lambda example: example["services"]["catalogue"]["flows"]["products"].update(atributes={}),
        lambda example: example["services"]["catalogue"]["flows"]["products"].update(order="sorted"),
        lambda example: example["tables"]["shop"].update(key=["a", "b", "c"]),
        lambda example: example.update(environments={"prod": {"connections": {"dynamo": {"regoin": "x"}}}}),
        lambda example: example.update(environments={"prod": {"services": {"catalogue": {"flow": {}}}}}),
    ],
)
def test_it_refuses_mistakes(validator: Draft202012Validator, design: str, change: Any) -> None:
    example = parsed(design)
    change(example)
    assert not validator.is_valid(example)


def test_every_key_is_described(validator: Draft202012Validator) -> None:
    bare = [path for path, key in _keys(validator.schema, "") if not key.get("description")]
    assert bare == []


def _keys(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for name, key in node.get("properties", {}).items():
            yield f"{path}/{name}", key
        for name, below in node.items():
            yield from _keys(below, f"{path}/{name}")
    elif isinstance(node, list):
        for below in node:
            yield from _keys(below, path)


def test_it_names_every_key_of_the_model(validator: Draft202012Validator) -> None:
    assert isinstance(validator.schema, dict)
    names = {field.alias or name for name, field in ProjectFile.model_fields.items()}
    assert set(validator.schema["properties"]) == names | {"environments"}
    kinds = validator.schema["$defs"]["Connection"]["properties"]["kind"]["enum"]
    assert kinds == ["dynamodb", "json", "mongodb", "third"]
