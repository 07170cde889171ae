"""What `make bench` measures, each figure beside what a user would do otherwise. RESULTS.md has the last run."""
