"""`greylag infra check`: Terraform against the provider's schema and a few policies, without a network."""

from __future__ import annotations

from greylag.infra.check.check import Report, check

__all__ = ["Report", "check"]
