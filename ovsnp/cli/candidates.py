"""Names that a shell offers for what is written of the cluster: nodes, and the ends of connections.

A shell waits for the answer and shows whatever is printed, so manifests that are wrong, or take long, offer nothing.
"""

from collections.abc import Iterator, Sequence
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
    return [name for cluster in _clusters(ctx) for name in sorted(cluster.nodes) if name.startswith(incomplete)]


def sources(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Pods, workloads and nodes that begin like this, as SRC names them."""
    return [name for cluster in _clusters(ctx) for name in _ends(cluster) if name.startswith(incomplete)]


def destinations(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Pods, workloads, nodes and Services that begin like this, as DST names them."""
    services = [f"svc/{service.key}" for cluster in _clusters(ctx) for service in cluster.services]
    return [*sources(ctx, parameter, incomplete), *(name for name in services if name.startswith(incomplete))]


def _ends(cluster: Cluster) -> Iterator[str]:
    yield from (pod.name for pod in cluster.pods if pod.namespace == "default")
    yield from (pod.key for pod in cluster.pods)
    yield from sorted({pod.workload.key for pod in cluster.pods if pod.workload})
    yield from (f"node/{name}" for name in sorted(cluster.nodes))


def _clusters(ctx: click.Context) -> list[Cluster]:
    """The cluster of the manifests that the command line or the configuration names; none where it cannot be read.

    It is read only once for a command line.
    """
    key = f"{__name__}.cluster"
    if key not in ctx.meta:
        ctx.meta[key] = _read(_given(ctx, "filename"), _given(ctx, "ignore_kind"))
    found: list[Cluster] = ctx.meta[key]
    return found


def _given(ctx: click.Context, name: str) -> Sequence[str]:
    return ctx.params.get(name) or (ctx.default_map or {}).get(name) or ()


def _read(paths: Sequence[str], ignored: Sequence[str]) -> list[Cluster]:
    found: list[Cluster] = []

    def read() -> None:
        with suppress(Exception):
            found.append(load(files, ignore_kinds=ignored))

    # Standard input is the terminal's, and has no manifests yet.
    if files := [path for path in paths if path != STDIN]:
        reader = Thread(target=read, daemon=True)
        reader.start()
        reader.join(PATIENCE)
    return [*found]
