"""The command `greylag`: its options, its verbs, and what becomes of an error.

Every error of `greylag.errors` is its message and advice on stderr and its exit code; a traceback is shown with
`--debug` alone.
"""

from __future__ import annotations

import errno
import importlib
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from greylag.cli import INTERRUPTED
from greylag.cli.invocation import Invocation, answer
from greylag.core.nearest import did_you_mean
from greylag.errors import AuthenticationError, GreylagError, ResourceError

if TYPE_CHECKING:
    from collections.abc import Callable

VERBS = {
    "init": "Write a first greylag.yaml for a folder.",
    "check": "Say what greylag.yaml means and what is wrong with it.",
    "schema": "Print the JSON schema of greylag.yaml, for editors.",
    "assess": "Say what the sources hold and what stands in the way of moving it.",
    "preview": "Show records beside the items they become.",
    "plan": "Say what a run would create, carry, refuse and cost.",
    "cost": "Say what the project costs a month, what moving it costs, and what other choices would.",
    "rehearse": "Carry out the whole migration on servers of this machine.",
    "run": "Carry every record to its target; continue where the last run stopped.",
    "indexes": "Say what became of the sources' indexes, and build them.",
    "verify": "Compare every record with its target.",
    "fence": "Make the old store refuse a service's writes.",
    "follow": "Carry the target's changes back to the old store.",
    "certificate": "Hold a certificate against source or target.",
    "repair": "Write what verification finds missing or different.",
    "drain": "Wait until everything written before now has been applied.",
    "quarantine": "List, show and retry records that could not be carried.",
    "status": "Show how far a run is.",
    "backup": "Back up tables, collections and files.",
    "restore": "Restore a backup, and what a restored table lacks.",
    "inspect": "Say how tables stand, and what they lack.",
    "env": "Write .env templates for development and production.",
    "seed": "Write sample data that looks like the project's.",
    "drill": "Try a recovery, and measure it.",
    "provision": "Make tables, buckets and queues without Terraform.",
    "deprovision": "Remove what provision made.",
    "infra": "Render and check the Terraform of the project.",
    "lab": "Start and stop real servers on this machine, for rehearsals.",
}
"""Every verb and its line in `greylag --help`. `greylag.cli.<verb>` exports a command of that name."""

_READS_ONLY = "Nothing was changed; the same command begins anew."
_INTERRUPTED = {
    **dict.fromkeys(("init", "check", "assess", "preview", "plan", "cost", "status", "inspect"), _READS_ONLY),
    "run": "The same command goes on from the last checkpoint.",
    **dict.fromkeys(("backup", "restore"), "The same command goes on from the last part that was written."),
}
"""What an interrupted verb left, where more can be said of it than that it may be run again."""


class _Verbs(click.Group):
    """Finds a verb's module when the verb is called, and turns errors into messages and exit codes."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        try:
            return super().make_context(*args, **extra)
        except KeyboardInterrupt:  # no verb has begun; click would end with 1
            click.echo("greylag: interrupted", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        module = f"greylag.cli.{cmd_name}"
        try:
            command: click.Command = getattr(importlib.import_module(module), cmd_name)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            return None
        _accept_project_options(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            ctx.fail(f"there is no command {args[0]!r}{did_you_mean(args[0], VERBS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Known before any verb is imported, so that a failure to import one can be traced too.
        invocation = ctx.ensure_object(Invocation)
        invocation.debug = "--debug" in args
        invocation.as_json = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.exceptions.Exit:
            raise
        except click.ClickException as error:
            _answer_error(ctx, "UsageError", error.format_message(), "", error.exit_code)
            raise
        except (KeyboardInterrupt, click.Abort):
            again = _INTERRUPTED.get(ctx.invoked_subcommand or "", "The same command may be run again.")
            click.echo(f"greylag: interrupted\n{again}", err=True)
            _answer_error(ctx, "Interrupted", "interrupted", "", INTERRUPTED)
            ctx.exit(INTERRUPTED)
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # the reader of our output is gone; click ends quietly
            if ctx.ensure_object(Invocation).debug:
                traceback.print_exc()
            ctx.exit(_report(ctx, error))


def _report(ctx: click.Context, error: Exception) -> int:
    """Print `error` on stderr, and where `--json` asks for it on stdout; the exit code."""
    from greylag.config import InvalidProject

    known = _known(error)
    if known is not None:
        told = known.message if isinstance(known, InvalidProject) else f"greylag: {known.message}"
        click.echo(told, err=True)
        if known.advice:
            click.echo(known.advice, err=True)
        _answer_error(ctx, type(known).__name__, known.message, known.advice, known.exit_code)
        return known.exit_code
    defect = f"a defect in Greylag: {type(error).__name__} in {_place(error)}"
    advice = (
        "Nothing you wrote should lead here. Run the command again with --debug and report what it prints, with\n"
        "`greylag --version`, where you got Greylag from. Read it first: it may hold values of your data."
    )
    click.echo(f"greylag: {defect}\n{advice}", err=True)
    _answer_error(ctx, GreylagError.__name__, defect, advice, GreylagError.exit_code)
    return GreylagError.exit_code


def _answer_error(ctx: click.Context, kind: str, message: str, advice: str, exit_code: int) -> None:
    """The document of `--json` for a command that failed before it could print its own."""
    invocation = ctx.ensure_object(Invocation)
    if invocation.as_json and not invocation.answered:
        told = {"kind": kind, "message": message, "advice": advice, "exit_code": exit_code}
        with ctx:
            answer({"error": told})


def _known(error: Exception) -> GreylagError | None:
    if isinstance(error, GreylagError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        at = f" at {error.filename}" if error.filename else ""
        return ResourceError(
            f"the disk is full{at}", advice="Make room and run the command again: it continues."
        )
    if (
        isinstance(error, OSError)
        and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
        and error.filename
    ):
        return AuthenticationError(
            f"{error.filename}: {(error.strerror or 'permission denied').lower()}",
            advice="Give the user that runs greylag permission to read and write there.",
        )
    if isinstance(error, MemoryError):
        return ResourceError(
            "this process may use no more memory", advice="Raise its limit, or use fewer workers."
        )
    return None


def _place(error: Exception) -> str:
    """The innermost line of Greylag that `error` passed through. Its message is not shown: it may hold a secret."""
    package = Path(__file__).parents[1]
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(package)
    ]
    if not frames:
        return "an unknown place"
    inside = Path(frames[-1].filename).relative_to(package.parent).as_posix()
    return f"{inside}, line {frames[-1].lineno}"


def _store(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def store(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        if value not in (None, False):
            setattr(ctx.ensure_object(Invocation), name, value)

    return store


def _project_options() -> list[click.Option]:
    return [
        click.Option(
            ["--file", "-f"],
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="The project's file instead of greylag.yaml.",
            expose_value=False,
            callback=_store("file"),
        ),
        click.Option(
            ["--env"],
            metavar="NAME",
            help="The environment whose overlay and variables apply.",
            expose_value=False,
            callback=_store("environment"),
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            help="Show tracebacks.",
            expose_value=False,
            callback=_store("debug"),
        ),
    ]


def _accept_project_options(command: click.Command) -> None:
    """Let the project's options stand after the verb too, where one looks for them."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            _accept_project_options(below)
        return
    taken = {text for param in command.params for text in param.opts}
    command.params.extend(option for option in _project_options() if not taken & set(option.opts))


def _tell_version(ctx: click.Context) -> None:
    from greylag import __version__
    from greylag.connectors.compiled.library import there

    click.echo(f"greylag, version {__version__} (compiled cores: {', '.join(there()) or 'none'})")
    ctx.exit()


@click.group(
    cls=_Verbs,
    params=_project_options(),
    context_settings={"help_option_names": ["--help", "-h"]},
    invoke_without_command=False,
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda ctx, _, asked: _tell_version(ctx) if asked else None,
    help="Show the version, and which compiled cores are used, and exit.",
)
@click.pass_context
def greylag(ctx: click.Context) -> None:
    """Move an application's data onto AWS, and prove that nothing was lost."""
    ctx.ensure_object(Invocation)
