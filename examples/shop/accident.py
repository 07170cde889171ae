"""What verification is for: somebody changes the tables that the tutorial has filled, behind the back of Greylag.

    python examples/shop/accident.py

deletes a product and changes a user, with boto3 alone. The address is in DYNAMODB_ENDPOINT.
"""

from __future__ import annotations

import os

import boto3


def main() -> None:
    """The command line."""
    tables = boto3.resource("dynamodb", endpoint_url=os.environ["DYNAMODB_ENDPOINT"])
    product, user = "5c2aad800300000000000000", "5c2aad800200000000000000"
    tables.Table("shop-products").delete_item(Key={"id": product})
    print(f"deleted product {product}")
    tables.Table("shop-users").update_item(
        Key={"id": user},
        UpdateExpression="SET email = :email",
        ExpressionAttributeValues={":email": "somebody@example.com"},
    )
    print(f"changed user {user}")


if __name__ == "__main__":
    main()
