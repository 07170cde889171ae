"""Terraform's language, read: files as bodies of arguments and blocks, every part with its line."""

from __future__ import annotations

from greylag.infra.hcl.parse import SyntaxProblem, parse

__all__ = ["SyntaxProblem", "parse"]
