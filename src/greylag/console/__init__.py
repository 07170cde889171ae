"""Views of a snapshot: bars in a terminal, plain lines elsewhere. They render and decide nothing."""
