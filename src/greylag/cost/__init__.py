"""What AWS charges and how fast it lets one write: prices with their dates, formulas with their assumptions.

Money and quantities are `Decimal` throughout. Nothing here reads a network or the environment.
"""
