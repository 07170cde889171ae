"""`greylag inspect`: tables as they stand, held against greylag.yaml."""

from greylag.operations.inspect.inspect import InspectOptions, inspect

__all__ = ["InspectOptions", "inspect"]
