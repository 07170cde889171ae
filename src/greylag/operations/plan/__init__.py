"""`greylag plan`: what a run would create, carry, refuse and cost, before anything is written."""
