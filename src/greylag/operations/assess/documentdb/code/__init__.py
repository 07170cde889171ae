"""Source code of any language: which of MongoDB's operators, calls and addresses stand in it, and where."""
