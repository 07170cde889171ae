"""Collections made as their source's are: what becomes of each option and index, and the building of indexes."""

from greylag.operations.structure.build import Built, build_indexes
from greylag.operations.structure.decide import Fate, Made, decide

__all__ = ["Built", "Fate", "Made", "build_indexes", "decide"]
