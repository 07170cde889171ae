"""An executor of one worker in this very process, for tests that need no other."""

from greylag.executors.inline import Inline

__all__ = ["Inline"]
