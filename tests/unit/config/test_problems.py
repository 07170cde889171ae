"""Each mistake becomes one line with its place; all of them are told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greylag.config import InvalidProject

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.config import Project

CONNECTIONS = """\
project: shop
connections:
  mongo: {kind: mongodb, url: "mongodb://x", database: shop}
  dynamo: {kind: dynamodb, region: us-east-1}
"""
FLOW = (
    CONNECTIONS
    + """\
services:
  catalogue:
    flows:
      products:
        from: mongo.products
        to: dynamo.products
        key: {id: "{_id}"}
"""
)


def problems(read: Callable[..., Project], text: str, **arguments: object) -> list[str]:
    with pytest.raises(InvalidProject) as caught:
        read(text, **arguments)
    assert caught.value.exit_code == 3
    assert [str(problem) for problem in caught.value.problems] == caught.value.message.split("\n")
    return [f"{problem.line}: {problem.message}" for problem in caught.value.problems]


def test_the_smallest_project_has_none(project: Callable[..., Project]) -> None:
    assert [flow.name for flow in project(FLOW).flows] == ["products"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1: the file is empty"),
        ("# nothing\n", "1: the file is empty"),
        ("- a\n", "1: expected `key: value` lines"),
        (
            "a: [1\nb: 2",
            "2: this is not YAML: while parsing a flow sequence, expected ',' or ']', but got ':'",
        ),
        (
            "a: b: c",
            "1: this is not YAML: mapping values are not allowed here; is the line indented like those beside it?",
        ),
        ("a: 1\nb: \x01", "2: this is not YAML: character 1 is not allowed"),
        ("a: 1\nb: 2\na: 3\n", "3: key 'a' stands here twice, first on line 1"),
        ("a: !!python/object:os.system {}", "1: tags such as tag:yaml.org,2002:python/object:os.system"),
        ("a: !thing x", "1: tags such as !thing have no meaning here; quote the value instead"),
        ("a: *b", "1: *b refers to an anchor that no line before it sets"),
        ("a: &a\n  b: *a", "2: *a contains itself"),
        ("a: &x {b: 1}\nc: {<<: *x}", "2: merge keys (<<) are not part of YAML 1.2; write the keys out"),
        ("a: 1\n---\nb: 2\n", "2: a second document begins here; a project is one"),
        ("? [a]\n: 1\n", "1: a key must be plain text"),
        (f"a: {'9' * 5000}", "1: this number has too many digits; quote it to make it text"),
        (
            "a: 1\nb: 1e99999999999999999999",
            "2: the exponent of this number is out of range; quote it to make it text",
        ),
        (f"a: {'[' * 3000}{']' * 3000}", "1: this nests deeper than 100 levels"),
        (f"a: {'{b: ' * 2000}1{'}' * 2000}", "1: this nests deeper than 100 levels"),
        (
            f"a: &a {'[' * 60}{']' * 60}\nb: {'[' * 60}*a{']' * 60}",
            "2: this nests deeper than 100 levels",
        ),
    ],
)
def test_what_is_not_yaml(project: Callable[..., Project], text: str, expected: str) -> None:
    (found,) = problems(project, text)
    assert found.startswith(expected)


def test_aliases_cannot_make_a_file_grow_without_bound(project: Callable[..., Project]) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    (found,) = problems(project, "\n".join(lines))
    assert "stands for more than" in found


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("        to:", "        atributes: {}\n        to:"),
            "10: unknown key 'atributes' in flow products; did you mean 'attributes'?",
        ),
        (
            ("project: shop", "project: shop\nservice: {}"),
            "2: unknown key 'service' in the project; did you mean 'services'?",
        ),
        (
            ("    flows:", "    flow: {}\n    flows:"),
            "7: unknown key 'flow' in service catalogue; did you mean 'flows'?",
        ),
        (
            ("database: shop", "databse: x, database: shop"),
            "3: unknown key 'databse' in connection mongo; did you mean 'database'?",
        ),
        ((", database: shop", ""), "3: connection mongo needs `database`"),
        (
            ("database: shop", "database: shop, batch: many"),
            "3: `batch` of connection mongo should be a whole number",
        ),
        (
            ("database: shop", "database: shop, tls: 3x"),
            "3: `tls` of connection mongo should be true or false",
        ),
        (
            ("mongodb://x", "http://x"),
            "3: `url` of connection mongo: 'http://x' does not begin with mongodb://",
        ),
        (
            ("kind: mongodb", "kind: mongo"),
            "3: connection mongo: unknown kind 'mongo'; did you mean 'mongodb'?",
        ),
        (
            ("kind: mongodb", "kind: postgres"),
            "3: connection mongo: kind 'postgres' is not in this version; kinds: ",
        ),
        (
            ("kind: mongodb", "kind: third"),
            "3: connection mongo: kind 'third' cannot be used: Python module driver is missing",
        ),
        (("kind: mongodb, ", ""), "3: connection mongo needs `kind`"),
        (("        from: mongo.products\n", ""), "8: flow products needs `from`"),
        (("project: shop\n", ""), "1: the project needs `project`"),
        (("project: shop", "project: my shop"), "1: `project` of the project: 'my shop' is not a name"),
        (("      products:", "      my.products:"), "8: flow my.products: 'my.products' is not a name"),
        (
            ("from: mongo.products", "from: mogno.products"),
            "9: `from` of flow products: there is no connection 'mogno'; did you mean 'mongo'?",
        ),
        (
            ("from: mongo.products", "from: products"),
            "9: `from` of flow products: 'products' is not connection.dataset; connections: mongo, dynamo",
        ),
        (("from: mongo.products", "from: [mongo]"), "9: `from` of flow products should be text"),
        (
            ("to: dynamo.products", "to: dynamo.*"),
            "9: flow products: `to: dynamo.*` needs a `from: connection.*` of the same names",
        ),
        (
            ("from: mongo.products", "from: mongo.*"),
            "10: flow products: `from: mongo.*` needs a `to: connection.*` of the same names",
        ),
        (
            ("        key:", "        except: [x]\n        key:"),
            "11: flow products: `except` goes with `from: connection.*`",
        ),
        (
            ('        key: {id: "{_id}"}\n', ""),
            "10: flow products: table products is not declared; give `key: ",
        ),
        (('{id: "{_id}"}', "{a: x, b: y, c: z}"), "11: `key` of flow products has 3 attributes"),
        (
            ("        key:", "        indexes: {I: {}}\n        key:"),
            "11: index I of flow products has 0 attributes",
        ),
        (
            ("        key:", "        attributes: {id: x}\n        key:"),
            "12: flow products gives id two templates that differ",
        ),
        (
            ("        key:", "        order: sorted\n        key:"),
            "11: `order` of flow products should be 'keep'",
        ),
        (
            ("        key:", "        numbers: round\n        key:"),
            "11: `numbers` of flow products should be 'quarantine' or 'string'",
        ),
        (
            ("        key:", "        ttl: {attribute: t, from: at, after: 30}\n        key:"),
            "11: `ttl.after` of flow products should be text",
        ),
        (
            ("        key:", "        ttl: {attribute: t, from: at, after: 30y}\n        key:"),
            "11: `ttl.after` of flow products: '30y' is not a duration",
        ),
        (
            ("        key:", "        python: {inverse: a}\n        key:"),
            "11: `python` of flow products needs `function`",
        ),
        (
            ("        key:", "        split: {items: {atributes: {}}}\n        key:"),
            "11: unknown key 'atributes' in `split.items` of flow products; did you mean 'attributes'?",
        ),
        (
            ("        key:", "        split: {items: {drop: [x]}}\n        key:"),
            "11: split items of flow products gives no id: the key of its table",
        ),
        (
            ("    flows:", "    traffic: {reads: 20}\n    flows:"),
            "7: `traffic.reads` of service catalogue",
        ),
        (
            ("    flows:", "    traffic: {reads: 20/y}\n    flows:"),
            "7: `traffic.reads` of service catalogue: '20/y' is not a rate",
        ),
        (
            ("    flows:", "    traffic: {low: 3}\n    flows:"),
            "7: service catalogue: `low` of its traffic is above `high`",
        ),
        (
            ("    flows:", "    budget: -3\n    flows:"),
            "7: `budget.monthly_usd` of service catalogue",
        ),
    ],
)
def test_one_mistake(project: Callable[..., Project], change: tuple[str, str], expected: str) -> None:
    assert change[0] in FLOW
    (found,) = problems(project, FLOW.replace(*change, 1))
    assert found.startswith(expected)


SHARED = (
    CONNECTIONS
    + """\
tables:
  shop: {in: dynamo, key: [PK, SK], indexes: {ByUser: [user]}}
services:
  one:
    flows:
      a: {from: mongo.a, to: dynamo.shop, attributes: {PK: "A#{_id}", SK: x}}
  two:
    flows:
      b: {from: mongo.b, to: dynamo.shop, attributes: {PK: "B#{_id}", SK: x}}
"""
)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("in: dynamo", "in: dinamo"),
            "6: table shop: there is no connection 'dinamo'; did you mean 'dynamo'?",
        ),
        (("[PK, SK]", "[PK, SK, X]"), "6: `key` of table shop has one or two attributes"),
        (("[PK, SK]", "[PK, PK]"), "6: the key of table shop names 'PK' twice"),
        (('PK: "A#{_id}", ', ""), "10: flow a gives no PK under `attributes`: the key of table shop"),
        (("      b:", "      a:"), "13: flow a stands in service one already; names are unique"),
        (
            ("SK: x}}\n  two", "SK: x}, key: {PK: x}}\n  two"),
            "10: flow a: table shop is declared under `tables:`",
        ),
        (
            ('to: dynamo.shop, attributes: {PK: "A', 'to: dynamo.shpo, attributes: {PK: "A'),
            "10: flow a: table shpo is not declared; did you mean 'shop'?",
        ),
        (
            ('PK: "A#{_id}", SK: x', "PK: 3, SK: x"),
            "13: flow b makes PK of table shop a string, flow a makes it a number; a key attribute has one type",
        ),
        (
            ("SK: x}}\n  two", "SK: x}, split: {items: {attributes: {PK: y}}}}\n  two"),
            "10: split items of flow a gives no SK under `attributes`: the key of table shop",
        ),
    ],
)
def test_shared_tables(project: Callable[..., Project], change: tuple[str, str], expected: str) -> None:
    assert change[0] in SHARED
    (found,) = problems(project, SHARED.replace(*change, 1))
    assert found.startswith(expected)


def test_a_table_has_one_ttl_attribute(project: Callable[..., Project]) -> None:
    text = SHARED.replace("SK: x}}\n  two", "SK: x}, ttl: expires}\n  two")
    assert project(text).flows[1].table.ttl_attribute == "expires"
    text = text.replace('PK: "B#{_id}", SK: x}}', 'PK: "B#{_id}", SK: x}, ttl: until}')
    (found,) = problems(project, text)
    assert found.startswith("13: flow b: items of table shop expire by 'expires' (flow a)")


def test_two_flows_that_declare_one_table(project: Callable[..., Project]) -> None:
    text = FLOW + '      more: {from: mongo.more, to: dynamo.products, key: {id: "{_id}"}}\n'
    (found,) = problems(project, text)
    assert found == (
        "12: flow more: flow products declares table products too; declare it once, under `tables:`"
    )


def test_a_flow_without_key_beside_one_with(project: Callable[..., Project]) -> None:
    text = FLOW + "      more: {from: mongo.more, to: dynamo.products}\n"
    (found,) = problems(project, text)
    assert found == "12: flow more: flow products writes table products too; declare it under `tables:`"


def test_all_mistakes_are_told_at_once(project: Callable[..., Project]) -> None:
    text = """\
project: shop
connections:
  mongo: {kind: mongodb, url: "${MONGO}", database: shop, tsl: true}
  dynamo: {kind: dinamodb, region: us-east-1}
services:
  catalogue:
    flows:
      products: {from: mongo.products, to: dynamo.products, kee: {id: "{_id}"}}
      orders: {from: mogno.orders, to: dynamo.orders, key: {id: "{_id}"}}
environments:
  prod:
    services: {catalogue: {flows: {products: {form: mongo.other}}}}
"""
    assert problems(project, text) == [
        "3: the variable MONGO is not set; set it in .env or the environment, or give a default: ${MONGO:-…}",
        "3: unknown key 'tsl' in connection mongo; did you mean 'tls'?",
        "4: connection dynamo: unknown kind 'dinamodb'; did you mean 'dynamodb'?",
        "8: unknown key 'kee' in flow products; did you mean 'key'?",
        "9: `from` of flow orders: there is no connection 'mogno'; did you mean 'mongo'?",
        "12: unknown key 'form' in flow products; did you mean 'from'?",
    ]


def test_not_utf8(project: Callable[..., Project], tmp_path: object) -> None:
    from pathlib import Path

    from greylag.config import load

    file = Path(str(tmp_path), "greylag.yaml")
    file.write_bytes(b"project: caf\xe9\n")
    with pytest.raises(InvalidProject, match="not UTF-8 text, from byte 12"):
        load(file, environ={})
