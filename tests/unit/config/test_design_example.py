"""The example of DESIGN.md works as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.core.flows import DatasetRef

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.config import Project


def test_the_example_resolves(project: Callable[..., Project], design: str) -> None:
    shop = project(design, environ={"MONGODB_URI": "mongodb://example"})
    assert shop.name == "shop"
    assert shop.environment == ""
    assert [flow.name for flow in shop.flows] == ["products", "orders", "users", "posts"]
    assert shop.services == {"catalogue": ("products", "orders"), "users": ("users",), "posts": ("posts",)}
    assert shop.connections["dynamo"].options.endpoint_url is None
    assert shop.connections["dynamo"].options.create_tables is True

    products, orders, users, posts = shop.flows
    assert products.source == DatasetRef("mongo", "products")
    assert products.attributes["GSI1PK"] == "CATEGORY#{category}"
    assert products.rename == {"_id": "id"}
    assert products.table is orders.table
    assert products.table.key == ("PK", "SK")
    assert products.table.indexes == {"GSI1": ("GSI1PK", "GSI1SK")}
    assert products.table.key_types == {"PK": "S", "SK": "S", "GSI1PK": "S", "GSI1SK": "S"}

    assert users.source == DatasetRef("forum", "users/db.json#/users")
    assert users.table.ref == DatasetRef("dynamo", "forum-users")
    assert users.table.key == ("userId",)
    assert users.attributes == {"userId": "{id}", "email": "{email}"}

    assert posts.table.key == ("postId", "threadId")
    assert posts.table.indexes == {"ThreadIndex": ("threadId",), "UserIndex": ("userId",)}
    assert posts.table.key_types == {"postId": "N"}
    assert posts.attributes == {"postId": "{@row}", "threadId": "{thread}", "userId": "{user}"}

    assert set(shop.tables) == {
        DatasetRef("dynamo", "shop"),
        DatasetRef("dynamo", "forum-users"),
        DatasetRef("dynamo", "forum-posts"),
    }
