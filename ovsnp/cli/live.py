"""--cluster: the objects of a live cluster in place of manifests."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from ovsnp.errors import OvsnpError, UsageError
from ovsnp.kubernetes.resources import Resource

if TYPE_CHECKING:
    from ovsnp.kubernetes.snapshot import Snapshot


def _contexts(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from ovsnp.kubernetes.configuration import context_names  # noqa: PLC0415 -- needed only to complete a name

    try:
        names = context_names(ctx.params.get("kubeconfig"))
    except OvsnpError:  # a shell shows everything that is printed
        return []
    return [name for name in names if name.startswith(incomplete)]


kubeconfig_option = click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="How to reach the cluster.  [default: as kubectl finds it]",
)
context_option = click.option(
    "--context", metavar="NAME", shell_complete=_contexts, help="The context of the kubeconfig."
)

reaching_options = (kubeconfig_option, context_option)
"""The options that say which cluster is meant."""

live_options = (
    click.option("--cluster", is_flag=True, help="Read the objects of a live cluster, instead of -f."),
    *reaching_options,
)


def choose_input(ctx: click.Context, manifests: tuple[str, ...], *, live: bool) -> tuple[tuple[str, ...], bool]:
    """Of the manifests and the live cluster, the one that counts: what the command line names overrides the file.

    Raises UsageError if both are named in one place.
    """
    if not (manifests and live):
        return manifests, live
    typed = [name for name in ("filename", "cluster") if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if len(typed) != 1:
        raise UsageError("-f and --cluster exclude each other; choose the manifests or the live cluster")
    return ((), True) if typed == ["cluster"] else (manifests, False)


def read_live(
    kubeconfig: Path | None, context: str | None, resources: Sequence[Resource], ignore_kinds: Sequence[str]
) -> "Snapshot":
    """The objects of a live cluster; ``ignore_kinds`` are kinds of policies to pass over.

    Raises UsageError or InputError if the configuration has a mistake, ApiServerError if the API server refuses.
    """
    from ovsnp.kubernetes.configuration import find_api_server  # noqa: PLC0415 -- HTTP and TLS take time to import
    from ovsnp.kubernetes.connection import ApiConnection  # noqa: PLC0415
    from ovsnp.kubernetes.snapshot import read_snapshot  # noqa: PLC0415

    with ApiConnection(find_api_server(kubeconfig, context)) as connection:
        return read_snapshot(connection, resources, ignore_kinds)


def live_label(kubeconfig: Path | None, context: str | None) -> str:
    """The name of the live cluster in messages; raises the errors of its configuration, as `read_live`."""
    from ovsnp.kubernetes.configuration import find_api_server  # noqa: PLC0415

    return find_api_server(kubeconfig, context).label
