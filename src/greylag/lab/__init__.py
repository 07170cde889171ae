"""Real servers on this machine, for rehearsals and tests."""

from greylag.lab.lab import DEFAULT, SERVERS, Lab, ServerStatus, temporary_lab

__all__ = ["DEFAULT", "SERVERS", "Lab", "ServerStatus", "temporary_lab"]
