"""Terraform's modules and `greylag provision` give things the same names."""

from __future__ import annotations

from pathlib import Path

import greylag
from greylag.core import naming
from greylag.core.services import InfrastructureSpec
from greylag.infra.render import stack as stacks
from greylag.infra.render.stack import Stack

MODULES = Path(greylag.__file__).parent / "infra" / "modules"


def _says(module: str, text: str) -> bool:
    return text in (MODULES / module / "main.tf").read_text()


def test_names_are_those_of_the_modules() -> None:
    name = naming.service_prefix("My Shop", "prod", "order_desk")
    assert name == "my-shop-prod-order-desk"
    assert _says("queue", '"${var.name}${local.ending}"')
    assert naming.queue("My Shop", "prod", "order_desk", fifo=False) == name
    assert _says("queue", '"${var.name}-dead-letters${local.ending}"')
    assert (
        naming.queue("My Shop", "prod", "order_desk", fifo=True, dead_letters=True)
        == f"{name}-dead-letters.fifo"
    )
    assert _says("assets", "${var.name}-assets-${data.aws_caller_identity.current.account_id}")
    assert naming.bucket("My Shop", "prod", "order_desk", None, "1") == f"{name}-assets-1"
    assert naming.bucket("My Shop", "prod", "order_desk", "images", "1") == "images-prod"
    assert _says("dynamodb", '"${var.name}-${key}"')
    assert naming.cache_table("My Shop", "prod", "order_desk") == f"{name}-cache"


def test_the_rendered_terraform_gives_the_same_prefix() -> None:
    stack = Stack("My Shop", "prod", InfrastructureSpec("eu-west-1"), {}, {}, {})
    assert stack.name == naming.prefix("My Shop", "prod") == "my-shop-prod"
    assert stacks.slug is naming.slug


def test_without_an_environment_names_are_those_of_dev() -> None:
    assert naming.prefix("shop", "") == naming.prefix("shop", "dev")
