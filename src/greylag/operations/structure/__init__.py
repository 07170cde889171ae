"""Collections made as their source's are: what becomes of each option and index, and the building of indexes."""
