"""Renders Terraform from a project: text only, the same bytes for the same project."""
