"""Where data comes from and goes to: one module per protocol, found by `kind` through the registry."""
