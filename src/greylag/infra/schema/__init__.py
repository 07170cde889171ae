"""What the AWS provider of Terraform accepts and exports, known without a network."""

from __future__ import annotations

from greylag.infra.schema.load import Argument, Block, Nested, Schema, aws_schema

__all__ = ["Argument", "Block", "Nested", "Schema", "aws_schema"]
