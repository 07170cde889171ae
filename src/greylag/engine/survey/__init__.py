"""Reads records and sums up what they would become at their target, without writing anything."""
