"""``ovsnp console``."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ovsnp.agent.serving.control_client import DEFAULT_SOCKET
from ovsnp.cli.options import Request, shared_options
from ovsnp.cli.plain import say
from ovsnp.console.security.listening import DEFAULT_LISTEN, read_listen
from ovsnp.errors import UsageError
from ovsnp.oracle.terms import Terms

if TYPE_CHECKING:
    from ovsnp.console.editor.stores import PolicyStore
    from ovsnp.console.workspace.cluster_source import ClusterSource

_LIBRARIES = ("starlette", "uvicorn")


@click.command()
@click.option(
    "--listen",
    metavar="HOST:PORT",
    default=DEFAULT_LISTEN,
    show_default=True,
    help="Where browsers connect; port 0 is any free port. An address that other hosts reach needs TLS.",
)
@click.option("--tls-cert", type=click.Path(path_type=Path), metavar="FILE", help="The certificate for TLS, in PEM.")
@click.option("--tls-key", type=click.Path(path_type=Path), metavar="FILE", help="The key of the certificate, in PEM.")
@click.option("--read-only", is_flag=True, help="Write nothing: no page changes a policy.")
@click.option(
    "--socket",
    "control_socket",
    type=click.Path(path_type=Path),
    default=DEFAULT_SOCKET,
    show_default=True,
    metavar="PATH",
    help="The control socket of this host's agent, for drops and connections.",
)
@partial(shared_options, outputs=("text",))
def console(
    request: Request,
    *,
    listen: str,
    tls_cert: Path | None,
    tls_key: Path | None,
    read_only: bool,
    control_socket: Path,
) -> None:
    """Show and edit policies in a browser: what they select, whom they admit, and why.

    A form or YAML creates and edits policies; the effect on connections is shown before anything is saved.

    Prints a URL with a token that one browser can use once, and opens a browser where there is one. Manifests are read
    again when they change; with --cluster the pages follow the live cluster, with the permissions of the kubeconfig.
    Runs in the foreground; SIGINT (Ctrl-C) and SIGTERM end it.
    """
    try:
        from ovsnp.console.editor.drafts import Drafts  # noqa: PLC0415
        from ovsnp.console.pages.site import Site  # noqa: PLC0415 -- an extra, and slow to import
        from ovsnp.console.serving import serve  # noqa: PLC0415
        from ovsnp.console.workspace.workspace import Workspace  # noqa: PLC0415
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in _LIBRARIES:
            raise
        raise UsageError(f"the console needs {library}; install it: pip install 'ovsnp[console]'") from None
    address = read_listen(listen, tls_cert, tls_key)
    with ExitStack() as stack:
        source, store = _source(request, stack)
        terms = Terms(request.strict_nodes, request.service_blocks, request.node)
        workspace = Workspace(source, terms, request.service_cidrs)
        workspace.current()  # the first page then need not wait
        serve(Site(workspace, store, read_only, control_socket, Drafts()), address, say)


def _source(request: Request, stack: ExitStack) -> "tuple[ClusterSource, PolicyStore]":
    """The manifests or the live cluster, and where policies are saved; raises UsageError if neither is named."""
    if request.from_cluster:
        from ovsnp.console.editor.stores import ClusterStore  # noqa: PLC0415
        from ovsnp.console.workspace.live_cluster import LiveCluster  # noqa: PLC0415 -- HTTP and TLS take time
        from ovsnp.kubernetes.configuration import find_api_server  # noqa: PLC0415
        from ovsnp.kubernetes.connection import ApiConnection  # noqa: PLC0415

        server = find_api_server(request.kubeconfig, request.context)
        cluster = stack.enter_context(LiveCluster(ApiConnection(server), request.ignore_kinds))
        return cluster, ClusterStore(stack.enter_context(ApiConnection(server)))
    if not request.manifests:
        raise UsageError("no manifests; name them with -f, or as manifests: in ovsnp.yaml, or give --cluster")
    from ovsnp.console.editor.stores import FileStore  # noqa: PLC0415
    from ovsnp.console.workspace.manifest_files import ManifestFiles  # noqa: PLC0415

    return ManifestFiles(request.manifests, request.ignore_kinds), FileStore(request.manifests)
