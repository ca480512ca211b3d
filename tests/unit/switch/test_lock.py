"""The locks of a bridge."""

from pathlib import Path

import pytest

from ovsnp.errors import SwitchError
from ovsnp.switch.location import Location
from ovsnp.switch.lock import exclusive, sole_agent


def test_bridge_has_one_agent_at_a_time_and_others_may_change_it(tmp_path: Path) -> None:
    there = Location("unix:db.sock", str(tmp_path))
    with sole_agent(there, "br-int"):
        with exclusive(there, "br-int"), sole_agent(there, "br-other"):
            pass
        with (
            pytest.raises(SwitchError, match="keeps bridge br-int, and a bridge has one agent"),
            sole_agent(there, "br-int"),
        ):
            pass
    with sole_agent(there, "br-int"):
        pass


def test_error_of_an_agent_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError), sole_agent(Location("unix:db.sock", str(tmp_path)), "br-int"):
        raise BlockingIOError


def test_without_open_vswitch_there_is_no_lock(tmp_path: Path) -> None:
    nowhere = Location("unix:db.sock", str(tmp_path / "nowhere"))
    with pytest.raises(SwitchError, match="cannot be reached"), sole_agent(nowhere, "br-int"):
        pass
