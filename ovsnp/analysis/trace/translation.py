"""The addresses of a packet that conntrack translates, and those in the tunnel header."""

from collections.abc import Mapping

import msgspec

from ovsnp.analysis.trace.stretch import NO_ADDRESS, Stretch
from ovsnp.analysis.trace.transcript import Pass, read_fields
from ovsnp.model.address import Address, format_address
from ovsnp.model.options import Encap
from ovsnp.pipeline import fields as f
from ovsnp.pipeline.registers import CARRIED_SOURCE_PARTS

_End = tuple[tuple[str, ...], str]
"""The fields that may hold an end's address, and the field that holds its port."""

_SOURCE: _End = tuple(field.name for field in f.IP_SRC.values()), "tp_src"
_DESTINATION: _End = tuple(field.name for field in f.IP_DST.values()), "tp_dst"
TUNNEL_SENDER: _End = tuple(field.name for field in f.TUNNEL_SRC.values()), ""
TUNNEL_RECEIVER: _End = tuple(field.name for field in f.TUNNEL_DST.values()), ""


class Translation(msgspec.Struct, frozen=True):
    """The ends that conntrack wrote into the packet, as ``ADDRESS:PORT``; None for an end that stayed."""

    source: str | None
    destination: str | None


def translation(before: Pass, after: Pass) -> Translation:
    """The ends that are different when the packet comes back from conntrack."""
    return Translation(*(_changed(before.after, after.before, side) for side in (_SOURCE, _DESTINATION)))


def _changed(before: Mapping[str, str], after: Mapping[str, str], side: _End) -> str | None:
    now = written(after, side)
    return now if now != written(before, side) else None


def written(fields: Mapping[str, str], side: _End) -> str:
    """An end of the packet as ``ADDRESS:PORT``, or as ``ADDRESS`` if it has no port."""
    names, port = side
    address = next((fields[name] for name in names if fields.get(name, "::") not in NO_ADDRESS), "")
    if port not in fields:
        return address
    return f"[{address}]:{fields[port]}" if ":" in address else f"{address}:{fields[port]}"


class TunnelHeader(msgspec.Struct, frozen=True):
    """The tunnel header that a packet came with.

    ``vni`` is the network identifier. ``option`` is the Geneve option with a pod's address, as ``FIELD=VALUE``.
    ``carried`` is the pod's address that the option, or VXLAN's identifier, carries. Both are empty if there is none.
    """

    encap: Encap
    sender: str
    receiver: str
    vni: int
    option: str
    carried: str

    def __str__(self) -> str:
        names = {Encap.GENEVE: "Geneve", Encap.VXLAN: "VXLAN"}
        option = f", option {self.option}" if self.option else ""
        whose = f": {self.carried}" if self.carried else ", without a pod's address"
        return f"{names[self.encap]} from {self.sender} to {self.receiver}, VNI {self.vni}{option}{whose}"


def header(stretch: Stretch) -> TunnelHeader | None:
    """The header of a packet that came in by the tunnel; None if the packet came in by another port."""
    fields = read_fields(stretch.packet)
    if stretch.in_port != stretch.node.ports.tunnel:
        return None
    vni = int(fields.get(f.TUN_ID.name, "0"), 16)
    options = (f"{field.name}={fields[field.name]}" for field in f.TUN_METADATA.values() if field.name in fields)
    option = next(options, "")
    whose = carried(stretch) if option or vni else ""
    return TunnelHeader(
        stretch.node.encap, written(fields, TUNNEL_SENDER), written(fields, TUNNEL_RECEIVER), vni, option, whose
    )


def carried(stretch: Stretch) -> str:
    """The pod's address that the tunnel header carries, as this bridge wrote or read it."""
    for fields in (stretch.passes[0].before, stretch.last):
        for version, field in f.TUN_METADATA.items():
            if value := int(fields.get(field.name, "0"), 16):
                return _address(value.to_bytes(4 if version == 4 else 16, "big"))
    return _offset(stretch)


def _offset(stretch: Stretch) -> str:
    """The address that Origin made of VXLAN's offset, or else the source address whose offset was written."""
    for fields in (each.before for each in stretch.passes):
        for parts in CARRIED_SOURCE_PARTS.values():
            if parts[0] in fields:
                return _address(b"".join(int(fields.get(name, "0"), 16).to_bytes(4, "big") for name in parts))
    return written(stretch.passes[0].before, (_SOURCE[0], ""))


def _address(value: bytes) -> str:
    return format_address(Address(value))
