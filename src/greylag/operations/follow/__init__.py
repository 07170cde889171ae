"""`greylag run --follow`: loaded, then followed until told to stop."""

from greylag.operations.follow.follow import follow
from greylag.operations.follow.report import FollowReport

__all__ = ["FollowReport", "follow"]
