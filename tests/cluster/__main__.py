"""A real API server: ``python -m tests.cluster``."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ovsnp.cli.standing_lab import interruptible
from ovsnp.cli.terminal import Terminal
from ovsnp.errors import OvsnpError
from tests.cluster.building import BuildError, built
from tests.cluster.client import ApiError
from tests.cluster.control_plane import KubectlError, running
from tests.cluster.daemon import DaemonError
from tests.cluster.live import live


@click.group()
def main() -> None:
    """The programs of a Kubernetes control plane for the tests: etcd, kube-apiserver and kubectl."""


@main.command()
def build() -> None:
    """Build the programs with Go, unless they are there; print their directory."""
    with _errors():
        click.echo(str(built()))


@main.command()
@click.option("-f", "manifests", multiple=True, type=click.Path(exists=True, path_type=Path), help="What to load.")
def run(manifests: tuple[Path, ...]) -> None:
    """Start a control plane, load manifests with their status, and keep it until interrupted."""
    with _errors(), running(built()) as control_plane:
        control_plane.load(*manifests)
        click.echo(f"export KUBECONFIG={control_plane.kubeconfig}")
        signal.pause()


@main.command("live")
def show_live() -> None:
    """Show the lab's demo, with agents and policies applied by kubectl; exit with 1 if a cell is wrong."""
    with _errors(), interruptible(), running(built()) as control_plane:
        good = live(control_plane, "ovsnp-live", Terminal(highlight=False).write, click.echo)
    sys.exit(0 if good else 1)


@contextmanager
def _errors() -> Iterator[None]:
    """Print errors as one sentence and exit with 4; let an interrupt end the control plane."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except (ApiError, BuildError, DaemonError, KubectlError, OvsnpError) as error:
        click.echo(f"cluster: {error}", err=True)
        sys.exit(4)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
