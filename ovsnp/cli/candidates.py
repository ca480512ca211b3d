"""The names that a shell offers for words about the cluster: nodes, and the ends of connections.

A shell waits for the answer and shows everything that is printed. So manifests with mistakes give no names, and slow
manifests give the names that are found in time.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from threading import Thread
from typing import Any

import click

from ovsnp import load
from ovsnp.cli.live import read_live
from ovsnp.kubernetes.resources import FOLLOWED, WORKLOADS
from ovsnp.model.cluster import Cluster
from ovsnp.yaml_reader.sources import STDIN

PATIENCE = 2.0
"""The seconds that a user waits for a name."""


def node_names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The names of nodes that begin with ``incomplete``."""
    return _offered(ctx, incomplete, _nodes)


def sources(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The names for SRC of a command about policies, which takes pods without an address too."""
    return _offered(ctx, incomplete, lambda cluster: _sources(ctx, _planned(cluster)))


def destinations(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Like `sources`, for DST."""
    return _offered(ctx, incomplete, lambda cluster: _destinations(ctx, _planned(cluster)))


def living_sources(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The names for SRC of a command about flows, which exist only for pods with an address."""
    return _offered(ctx, incomplete, lambda cluster: _sources(ctx, cluster))


def living_destinations(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Like `living_sources`, for DST."""
    return _offered(ctx, incomplete, lambda cluster: _destinations(ctx, cluster))


def _nodes(cluster: Cluster) -> Iterable[str]:
    return sorted(cluster.nodes or {pod.node for pod in cluster.pods if pod.node})


def _planned(cluster: Cluster) -> Cluster:
    from ovsnp.oracle.planned import with_planned  # noqa: PLC0415 -- needed only to complete a name

    (found,) = with_planned(cluster)
    return found


def _sources(ctx: click.Context, cluster: Cluster) -> Iterator[str]:
    from ovsnp.analysis.naming.roster import Roster  # noqa: PLC0415 -- needed only to complete a name

    yield from Roster(cluster, strict_nodes=bool(_given(ctx, "strict_nodes"))).sources()


def _destinations(ctx: click.Context, cluster: Cluster) -> Iterator[str]:
    from ovsnp.analysis.naming.nodes_and_services import service_names  # noqa: PLC0415 -- only to complete a name

    yield from service_names(cluster)
    yield from _sources(ctx, cluster)


def _given(ctx: click.Context, name: str) -> Any:
    return ctx.params.get(name) or (ctx.default_map or {}).get(name) or ()


def _offered(ctx: click.Context, incomplete: str, names: Callable[[Cluster], Iterable[str]]) -> list[str]:
    """The names that begin with ``incomplete``, from the input of the command line or the configuration."""
    found: list[str] = []
    # Standard input is the terminal, which has no manifests yet.
    files = [path for path in _given(ctx, "filename") if path != STDIN]

    def find() -> None:
        with suppress(Exception):
            cluster = load(files, ignore_kinds=_given(ctx, "ignore_kind")) if files else _live(ctx)
            found.extend(name for name in names(cluster) if name.startswith(incomplete))

    if files or _given(ctx, "cluster"):
        finder = Thread(target=find, daemon=True)
        finder.start()
        finder.join(PATIENCE)
    return [*found]


def _live(ctx: click.Context) -> Cluster:
    from ovsnp.manifests import load_lists  # noqa: PLC0415 -- needed only to complete a name

    kubeconfig, context, ignored = (_given(ctx, name) for name in ("kubeconfig", "context", "ignore_kind"))
    snapshot = read_live(kubeconfig or None, context or None, (*FOLLOWED, *WORKLOADS), ignored)
    return load_lists(snapshot.lists, snapshot.label, ignore_kinds=ignored)
