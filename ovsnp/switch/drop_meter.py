"""The meter of the drop log: flows that report packets need it, and it ends with ovs-vswitchd."""

import re

from ovsnp.errors import SwitchError
from ovsnp.pipeline.drop_log import BURST, METER, RATE, meter_text
from ovsnp.switch.location import Location
from ovsnp.switch.ofctl import add_meter, change_meter, dump_meters

_METERS = re.compile(r"meter=(\d+) (.*?)(?=\s*meter=|\Z)", re.DOTALL)
_AS_WANTED = re.compile(rf"pktps burst stats bands=\s*type=drop rate={RATE} burst_size={BURST}\s*")
_DONE = "meter of the drop log made"


def make_meter(location: Location, bridge: str) -> list[str]:
    """Make the meter, or change it; returns what was done, in words. Raises SwitchError if the datapath has none."""
    there = _there(location, bridge)
    if _is_wanted(there):
        return []
    try:
        (add_meter if there is None else change_meter)(location, bridge, meter_text())
    except SwitchError as error:
        raise SwitchError(f"bridge {bridge} cannot log drops, as its datapath has no meter for them: {error}") from None
    return [_DONE]


def lacking_meter(location: Location, bridge: str) -> list[str]:
    """What `make_meter` would do, in its words; makes nothing."""
    return [] if _is_wanted(_there(location, bridge)) else [_DONE]


def _there(location: Location, bridge: str) -> str | None:
    """The meter as Open vSwitch prints it, without its number; None if there is none."""
    return dict(_METERS.findall(dump_meters(location, bridge))).get(str(METER))


def _is_wanted(meter: str | None) -> bool:
    return meter is not None and _AS_WANTED.fullmatch(meter) is not None
