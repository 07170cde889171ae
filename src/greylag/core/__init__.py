"""What flows through Greylag, and what holds it. Imports the standard library only."""
