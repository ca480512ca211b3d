"""Names that a shell offers for what is written of the cluster: nodes, and the ends of connections.

A shell waits for the answer and shows whatever is printed, so manifests that are wrong offer nothing, and those that
take long offer what is found in time.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from threading import Thread

import click

from ovsnp import load
from ovsnp.model.cluster import Cluster
from ovsnp.yaml_reader.sources import STDIN

PATIENCE = 2.0
"""Seconds that somebody waits for a name."""


def node_names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The nodes that begin like this."""
    return _offered(ctx, incomplete, _nodes)


def sources(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """What begins like this and may be SRC of a command about policies, which takes pods without an address, too."""
    return _offered(ctx, incomplete, lambda cluster: _sources(ctx, _planned(cluster)))


def destinations(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """As `sources`, of DST."""
    return _offered(ctx, incomplete, lambda cluster: _destinations(ctx, _planned(cluster)))


def living_sources(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """What begins like this and may be SRC of a command about flows, which are those of pods with an address."""
    return _offered(ctx, incomplete, lambda cluster: _sources(ctx, cluster))


def living_destinations(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """As `living_sources`, of DST."""
    return _offered(ctx, incomplete, lambda cluster: _destinations(ctx, cluster))


def _nodes(cluster: Cluster) -> Iterable[str]:
    return sorted(cluster.nodes or {pod.node for pod in cluster.pods if pod.node})


def _planned(cluster: Cluster) -> Cluster:
    from ovsnp.oracle.planned import with_planned  # noqa: PLC0415 -- only who completes a name waits for it

    (found,) = with_planned(cluster)
    return found


def _sources(ctx: click.Context, cluster: Cluster) -> Iterator[str]:
    from ovsnp.analysis.naming.roster import Roster  # noqa: PLC0415 -- only who completes a name waits for it

    yield from Roster(cluster, strict_nodes=bool(_given(ctx, "strict_nodes"))).sources()


def _destinations(ctx: click.Context, cluster: Cluster) -> Iterator[str]:
    from ovsnp.analysis.naming.nodes_and_services import service_names  # noqa: PLC0415 -- only who completes a name waits

    yield from service_names(cluster)
    yield from _sources(ctx, cluster)


def _given(ctx: click.Context, name: str) -> Sequence[str]:
    return ctx.params.get(name) or (ctx.default_map or {}).get(name) or ()


def _offered(ctx: click.Context, incomplete: str, names: Callable[[Cluster], Iterable[str]]) -> list[str]:
    """The names, in the manifests that the command line or the configuration names, that begin like this."""
    found: list[str] = []

    def find() -> None:
        with suppress(Exception):
            cluster = load(files, ignore_kinds=_given(ctx, "ignore_kind"))
            found.extend(name for name in names(cluster) if name.startswith(incomplete))

    # Standard input is the terminal's, and has no manifests yet.
    if files := [path for path in _given(ctx, "filename") if path != STDIN]:
        finder = Thread(target=find, daemon=True)
        finder.start()
        finder.join(PATIENCE)
    return [*found]
