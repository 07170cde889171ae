"""Overlays, `.env` files and variables: which value wins, and that no message shows one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greylag.config import InvalidProject
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from greylag.config import Project

FILE = """\
project: shop
connections:
  mongo: {kind: mongodb, url: "${URL}", database: shop}
  dynamo: {kind: dynamodb, region: us-east-1, endpoint_url: "${ENDPOINT:-}", create_tables: true}
services:
  catalogue:
    flows:
      products: {from: mongo.products, to: dynamo.products, key: {id: "{_id}"}, drop: [a, b], attributes: {kind: P}}
environments:
  prod:
    connections:
      dynamo: {region: eu-west-1, create_tables: null, endpoint_url: "${PROD_ENDPOINT}"}
    services: {catalogue: {flows: {products: {drop: [c], attributes: {extra: 1}}}}}
  empty:
"""
URL = "mongodb://user:s3cret-pa55@host/"


def test_without_an_environment(project: Callable[..., Project]) -> None:
    dynamo = project(FILE, environ={"URL": URL}).connections["dynamo"].options
    assert (dynamo.region, dynamo.create_tables, dynamo.endpoint_url) == ("us-east-1", True, None)


def test_mappings_merge_lists_are_replaced_null_removes(project: Callable[..., Project]) -> None:
    prod = project(FILE, "prod", {"URL": URL, "PROD_ENDPOINT": "http://p"})
    assert prod.environment == "prod"
    dynamo = prod.connections["dynamo"].options
    assert (dynamo.region, dynamo.create_tables, dynamo.endpoint_url) == ("eu-west-1", False, "http://p")
    (products,) = prod.flows
    assert products.drop == ("c",)
    assert products.attributes == {"kind": "P", "extra": 1, "id": "{_id}"}


def test_an_environment_may_change_nothing(project: Callable[..., Project]) -> None:
    assert project(FILE, "empty", {"URL": URL}).flows == project(FILE, environ={"URL": URL}).flows


def test_an_unknown_environment(project: Callable[..., Project]) -> None:
    with pytest.raises(InvalidProject, match=r":9: there is no environment 'prd'; did you mean 'prod'\?"):
        project(FILE, "prd", {"URL": URL})
    with pytest.raises(InvalidProject, match="environments: prod, empty"):
        project(FILE, "../../etc", {"URL": URL})


def test_variables_of_an_environment_that_is_not_chosen_are_not_needed(
    project: Callable[..., Project],
) -> None:
    project(FILE, environ={"URL": URL})
    with pytest.raises(InvalidProject, match=":12: the variable PROD_ENDPOINT is not set"):
        project(FILE, "prod", {"URL": URL})


@pytest.mark.parametrize(
    ("overlay", "expected"),
    [
        (
            "{connections: {dynamo: {regoin: x}}}",
            "unknown key 'regoin' in connection dynamo; did you mean 'region'?",
        ),
        (
            "{connections: {dynamo: {regoin: null}}}",
            "null removes a key, but without prod there is no 'regoin' here",
        ),
        ("{environments: {}}", "environment prod cannot hold environments"),
        ("[1]", "environment prod should be a mapping"),
        (
            "{services: {catalogue: {traffic: {reeds: 1}}}}",
            "unknown key 'reeds' in `traffic` of service catalogue",
        ),
    ],
)
def test_mistakes_in_an_overlay_are_found_whatever_is_chosen(
    project: Callable[..., Project], overlay: str, expected: str
) -> None:
    text = FILE[: FILE.index("environments:")] + f"environments:\n  prod: {overlay}\n"
    with pytest.raises(InvalidProject) as caught:
        project(text, environ={"URL": URL})
    (problem,) = caught.value.problems
    assert problem.line == 10
    assert problem.message.startswith(expected)
    with pytest.raises(InvalidProject):
        project(text, "prod", {"URL": URL})


def url(read: Project) -> str:
    return str(read.connections["mongo"].options.url)


def test_the_process_wins_over_the_environments_file_wins_over_the_file(
    project: Callable[..., Project], tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text('export URL="mongodb://plain"  # comment\nENDPOINT=http://one\n')
    (tmp_path / ".env.prod").write_text("URL='mongodb://prod ${URL}'\nPROD_ENDPOINT=http://p\n")
    assert url(project(FILE)) == "mongodb://plain"
    assert url(project(FILE, "empty")) == "mongodb://plain"
    assert url(project(FILE, "prod")) == "mongodb://prod ${URL}"
    assert url(project(FILE, "prod", {"URL": "mongodb://process"})) == "mongodb://process"
    assert project(FILE).connections["dynamo"].options.endpoint_url == "http://one"


def test_a_broken_line_of_a_file(project: Callable[..., Project], tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("URL=mongodb://plain\n=hunter2\n")
    with pytest.raises(InvalidProject) as caught:
        project(FILE)
    assert str(caught.value) == ".env:2: expected NAME=value"


def constant(read: Callable[..., Project], written: str, **environ: str) -> object:
    text = FILE.replace("kind: P", f"kind: {written}")
    return read(text, environ={"URL": URL, **environ}).flows[0].attributes["kind"]


@pytest.mark.parametrize(
    ("written", "environ", "expected"),
    [
        ('"${A}"', {"A": "1"}, "1"),
        ('"x${A}y${B}"', {"A": "1", "B": "2"}, "x1y2"),
        ('"${A:-d}"', {}, "d"),
        ('"${A:-d}"', {"A": ""}, "d"),
        ('"${A}"', {"A": ""}, ""),
        ('"$${A}"', {}, "${A}"),
        ('"$A $ $$"', {}, "$A $ $"),
        ('"${A}"', {"A": "${B} $$ {x: [1]}\n- y: !!z"}, "${B} $$ {x: [1]}\n- y: !!z"),
    ],
)
def test_substitution(
    project: Callable[..., Project], written: str, environ: dict[str, str], expected: str
) -> None:
    assert constant(project, written, **environ) == expected


@pytest.mark.parametrize("written", ['"${A"', '"${}"', '"${A-d}"', '"${1A}"'])
def test_what_is_no_reference(project: Callable[..., Project], written: str) -> None:
    with pytest.raises(InvalidProject, match=r":8: `\$\{` begins a variable"):
        constant(project, written)


def test_a_variable_may_be_a_number_or_a_truth_value(project: Callable[..., Project]) -> None:
    text = FILE.replace("database: shop", 'database: shop, batch: "${BATCH}", tls: "${TLS}"')
    options = project(text, environ={"URL": URL, "BATCH": "7", "TLS": "false"}).connections["mongo"].options
    assert (options.batch, options.tls) == (7, False)


def test_scalars_are_those_of_yaml_1_2(project: Callable[..., Project]) -> None:
    from decimal import Decimal

    assert constant(project, "no") == "no"
    assert constant(project, "on") == "on"
    assert constant(project, "2024-01-01") == "2024-01-01"
    assert constant(project, "1_000") == "1_000"
    assert constant(project, "12:30:45") == "12:30:45"
    assert constant(project, "0x1F") == 31
    assert constant(project, "true") is True
    assert constant(project, "~") is None
    price = constant(project, "1.10")
    assert isinstance(price, Decimal)
    assert str(price) == "1.10"


SECRETS = {
    "URL": "http://user:hunter2-long@host/",
    "BATCH": "hunter3-many",
    "SHORT": "pw",
    "NAME": "hunter4-flow",
    "FROM": "hunter5-conn.products",
}


def test_no_message_shows_what_a_variable_holds(project: Callable[..., Project]) -> None:
    text = FILE.replace("database: shop", 'database: shop, batch: "${BATCH}", tls: "${SHORT}"').replace(
        "from: mongo.products", 'from: "${FROM}", numbers: "${NAME}", ttl: {attribute: t, after: "${NAME}"}'
    )
    with pytest.raises(InvalidProject) as caught:
        project(text, environ=SECRETS)
    told = str(caught.value) + repr(caught.value) + repr(caught.value.problems)
    assert len(caught.value.problems) >= 4
    for value in SECRETS.values():
        assert value not in told
    for part in ("hunter", "'pw'"):
        assert part not in told
    assert "${URL}" in told
    assert caught.value.__cause__ is None


def test_an_unknown_connection_from_a_variable(project: Callable[..., Project]) -> None:
    text = FILE.replace("from: mongo.products", 'from: "${FROM}"')
    with pytest.raises(InvalidProject) as caught:
        project(text, environ={**SECRETS, "URL": URL})
    assert "hunter" not in str(caught.value)


def test_no_repr_shows_an_option(project: Callable[..., Project]) -> None:
    read = project(FILE, environ={"URL": URL, "ENDPOINT": "http://hidden-endpoint"})
    assert "s3cret" not in repr(read)
    assert "hidden" not in repr(read)
    assert "s3cret" not in repr(read.connections)
    assert read.connections["mongo"].redact(f"no answer from {URL}") == "no answer from ${URL}"


def test_only_variables_that_are_referenced_are_looked_up(project: Callable[..., Project]) -> None:
    class Environ(dict[str, str]):
        def __getitem__(self, name: str) -> str:
            assert name == "URL"
            return super().__getitem__(name)

        def __iter__(self) -> object:  # type: ignore[override]
            raise AssertionError("nothing lists the environment")

    project(FILE, environ=Environ(URL=URL, OTHER="x"))


def test_a_missing_file(tmp_path: Path) -> None:
    from greylag.config import load

    with pytest.raises(ConfigurationError, match="there is no") as caught:
        load(tmp_path / "greylag.yaml", environ={})
    assert "--file" in caught.value.advice
