"""Cores in C: each stands beside the connector that calls it, is compiled by `compile` and found by `library`.

Where one could not be compiled its connector does the same in Python, slower: docs/decisions/0007-compiled-cores.md.
"""
