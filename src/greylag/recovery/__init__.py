"""Backups, their restores, and the settings of tables that a restore has to put back."""
