"""The command line: one module for each subcommand, imported when it is called."""

import importlib
import io
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from ovsnp import __version__
from ovsnp.cli.output import flush_output, guard_output
from ovsnp.cli.plain import tell
from ovsnp.errors import Exit, LocatedError, OutputError, OvsnpError

_COMMANDS = {
    "agent": "follow a cluster, and keep the bridge of this node as the policies say",
    "apply": "compile, then change the bridge to exactly these flows",
    "check": "who reaches whom, compared with a file of expectations",
    "compile": "compile manifests to flows, on stdout",
    "connections": "live connections of this node, with the rules that admitted them",
    "console": "policies in a browser, shown and edited: what they select, whom they admit, and why",
    "completion": "a script with which a shell completes ovsnp's command lines",
    "diff": "what a change does: to the flows of a bridge, or to who reaches whom",
    "drops": "packets that policies drop on this node, with the policies",
    "explain": "whether one end may connect to another, and why; or all about one pod",
    "lab": "a cluster of nodes and pods on this machine, with real packets",
    "lint": "policies that do not do what they seem to do",
    "matrix": "who reaches whom, as text, JSON, CSV or a picture",
    "mtu": "the MTU that pods should have",
    "status": "on which nodes each policy is enforced, and why not elsewhere; how each agent is",
    "top": "connections admitted by rule and packets dropped by pod, per second",
    "trace": "the path of a packet through the real bridges, table by table, in words",
    "verify": "proof that the flows do what the policies say",
    "wait": "wait until a policy is enforced on all nodes that it concerns",
}


COMMANDS: Mapping[str, str] = _COMMANDS
"""The purpose of each command, by its name."""


class _ReaderGoneError(Exception):
    """The reader has closed the output; click would exit with 1, which is an answer here."""


class _Commands(click.Group):
    """Imports the module of a subcommand only when it is needed: `compile` should not wait for the lab's imports."""

    def make_context(self, *given: Any, **extra: Any) -> click.Context:
        try:
            return super().make_context(*given, **extra)
        except BrokenPipeError:
            raise _ReaderGoneError from None

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise _ReaderGoneError from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"ovsnp.cli.commands.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands that begin with ``incomplete``, with their purpose, and the options; imports none."""
        found = [CompletionItem(name, help=words) for name, words in _COMMANDS.items() if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="ovsnp %(version)s", help="Show the version and exit.")
def ovsnp() -> None:
    """Compile Kubernetes NetworkPolicy into OpenFlow rules for Open vSwitch."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line, by default that of the process; exits with a code of `Exit`, never with a traceback."""
    guard_output()
    try:
        try:
            sys.exit(ovsnp.main(arguments, standalone_mode=False))
        finally:
            flush_output()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        sys.exit(Exit.USAGE)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        tell(shown.getvalue().rstrip())
        sys.exit(Exit.USAGE)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(Exit.INTERRUPTED)
    except OvsnpError as error:
        if isinstance(error, OutputError):
            _forget_output()
        tell(str(error) if isinstance(error, LocatedError) else f"ovsnp: {error}")
        sys.exit(error.exit_code)
    except (_ReaderGoneError, BrokenPipeError):
        _forget_output()
        sys.exit(Exit.DONE)
    except Exception as error:
        tell(f"ovsnp: internal error, please report it: {type(error).__name__}: {error}")
        sys.exit(Exit.INTERNAL)


def _forget_output() -> None:
    """Send the output that is still to be flushed to the null device."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
