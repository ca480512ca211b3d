"""Protocols of ports. An unknown protocol is a mistake in a policy; ovsnp leaves out a cluster's port that has one."""

from collections.abc import Mapping

from ovsnp.model.ports import Protocol
from ovsnp.yaml_reader.paths import Path
from ovsnp.yaml_reader.report import MistakeReport
from ovsnp.yaml_reader.structure import quote

PROTOCOLS: Mapping[str, Protocol] = {protocol.value: protocol for protocol in Protocol}


def read_protocol(name: str | None, path: Path, report: MistakeReport) -> Protocol:
    """The protocol of a port of a policy; TCP if absent."""
    if name is None:
        return Protocol.TCP
    if name not in PROTOCOLS:
        report.add(path, f"{quote(name)} is no protocol for ports; write TCP, UDP or SCTP")
    return PROTOCOLS.get(name, Protocol.TCP)


def known_protocol(name: str | None, path: Path, report: MistakeReport) -> Protocol | None:
    """The protocol of a port of a cluster's object; TCP if absent; None, with a note, if ovsnp does not know it."""
    if name is None:
        return Protocol.TCP
    if name not in PROTOCOLS:
        report.note(path, f"{quote(name)} is no protocol that ovsnp knows; ovsnp leaves the port out")
    return PROTOCOLS.get(name)
