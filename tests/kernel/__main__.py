"""Runs tests on the kernel datapath, in a virtual machine: ``python -m tests.kernel``."""

import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from tests.kernel.building import BuildError, Image, image
from tests.kernel.machine import Machine, MachineError, booted
from tests.kernel.parts import PARTS
from tests.kernel.recipe import SUITES, recipe

_suite = click.option("--suite", type=click.Choice([*SUITES]), default="bookworm", show_default=True)
_port = click.option("--port", type=int, help="Where ssh answers on 127.0.0.1.  [default: a free one]")


@click.group()
def main() -> None:
    """A virtual machine with Open vSwitch's kernel datapath, and the checkout's tests in it."""


@main.command()
@_suite
def build(suite: str) -> None:
    """Build the machine, where it is not kept yet."""
    with _told():
        click.echo(str(image(recipe(suite)).directory))


@main.command()
@_suite
@_port
def boot(suite: str, port: int | None) -> None:
    """Boot a machine with the checkout in it, and keep it until interrupted."""
    with _told(), _machine(suite, port) as machine:
        click.echo(f"a shell: {shlex.join(machine.ssh())} -t ovsnp-guest")
        click.echo(f"the checkout again: python -m tests.kernel copy --port {machine.port} {machine.image.directory}")
        signal.pause()


@main.command()
@click.option("--port", type=int, required=True)
@click.argument("directory", type=click.Path(exists=True, path_type=Path))
def copy(port: int, directory: Path) -> None:
    """Put the checkout, as it is now, into a machine that was booted from the image in that directory."""
    with _told():
        Machine(Image(directory), port).copy_checkout()


@main.command(context_settings={"ignore_unknown_options": True})
@_suite
@_port
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def run(suite: str, port: int | None, command: Sequence[str]) -> None:
    """Boot a machine with the checkout in it, and run a command there; without one: a shell."""
    with _told(), _machine(suite, port) as machine:
        sys.exit(machine.run(command or ["bash"], terminal=not command))


@main.command()
@_suite
@click.option("--part", type=click.Choice([*PARTS]), default="whole", show_default=True)
def test(suite: str, part: str) -> None:
    """Run the lab's tests on the kernel datapath; the whole prints throughput, too."""
    with _told(), _machine(suite, None) as machine:
        for command in PARTS[part]:
            if (status := machine.run(command)) != 0:
                sys.exit(status)


@contextmanager
def _machine(suite: str, port: int | None) -> Iterator[Machine]:
    with booted(image(recipe(suite)), port) as machine:
        machine.copy_checkout()
        yield machine


@contextmanager
def _told() -> Iterator[None]:
    """Print errors as one sentence and exit with 4; let an interrupt end the machine."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except (BuildError, MachineError) as error:
        click.echo(f"kernel-test: {error}", err=True)
        sys.exit(4)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
