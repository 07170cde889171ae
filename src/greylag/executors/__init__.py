"""Where partitions run: local processes now, an existing cluster later."""
