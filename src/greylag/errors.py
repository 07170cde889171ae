"""The errors a user can meet, each with its exit code.

::

    GreylagError                    1  a defect in Greylag itself, when nothing below fits
    ├── ConfigurationError          3  greylag.yaml, an environment file, a template, a command's argument
    ├── ConnectorError              6  a source or a target said no, and saying it again will not help
    │   ├── TransientError          4  away, slow or throttled, for longer than Greylag was told to wait
    │   ├── AuthenticationError     5  credentials or permissions
    │   ├── SchemaError             6  a table that is missing, or whose keys differ
    │   └── SourceDataError         6  a file that is not what it claims to be (truncated or invalid JSON)
    ├── StateError                  7  a checkpoint that belongs to something else, a run that is already going
    │   └── PositionLost           13  the source no longer has the changes after the position that was reached
    ├── ResourceError               8  this machine's own: disk full, memory limit, missing program
    ├── Quarantined                10  the work is done, but records stand in quarantine
    ├── VerificationFailed         11  the work is done, and source and target differ
    ├── FindingsAbove              12  a look found something as bad as `--fail-on` says
    └── NotDrained                 14  not everything written before was applied in the time given

2 is a wrong command line, 130 an interrupt (Ctrl-C). Only a TransientError is ever retried. Messages say what
failed, why, and what to do next; none holds a secret.
"""

from __future__ import annotations


class GreylagError(Exception):
    """What failed and why (`message`), and what to do next (`advice`)."""

    exit_code = 1

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}\n{self.advice}" if self.advice else self.message

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.advice)


def _rebuild(kind: type[GreylagError], message: str, advice: str) -> GreylagError:
    """Errors cross process borders: pickling must keep the advice."""
    return kind(message, advice=advice)


class ConfigurationError(GreylagError):
    """greylag.yaml, an environment file, a template or an argument cannot be used as it stands."""

    exit_code = 3


class ConnectorError(GreylagError):
    """A source or target refused, and would refuse again."""

    exit_code = 6


class TransientError(ConnectorError):
    """A source or target is away, slow or throttled; the same request may succeed later."""

    exit_code = 4


class AuthenticationError(ConnectorError):
    """Credentials are missing or wrong, or a permission is."""

    exit_code = 5


class SchemaError(ConnectorError):
    """A table is missing, or is not the one greylag.yaml describes."""


class SourceDataError(ConnectorError):
    """A source's bytes are not what they claim to be."""


class StateError(GreylagError):
    """The state under `.greylag/` cannot be used: it belongs to something else, or someone else is using it."""

    exit_code = 7


class PositionLost(StateError):  # noqa: N818
    """The source's history no longer reaches back to the position: some changes can never be read."""

    exit_code = 13


class ResourceError(GreylagError):
    """This machine lacks something: disk space, memory, a program."""

    exit_code = 8


class Quarantined(GreylagError):  # noqa: N818
    """The work is done; some records could not be carried and stand in quarantine."""

    exit_code = 10


class VerificationFailed(GreylagError):  # noqa: N818
    """The work is done; source and target differ."""

    exit_code = 11


class FindingsAbove(GreylagError):  # noqa: N818
    """The look is done; it found something at least as bad as `--fail-on` says."""

    exit_code = 12


class NotDrained(GreylagError):  # noqa: N818
    """What was written before the call has not all been applied in the time given."""

    exit_code = 14
