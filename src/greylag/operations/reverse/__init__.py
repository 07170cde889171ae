"""`greylag follow --reverse`: what the application writes at the target, carried back to the old store."""

from greylag.operations.reverse.follow import ReverseOptions, ReverseReport, follow_back

__all__ = ["ReverseOptions", "ReverseReport", "follow_back"]
