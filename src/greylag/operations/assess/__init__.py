"""`greylag assess`: what the sources hold, and what stands in the way of moving it. Reads sources only."""
