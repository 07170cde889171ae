"""From a source's record to the items of a target, as greylag.yaml says: pure, exact, or refused."""

from greylag.core.mapping.errors import MappingError
from greylag.core.mapping.mapping import Mapping, compile_mapping
from greylag.core.mapping.ownership import Claim, keys_disjoint, overlaps

__all__ = ["Claim", "Mapping", "MappingError", "compile_mapping", "keys_disjoint", "overlaps"]
