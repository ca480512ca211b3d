"""The bridge's map of Geneve options to fields: flows with these fields need it, and it ends with ovs-vswitchd."""

import re

from ovsnp.errors import SwitchError
from ovsnp.model.options import Carrier
from ovsnp.pipeline.carrier import OptionMapping, option_map
from ovsnp.switch.location import Location
from ovsnp.switch.ofctl import add_option_map, dump_option_map

_ROW = re.compile(r"^\s*0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\d+)\s+(tun_metadata\d+)", re.MULTILINE)
_DONE = "Geneve options mapped"


def map_options(location: Location, bridge: str, carrier: Carrier) -> list[str]:
    """Map the options of the carrier; returns what was done, in words. An existing mapping is never changed.

    Raises SwitchError if one of the options or fields has another mapping.
    """
    missing = _missing(location, bridge, carrier)
    if missing:
        add_option_map(location, bridge, ",".join(map(str, missing)))
    return [_DONE] if missing else []


def unmapped_options(location: Location, bridge: str, carrier: Carrier) -> list[str]:
    """What `map_options` would do, in its words; maps nothing. Raises SwitchError where it would."""
    return [_DONE] if _missing(location, bridge, carrier) else []


def _missing(location: Location, bridge: str, carrier: Carrier) -> list[OptionMapping]:
    there = _there(location, bridge)
    missing = [wanted for wanted in option_map(carrier) if wanted not in there]
    for wanted in missing:
        for found in there:
            if found.field == wanted.field or found[:2] == wanted[:2]:
                raise SwitchError(
                    f"bridge {bridge} maps {found} already, where ovsnp needs {wanted}; remove that mapping"
                    " (ovs-ofctl del-tlv-map), or choose another class or types (--geneve-class, --geneve-types)"
                )
    return missing


def _there(location: Location, bridge: str) -> set[OptionMapping]:
    rows = _ROW.findall(dump_option_map(location, bridge))
    return {OptionMapping(int(number, 16), int(kind, 16), int(length), field) for number, kind, length, field in rows}
