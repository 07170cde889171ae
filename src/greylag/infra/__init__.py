"""Infrastructure: Terraform as an operations team keeps it, and what checks it without a network."""
