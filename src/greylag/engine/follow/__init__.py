"""Following: changes from a source's stream to a durable spool, and from there to the target."""
