"""`greylag drill`: a recovery that is tried before it is needed."""

from greylag.operations.drill.log import Drill, drills, keep
from greylag.operations.drill.region import drill_region
from greylag.operations.drill.restoring import DrillOptions, drill_backup, drill_point_in_time

__all__ = ["Drill", "DrillOptions", "drill_backup", "drill_point_in_time", "drill_region", "drills", "keep"]
