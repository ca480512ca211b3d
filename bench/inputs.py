"""The generated clusters as files and in memory; a file is made at its first use."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench.api_objects import write_list
from bench.generate import cluster, cluster_with_services
from bench.layout import SIZES
from bench.table import table
from ovsnp.lab.datapath import DatapathType

NODE = "node-0"


class Inputs(NamedTuple):
    """The directory of the files, and what to measure.

    ``sizes`` are the clusters, ``runs`` the number of times that a time is taken. ``only_minimal`` leaves full objects
    out. ``datapath`` is that of labs.
    """

    directory: Path
    sizes: tuple[str, ...]
    runs: int
    only_minimal: bool
    datapath: DatapathType

    def file(self, size: str, *, minimal: bool) -> Path:
        """The cluster as ``kubectl get -o json`` prints it."""
        return self._made(f"{size}{'-minimal' if minimal else ''}", cluster(SIZES[size], minimal=minimal))

    def file_with_services(self, size: str, *, minimal: bool) -> Path:
        """The same with Services and EndpointSlices."""
        name = f"{size}-services{'-minimal' if minimal else ''}"
        return self._made(name, cluster_with_services(SIZES[size], minimal=minimal))

    def _made(self, name: str, objects: Iterator[str]) -> Path:
        path = self.directory / f"{name}.json"
        if not path.exists():
            with path.open("w", encoding="utf-8") as file:
                write_list(objects, file)
        return path

    def objects(self, size: str) -> Iterator[Any]:
        """The same objects, parsed, with only the fields that the compiler needs."""
        return map(json.loads, cluster(SIZES[size], minimal=True))

    def described(self) -> str:
        """The clusters in numbers, as text."""
        return (
            "The clusters are those of `python -m bench.generate`; the flows are those of node-0. Each namespace has"
            " ten policies: default deny, same namespace, by app, by tier, from monitoring, from all pods, port ranges"
            " and names, DNS, ipBlocks with one to four excepts, to another app.\n\n"
            + table(
                ("size", "pods", "nodes", "namespaces", "policies", "pods on node-0"),
                [
                    (name, size.pods, size.nodes, size.namespaces, size.namespaces * 10, size.local)
                    for name, size in SIZES.items()
                    if name in self.sizes
                ],
            )
        )
