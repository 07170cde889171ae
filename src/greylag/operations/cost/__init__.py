"""`greylag cost`: what a project costs a month, what moving it costs, and what other choices would cost."""

from greylag.operations.cost.compare import PRESETS, compare_presets
from greylag.operations.cost.cost import CostOptions, cost
from greylag.operations.cost.report import CostReport

__all__ = ["PRESETS", "CostOptions", "CostReport", "compare_presets", "cost"]
