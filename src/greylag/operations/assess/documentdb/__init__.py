"""What stands in the way of a move to DocumentDB: in data, indexes, code, connections and users."""
