"""`greylag assess`: what the sources hold, and what stands in the way of moving it. Reads sources only."""

from greylag.operations.assess.assess import DEFAULT_SAMPLE, AssessOptions, assess
from greylag.operations.assess.report import Assessed, Assessment

__all__ = ["DEFAULT_SAMPLE", "AssessOptions", "Assessed", "Assessment", "assess"]
