"""The options that several commands share, and the values that follow from them."""

import re
import socket
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ovsnp import load
from ovsnp.cli.configuration import config_option
from ovsnp.cli.flow_options import DATABASE, FLOWS
from ovsnp.cli.live import choose_input, live_label, live_options, read_live
from ovsnp.cli.plain import tell
from ovsnp.errors import Diagnostic, InputError, Span, UsageError
from ovsnp.kubernetes.resources import FOLLOWED, WORKLOADS, Resource
from ovsnp.manifests import advice, load_lists, located
from ovsnp.model.address import Prefix, parse_prefix
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Carrier, Encap, Established, Options
from ovsnp.switch.location import Location, locate
from ovsnp.yaml_reader.sources import STDIN

if TYPE_CHECKING:
    from ovsnp.kubernetes.snapshot import Snapshot

OUTPUTS = ("text", "json")
_BRIDGE = re.compile(r"[A-Za-z0-9._-]+")


class Request(msgspec.Struct, frozen=True):
    """The options that all commands share, as the user gave them."""

    manifests: tuple[str, ...]
    from_cluster: bool
    kubeconfig: Path | None
    context: str | None
    ignore_kinds: tuple[str, ...]
    bridge: str
    node: str | None
    encap: Encap
    strict_nodes: bool
    masquerade: bool
    service_blocks: bool
    log_drops: bool
    service_cidr: tuple[str, ...]
    geneve_class: int
    geneve_types: tuple[int, int]
    databases: tuple[str, ...]
    ports: Path | None
    output: str
    verbose: bool
    quiet: bool
    no_color: bool

    def cluster(self, resources: Sequence[Resource] = (*FOLLOWED, *WORKLOADS)) -> Cluster:
        """Load the manifests, or these kinds of a live cluster.

        Raises UsageError if no input is named, InputError if it has mistakes or no objects, ApiServerError if the API
        server refuses.
        """
        cluster = self._load(resources)
        self.tell_notes(cluster)
        if not (has_living(cluster) or cluster.planned or cluster.host_pods or cluster.planned_services):
            what = "holds no Node, Pod, workload, Service or NetworkPolicy"
            remedy = "name another context with --context" if self.from_cluster else "name the manifests"
            raise InputError(
                Diagnostic(Span(path), "", "", f"{what}; {advice(path, cluster.notes) or remedy}")
                for path in self.inputs
            )
        return cluster

    @property
    def inputs(self) -> Sequence[str]:
        """The names of the input in messages: the manifests, or the live cluster."""
        return (live_label(self.kubeconfig, self.context),) if self.from_cluster else self.manifests

    def snapshot(self, resources: Sequence[Resource]) -> "Snapshot":
        """These kinds of the live cluster, with a note for each that is lacking; raises the errors of `cluster`."""
        found = read_live(self.kubeconfig, self.context, resources, self.ignore_kinds)
        for sentence in found.lacking:
            self.tell(f"note: {sentence}")
        return found

    def _load(self, resources: Sequence[Resource]) -> Cluster:
        if self.from_cluster:
            found = self.snapshot(resources)
            return load_lists(found.lists, found.label, ignore_kinds=self.ignore_kinds)
        if not self.manifests:
            raise UsageError("no manifests; name them with -f, or as manifests: in ovsnp.yaml, or give --cluster")
        if self.manifests.count(STDIN) > 1:
            raise UsageError("stdin can be read once; write -f - once")
        return load(self.manifests, ignore_kinds=self.ignore_kinds)

    def options(self, cluster: Cluster) -> Options:
        """The options of the compiler; raises UsageError if the node is unclear or unusable, or a value is invalid."""
        return msgspec.structs.replace(self.choices, node=_choose_node(cluster, self.node))

    @property
    def choices(self) -> Options:
        """The options of the compiler that are the same for every node; raises UsageError if a value is invalid."""
        if not _BRIDGE.fullmatch(self.bridge):
            raise UsageError(f"{self.bridge!r} is no name of a bridge; use letters, digits, '.', '_' and '-'")
        if len(set(self.geneve_types)) < len(self.geneve_types):
            raise UsageError("--geneve-types: both types are the same; write two different types")
        return Options(
            self.bridge,
            None,
            self.encap,
            self.strict_nodes,
            self.masquerade,
            self.service_cidrs,
            Carrier(self.geneve_class, *self.geneve_types),
            self.service_blocks,
            self.log_drops,
        )

    def entry(self, cluster: Cluster) -> str | None:
        """The node through which connections come from outside, if one is named; raises UsageError if it is unknown."""
        if self.node:
            require_node(cluster, self.node)
        return self.node

    @property
    def service_cidrs(self) -> tuple[Prefix, ...]:
        """The blocks of --service-cidr, in addition to ServiceCIDR objects; raises UsageError if one is invalid."""
        return _prefixes(self.service_cidr)

    @property
    def db(self) -> str | None:
        """The database of --db; raises UsageError if there are several."""
        if len(self.databases) > 1:
            raise UsageError(f"--db is given {len(self.databases)} times; this command is about one bridge")
        return self.databases[0] if self.databases else None

    @property
    def location(self) -> Location:
        """The location of Open vSwitch."""
        return locate(self.db)

    def tell_notes(self, *clusters: Cluster) -> None:
        """Write the notes about the clusters to stderr, unless --quiet is given."""
        if not self.quiet:
            tell_notes(*clusters)

    def detail(self, text: str) -> None:
        """Write a text to stderr if --verbose is given."""
        if self.verbose:
            tell(text)

    def tell(self, text: str) -> None:
        """Write a text that is no error to stderr, unless --quiet is given."""
        if not self.quiet:
            tell(text)


def has_living(cluster: Cluster) -> bool:
    """True if the input has objects that are more than planned.

    Without this check, an empty input from a command that failed would delete every flow.
    """
    nodes, pods = cluster.nodes or cluster.unused_nodes, cluster.pods or cluster.idle
    return bool(nodes or pods or cluster.services or cluster.policies)


def tell_notes(*clusters: Cluster) -> None:
    """Write to stderr what is left out of the clusters' state, and why; a note of several clusters only once."""
    for note in located({note for cluster in clusters for note in cluster.notes}):
        tell(f"note: {note}")


def shared_options(command: Callable[..., None], *, outputs: Sequence[str] = OUTPUTS) -> Callable[..., None]:
    """Give a command the shared options; it gets them as one Request, and its own options as keywords.

    ``outputs`` are the formats that -o may name, the default first.
    """

    @wraps(command)
    def with_request(**given: Any) -> None:
        shared = {field: given.pop(field) for field in Request.__struct_fields__ if field in given}
        paths, live = choose_input(click.get_current_context(), given.pop("filename"), live=given.pop("cluster"))
        lists = {"ignore_kinds": given.pop("ignore_kind"), "databases": given.pop("db")}
        request = Request(manifests=paths, from_cluster=live, **lists, **shared)
        command(request, **given)

    decorated: Callable[..., None] = with_request
    for option in reversed((*_OPTIONS, output_option(outputs), *_TELLING)):
        decorated = option(decorated)
    return decorated


def output_option(choices: Sequence[str]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The formats that -o may name, the default first."""
    return click.option("-o", "--output", type=click.Choice(choices), default=choices[0], show_default=True)


_OPTIONS = (
    click.option(
        "-f",
        "--filename",
        type=click.Path(readable=False),
        multiple=True,
        metavar="PATH",
        help="Manifests: file, directory or - for stdin; may be repeated.",
    ),
    *live_options,
    click.option("--ignore-kind", multiple=True, metavar="KIND", help="Pass over policies of this kind."),
    *FLOWS,
    DATABASE,
    click.option(
        "--ports", type=click.Path(path_type=Path), metavar="FILE", help="Ports from a file, without a database."
    ),
    config_option,
)

remove_missing_option = click.option(
    "--remove-missing",
    is_flag=True,
    help="Go on if the bridge has ports of pods, or tunnels of nodes, that the input lacks: they are cut off.",
)
"""For the commands about what apply does to a bridge."""

established_option = click.option(
    "--established",
    type=click.Choice(Established, case_sensitive=False),
    default=Established.KEEP,
    help="What happens to open connections that the policies forbid: go on to their end, or be cut.  [default: keep]",
)
"""For the commands that change a bridge."""

_TELLING = (
    click.option("-v", "--verbose", is_flag=True, help="Write details to stderr."),
    click.option("--quiet", is_flag=True, help="Write only errors to stderr."),
    click.option("--no-color", is_flag=True, help="No colour, even on a terminal."),
)


def _prefixes(texts: Iterable[str]) -> tuple[Prefix, ...]:
    try:
        return tuple(map(parse_prefix, texts))
    except ValueError as error:
        raise UsageError(f"--service-cidr: {error}") from None


def require_node(cluster: Cluster, name: str) -> None:
    """Raise UsageError if the manifests have nodes, and this one is not among the usable nodes."""
    if name in cluster.unused_nodes:
        raise UsageError(f"node {name} cannot be used as it is, and a note on its Node object says why")
    if cluster.unused_nodes and not cluster.nodes:
        raise UsageError("no node can be used as it is, and a note on each Node object says why")
    if cluster.nodes and name not in cluster.nodes:
        raise UsageError(f"there is no node {name}; there are {', '.join(sorted(cluster.nodes))}")


def _choose_node(cluster: Cluster, named: str | None) -> str | None:
    """The named node, or else the only node, or the node with the name of this host.

    Without Node objects, the nodes are those that pods name.
    """
    host = socket.gethostname()
    if named is None and (len(cluster.nodes) > 1 or host in cluster.unused_nodes):
        named = host
        if named not in {*cluster.nodes, *cluster.unused_nodes}:
            raise UsageError(f"which node is this? Name one with --node: {', '.join(sorted(cluster.nodes))}")
    if cluster.nodes or cluster.unused_nodes:
        named = named or next(iter(cluster.nodes), None) or ""
        require_node(cluster, named)
        return named
    return _of_pods(cluster, named, host)


def _of_pods(cluster: Cluster, named: str | None, host: str) -> str | None:
    """Without Node objects, the named node, or the node with the name of this host.

    None if pods name no node, or if they name one and the user names none: then all pods are here.
    """
    names = {pod.node for pod in cluster.pods if pod.node}
    if not names or named:
        return named if names else None
    if len(names) > 1 and host not in names:
        raise UsageError(f"which node is this? Name one with --node: {', '.join(sorted(names))}")
    return host if len(names) > 1 else None
