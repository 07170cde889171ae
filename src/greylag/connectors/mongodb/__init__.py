"""MongoDB as a source: replica sets, sharded clusters and standalone servers."""

from greylag.connectors.mongodb.connector import connector

__all__ = ["connector"]
