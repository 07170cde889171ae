"""What AWS charges and how fast it lets one write: prices with their dates, formulas with their assumptions."""
