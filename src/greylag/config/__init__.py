"""greylag.yaml: its shape, its environments and variables, and the project it describes.

The only package that reads the process's environment.
"""

from greylag.config.load import DEFAULT_FILE, environment_names, load, read_variables
from greylag.config.problems import InvalidProject, Problem
from greylag.config.project import EVERY, Connection, Project
from greylag.config.schema import schema
from greylag.config.sources import SourceFlow, Sources, load_sources

__all__ = [
    "DEFAULT_FILE",
    "EVERY",
    "Connection",
    "InvalidProject",
    "Problem",
    "Project",
    "SourceFlow",
    "Sources",
    "environment_names",
    "load",
    "load_sources",
    "read_variables",
    "schema",
]
