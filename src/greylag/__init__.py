"""Greylag moves a running application's data onto AWS and proves that nothing was lost."""

from importlib.metadata import version

__version__ = version("greylag")
