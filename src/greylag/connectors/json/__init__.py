"""JSON files as a source: arrays of objects, and JSON Lines, plain or gzipped, streamed and exact."""

from greylag.connectors.json.connector import connector

__all__ = ["connector"]
