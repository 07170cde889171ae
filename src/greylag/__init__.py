"""Greylag moves a running application's data onto AWS and proves that nothing was lost."""

__version__ = "0.1.0"
