"""The topology file: the part of containerlab's format (https://containerlab.dev/manual/topo-def-file/) that the lab
builds without containerlab.

Images, mounts and health checks are left to containerlab. A setting that would change the network and that this reader
does not know (another kind, another type of link, commands outside a node) is an error.
"""

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ovsnp.errors import Diagnostic, InputError, Span
from ovsnp.yaml_reader.outline import NotationError, Outline
from ovsnp.yaml_reader.paths import Path as Way
from ovsnp.yaml_reader.paths import format_path
from ovsnp.yaml_reader.yaml_text import yaml_documents

NODE_LABEL = "ovsnp.node"
POD_LABEL = "ovsnp.pod"
OUTSIDE_LABEL = "ovsnp.outside"

# containerlab's defaults and limits.
DEFAULT_MTU = 9500
INTERFACE_NAME = re.compile(r"[^\s/:]{1,15}")
MAC = re.compile(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}")
LAB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
NODE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


Shared = dict[tuple[str, ...], dict[str, Any]]


class LinkEnd(msgspec.Struct, frozen=True):
    """One end of a link."""

    node: str
    interface: str
    mac: str | None = None


class Link(msgspec.Struct, frozen=True):
    """A veth pair."""

    ends: tuple[LinkEnd, LinkEnd]
    mtu: int


class TopologyNode(msgspec.Struct, frozen=True):
    """A container of the topology; group, kind and defaults of the file add to its labels, sysctls and image."""

    name: str
    labels: Mapping[str, str]
    sysctls: Mapping[str, str]
    commands: tuple[tuple[str, ...], ...]
    image: str = ""

    @property
    def cluster_node(self) -> str | None:
        """The name of the cluster's Node that this container is, if any; Open vSwitch runs there."""
        return self.labels.get(NODE_LABEL)

    @property
    def pod(self) -> str | None:
        """``NAMESPACE/NAME`` of the Pod that this container is, if any."""
        return self.labels.get(POD_LABEL)

    @property
    def outside(self) -> str | None:
        """The name of the host outside the cluster that this container is, if any."""
        return self.labels.get(OUTSIDE_LABEL)


class Topology(msgspec.Struct, frozen=True):
    """A checked topology file: links end at existing nodes, and no interface is used twice."""

    file: Path
    name: str
    nodes: tuple[TopologyNode, ...]
    links: tuple[Link, ...]

    @property
    def cluster_directory(self) -> Path:
        """The folder of the manifests of the lab's cluster: ``cluster`` beside the file."""
        return self.file.parent / "cluster"


def read(file: Path) -> Topology:
    """Read a topology file; raises InputError with all errors of the file."""
    try:
        documents = list(yaml_documents(file.read_bytes(), lines=True))
    except OSError as error:
        raise _only(file, f"cannot be read: {error.strerror}") from None
    except NotationError as error:
        raise _only(file, error.message, error.line) from None
    if len(documents) != 1:
        raise _only(file, f"holds {len(documents)} YAML documents; a topology is one")
    return _Reader(file, documents[0]).topology()


def _only(file: Path, message: str, line: int = 0) -> InputError:
    return InputError([Diagnostic(Span(str(file), line), "", "", message)])


class _Reader:
    """Turns a document into a topology and gathers the errors on the way."""

    def __init__(self, file: Path, outline: Outline) -> None:
        self.file = file
        self.outline = outline
        self.diagnostics: list[Diagnostic] = []
        for fault in outline.faults:
            self.wrong(fault.path, fault.message)

    def wrong(self, path: Way, message: str) -> None:
        span = Span(str(self.file), self.outline.line(path))
        self.diagnostics.append(Diagnostic(span, "", format_path(path), message))

    def topology(self) -> Topology:
        root = self.mapping(self.outline.value, ())
        name = str(root.get("name", ""))
        if not LAB_NAME.fullmatch(name):
            self.wrong(("name",), f"{name!r} cannot be a lab's name; letters, digits, dots, dashes, at most 40")
        body = self.mapping(root.get("topology"), ("topology",))
        nodes = tuple(self.nodes(body))
        links = tuple(self.links(body.get("links") or [], {node.name for node in nodes}))
        self.check_ends(links)
        self.check_labels(nodes)
        if self.diagnostics:
            raise InputError(self.diagnostics)
        return Topology(self.file, name, nodes, links)

    def mapping(self, value: Any, path: Way) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.wrong(path, "must be a mapping")
            return {}
        return {str(key): item for key, item in value.items()}

    def strings(self, value: Any, path: Way) -> dict[str, str]:
        return {key: str(item) for key, item in self.mapping(value, path).items()}

    def nodes(self, body: dict[str, Any]) -> Iterator[TopologyNode]:
        nodes = self.mapping(body.get("nodes"), ("topology", "nodes"))
        if not nodes:
            self.wrong(("topology", "nodes"), "there is no node; write at least one")
        shared = self.shared(body)
        for name, value in nodes.items():
            yield self.node(name, self.mapping(value, ("topology", "nodes", name)), shared)

    def shared(self, body: dict[str, Any]) -> Shared:
        """The settings that nodes inherit, by their place in the file; commands are not inherited."""
        shared: Shared = {("defaults",): self.mapping(body.get("defaults"), ("topology", "defaults"))}
        for section in ("kinds", "groups"):
            for key, value in self.mapping(body.get(section), ("topology", section)).items():
                shared[section, key] = self.mapping(value, ("topology", section, key))
        for place, settings in shared.items():
            if "exec" in settings:
                self.wrong(("topology", *place, "exec"), "commands are read from nodes only; write them at each node")
        return shared

    def node(self, name: str, own: dict[str, Any], shared: Shared) -> TopologyNode:
        path: Way = ("topology", "nodes", name)
        if not NODE_NAME.fullmatch(name):
            self.wrong(path, f"{name!r} cannot be a node's name; letters, digits, dots and dashes")
        group = own.get("group")
        if group is not None and ("groups", group) not in shared:
            self.wrong((*path, "group"), f"there is no group {group!r}; write it under topology.groups")
        in_group = shared.get(("groups", str(group)), {})
        kind = own.get("kind") or in_group.get("kind") or shared[("defaults",)].get("kind")
        if kind != "linux":
            self.wrong((*path, "kind"), f"{kind!r} is not a kind that the lab builds; only linux is")
        labels: dict[str, str] = {}
        sysctls: dict[str, str] = {}
        image = ""
        for layer in (shared[("defaults",)], shared.get(("kinds", str(kind)), {}), in_group, own):
            labels |= self.strings(layer.get("labels"), (*path, "labels"))
            sysctls |= self.strings(layer.get("sysctls"), (*path, "sysctls"))
            image = str(layer.get("image") or image)
        commands = tuple(self.commands(own.get("exec") or [], (*path, "exec")))
        return TopologyNode(name, labels, sysctls, commands, image)

    def commands(self, value: Any, path: Way) -> Iterator[tuple[str, ...]]:
        if not isinstance(value, list):
            self.wrong(path, "must be a list of commands")
            return
        for index, line in enumerate(value):
            try:
                words = tuple(shlex.split(line)) if isinstance(line, str) else ()
            except ValueError as error:
                self.wrong((*path, index), f"{line!r} cannot be split into words: {error}; close the quotes")
                continue
            if not words:
                self.wrong((*path, index), "must be a command")
            elif "$" in line:
                self.wrong((*path, index), f"{line!r} has a variable; the lab replaces none, write its value")
            else:
                yield words

    def links(self, value: Any, nodes: set[str]) -> Iterator[Link]:
        if not isinstance(value, list):
            self.wrong(("topology", "links"), "must be a list")
            return
        for index, item in enumerate(value):
            path: Way = ("topology", "links", index)
            link = self.link(self.mapping(item, path), path, nodes)
            if link is not None:
                yield link

    def link(self, link: dict[str, Any], path: Way, nodes: set[str]) -> Link | None:
        if (kind := link.get("type", "veth")) != "veth":
            self.wrong((*path, "type"), f"{kind!r} is not a type of link that the lab builds; only veth is")
            return None
        ends = list(self.ends(link.get("endpoints"), (*path, "endpoints"), nodes))
        mtu = link.get("mtu", DEFAULT_MTU)
        if not isinstance(mtu, int) or not 68 <= mtu <= 65535:
            self.wrong((*path, "mtu"), f"{mtu!r} is not an MTU; write a number from 68 to 65535")
            return None
        return Link((ends[0], ends[1]), mtu) if len(ends) == 2 else None

    def ends(self, value: Any, path: Way, nodes: set[str]) -> Iterator[LinkEnd]:
        if not isinstance(value, list) or len(value) != 2:
            self.wrong(path, "a link has two endpoints")
            return
        for index, item in enumerate(value):
            end = self.end(item, (*path, index))
            if end.node not in nodes:
                self.wrong((*path, index), f"there is no node {end.node!r}; write it under topology.nodes")
            yield end

    def end(self, value: Any, path: Way) -> LinkEnd:
        if isinstance(value, str):
            node, _, interface = value.partition(":")
            value = {"node": node, "interface": interface}
        fields = self.strings(value, path)
        end = LinkEnd(fields.get("node", ""), fields.get("interface", ""), fields.get("mac"))
        if not INTERFACE_NAME.fullmatch(end.interface):
            self.wrong(path, f"{end.interface!r} cannot be an interface's name; 1 to 15 characters, no space, / or :")
        if end.mac is not None and not MAC.fullmatch(end.mac):
            self.wrong(path, f"{end.mac!r} is not a MAC address; write six pairs of hexadecimal digits")
        return end

    def check_ends(self, links: tuple[Link, ...]) -> None:
        uses = Counter((end.node, end.interface) for link in links for end in link.ends)
        for (node, interface), count in uses.items():
            if count > 1:
                self.wrong(("topology", "links"), f"{node}:{interface} is the end of {count} links; keep one")

    def check_labels(self, nodes: tuple[TopologyNode, ...]) -> None:
        for label in (NODE_LABEL, POD_LABEL, OUTSIDE_LABEL):
            for value, count in Counter(node.labels.get(label) for node in nodes).items():
                if value is not None and count > 1:
                    self.wrong(("topology", "nodes"), f"{count} nodes have the label {label}: {value}; keep one")
