"""Moves and proves: load, verify, repair, quarantine. Knows the ports and no connector."""
