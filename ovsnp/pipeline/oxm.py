"""The headers of fields on the wire: OXM of OpenFlow, and Open vSwitch's own NXM (ovs-fields(7))."""

import struct
from functools import cache, cached_property

import msgspec

_CLASSES = {
    "NXM_OF": 0x0000,
    "NXM_NX": 0x0001,
    "ERICOXM_OF": 0x1000,
    "OXM_OF": 0x8000,
    "OXM_OF_PKT_REG": 0x8001,
}
"""The classes of fields, by the first part of their names (OXM_CLASSES of build-aux/extract-ofp-fields)."""

_HEADER = struct.Struct("!HBB")


class Oxm(msgspec.Struct, frozen=True, eq=False, dict=True):
    """The name, number and length in bytes of a field on the wire, as in include/openvswitch/meta-flow.h."""

    name: str
    number: int
    length: int

    @cached_property
    def exact(self) -> bytes:
        """The header before a value, and the header that names the field in an action."""
        return self.header(self.length)

    @cache  # noqa: B019 - the declared fields stay for the life of the process
    def header(self, length: int, masked: bool = False) -> bytes:
        """The header before a value of ``length`` bytes, or before a value and a mask of as many bytes each."""
        return _HEADER.pack(self._class, self.number << 1 | masked, length << masked)

    @cached_property
    def _class(self) -> int:
        return _CLASSES[max((prefix for prefix in _CLASSES if self.name.startswith(prefix)), key=len)]
