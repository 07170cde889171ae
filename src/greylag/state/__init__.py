"""What a run remembers: checkpoints in SQLite, and the locks that keep two runs apart."""
