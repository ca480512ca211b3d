"""Protocols of ports: in a policy another name is a mistake, in what a cluster prints ovsnp leaves the port out."""

from collections.abc import Mapping

from ovsnp.model.ports import Protocol
from ovsnp.yaml_reader.paths import Path
from ovsnp.yaml_reader.report import MistakeReport
from ovsnp.yaml_reader.structure import quote

PROTOCOLS: Mapping[str, Protocol] = {protocol.value: protocol for protocol in Protocol}


def read_protocol(name: str | None, path: Path, report: MistakeReport) -> Protocol:
    """The protocol of a port of a policy; absent, it is TCP."""
    if name is None:
        return Protocol.TCP
    if name not in PROTOCOLS:
        report.add(path, f"{quote(name)} is no protocol for ports; write TCP, UDP or SCTP")
    return PROTOCOLS.get(name, Protocol.TCP)


def known_protocol(name: str | None, path: Path, report: MistakeReport) -> Protocol | None:
    """The protocol of a port of a cluster's object; None, with a note, where ovsnp does not know it."""
    if name is None:
        return Protocol.TCP
    if name not in PROTOCOLS:
        report.note(path, f"{quote(name)} is no protocol that ovsnp knows; ovsnp leaves the port out")
    return PROTOCOLS.get(name)
