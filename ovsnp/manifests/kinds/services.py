"""Services: from the wire to the model, with the checks of the API server.

The checks are those of ValidateService (kubernetes/kubernetes, pkg/apis/core/validation), the defaults those of
SetDefaults_Service (pkg/apis/core/v1/defaults.go), for the fields that decide about traffic to a cluster IP.
"""

from collections.abc import Sequence
from functools import lru_cache

from ovsnp.errors import Place
from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.blocks import read_address
from ovsnp.manifests.kinds.labels import read_plain_selector
from ovsnp.manifests.kinds.protocols import PROTOCOLS, known_protocol
from ovsnp.manifests.kinds.syntax import label_name_fault, port_name_fault, port_number_fault
from ovsnp.model.address import Address, family, format_address
from ovsnp.model.ports import Protocol
from ovsnp.model.service import Service, ServicePort
from ovsnp.yaml_reader.paths import Path
from ovsnp.yaml_reader.report import MistakeReport
from ovsnp.yaml_reader.structure import describe, quote

_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
_HEADLESS = "None"
_DEFAULT_TIMEOUT = 10_800
_MAX_TIMEOUT = 86_400
"""Seconds of session affinity: the default, v1.DefaultClientIPServiceAffinitySeconds, and the longest allowed."""

_IPS: Path = ("spec", "clusterIPs")
_IP: Path = ("spec", "clusterIP")
_PORTS: Path = ("spec", "ports")
_TIMEOUT: Path = ("spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds")

_HEADLESS_BESIDE = "None stands beside another cluster IP; write it alone, or remove it"
_NO_PORTS = "missing; ovsnp lets nothing pass to the cluster IP"
_NULL_PORT = "null is no port; write port, or remove it"


def read_service(
    spec: wire.ApiServiceSpec, namespace: str, name: str, place: Place, report: MistakeReport
) -> Service | None:
    """A Service, as far as it can be read; reports its mistakes.

    None if it never has a cluster IP, or if its type is unknown. A Service without ``clusterIP`` has none yet: the API
    server assigns one.
    """
    type_ = _read_type(spec.type, report)
    addresses = () if type_ == "ExternalName" else _read_cluster_ips(spec, report)
    service = Service(
        namespace=namespace,
        name=name,
        cluster_ips=addresses,
        ports=_read_ports(spec.ports or (), report),
        selector=read_plain_selector(spec.selector, ("spec", "selector"), report),
        affinity=_read_affinity(spec, report),
        local=_read_local(spec.internal_traffic_policy, report),
        unready=spec.publish_not_ready_addresses or False,
        place=place,
    )
    if type_ not in _TYPES or type_ == "ExternalName" or (not addresses and cluster_ip_texts(spec)):
        return None
    if addresses and not spec.ports:
        report.note(_PORTS, _NO_PORTS)
    return service


def cluster_ip_texts(spec: wire.ApiServiceSpec) -> list[tuple[Path, str]]:
    """The cluster IPs of a Service as the object has them, each with its path."""
    if spec.cluster_ips:
        return [((*_IPS, index), text or "") for index, text in enumerate(spec.cluster_ips)]
    return [(_IP, spec.cluster_ip)] if spec.cluster_ip else []


def _read_type(name: str | None, report: MistakeReport) -> str:
    if name and name not in _TYPES:
        what = f"{quote(name)} is no type of Service that ovsnp knows"
        report.note(("spec", "type"), f"{what}; ovsnp leaves the Service out")
    return name or _TYPES[0]


def _read_cluster_ips(spec: wire.ApiServiceSpec, report: MistakeReport) -> tuple[Address, ...]:
    """The cluster IPs, at most one of each family; none for a headless Service."""
    texts = cluster_ip_texts(spec)
    if spec.cluster_ip and texts[0][1] != spec.cluster_ip:
        first = f"{quote(spec.cluster_ip)} is not the first of clusterIPs, {quote(texts[0][1])}"
        report.add(_IP, f"{first}; write the same in both, or only one of the two")
    found: list[Address] = []
    for path, text in texts:
        if text == _HEADLESS:
            report.add(path, _HEADLESS_BESIDE if len(texts) > 1 else None)
        elif address := read_address(text, path, report):
            if any(len(address) == len(other) for other in found):
                message = f"{format_address(address)} is the Service's second IPv{family(address)} address"
                report.add(path, f"{message}; a Service has one of each family")
            else:
                found.append(address)
    return tuple(found)


def _read_ports(ports: Sequence[wire.ApiServicePort | None], report: MistakeReport) -> tuple[ServicePort, ...]:
    """The ports; if there are several, each must have a name, and no two the same number and protocol."""
    found: dict[tuple[Protocol, int], ServicePort] = {}
    names: set[str] = set()
    for index, written in enumerate(ports):
        path = (*_PORTS, index)
        port = _read_port(written, path, report)
        if written and not written.name and len(ports) > 1:
            report.add((*path, "name"), "missing; a Service with several ports has a name for each")
        elif port and port.name in names:
            report.add((*path, "name"), f"{quote(port.name)} is the name of another port too; give each its own")
        if port:
            if (port.protocol, port.number) in found:
                report.add((*path, "port"), f"{port.protocol} port {port.number} is written twice; keep one of the two")
            names.add(port.name)
            found[port.protocol, port.number] = port
    return tuple(found.values())


def _read_port(port: wire.ApiServicePort | None, path: Path, report: MistakeReport) -> ServicePort | None:
    """A port; None, with its mistakes reported, if anything is wrong with it."""
    if port is None:
        report.add(path, _NULL_PORT)
        return None
    name, number = port.name or "", port.port or 0
    # The API server reads a targetPort of 0 or "" as absent.
    target = port.target_port or number
    if sound := _sound_port(name, port.protocol, number, target):
        return sound
    report.add((*path, "name"), label_name_fault(name) if name else None)
    report.add((*path, "port"), port_number_fault(port.port))
    report.add((*path, "targetPort"), _target_fault(target) if port.target_port else None)
    known_protocol(port.protocol, (*path, "protocol"), report)
    return None


@lru_cache(maxsize=10_000)
def _sound_port(name: str, protocol: str | None, number: int, target: int | str) -> ServicePort | None:
    """A port, or None if anything is wrong with it; cached, as most Services have the same few."""
    if port_number_fault(number) or _target_fault(target) or (name and label_name_fault(name)):
        return None
    if protocol is not None and protocol not in PROTOCOLS:
        return None
    return ServicePort(name, PROTOCOLS[protocol or Protocol.TCP], number, target)


def _target_fault(target: int | str) -> str | None:
    """What is wrong with a ``targetPort``; a name follows the rules for ports of containers (IANA_SVC_NAME)."""
    return port_name_fault(target) if isinstance(target, str) else port_number_fault(target)


def _read_affinity(spec: wire.ApiServiceSpec, report: MistakeReport) -> int | None:
    """The timeout of session affinity in seconds, or None; without ``ClientIP`` the API server drops the timeout."""
    kind = spec.session_affinity or "None"
    if kind not in ("None", "ClientIP"):
        what = f"{quote(kind)} is no session affinity that ovsnp knows"
        report.note(("spec", "sessionAffinity"), f"{what}; ovsnp reads it as None")
    if kind != "ClientIP":
        return None
    config = spec.session_affinity_config
    seconds = config.client_ip.timeout_seconds if config and config.client_ip else None
    if seconds is None:
        return _DEFAULT_TIMEOUT
    if not 1 <= seconds <= _MAX_TIMEOUT:
        report.add(_TIMEOUT, f"{describe(seconds)} is no timeout; write 1 to {_MAX_TIMEOUT} seconds")
    return seconds


def _read_local(policy: str | None, report: MistakeReport) -> bool:
    if policy not in (None, "Cluster", "Local"):
        what = f"{quote(policy)} is no internal traffic policy that ovsnp knows"
        report.note(("spec", "internalTrafficPolicy"), f"{what}; ovsnp reads it as Cluster")
    return policy == "Local"
