"""Where ovsnp looks for Open vSwitch."""

from pathlib import Path

import pytest

from ovsnp.switch.location import Location, locate


@pytest.fixture(autouse=True)
def no_rundir(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OVS_RUNDIR", raising=False)


def test_default_is_that_of_open_vswitchs_tools() -> None:
    assert locate(None) == Location("unix:/var/run/openvswitch/db.sock", "/var/run/openvswitch")


def test_ovs_rundir_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVS_RUNDIR", "/run/one")
    assert locate(None) == Location("unix:/run/one/db.sock", "/run/one")
    assert locate("/run/two/db.sock") == Location("unix:/run/two/db.sock", "/run/one")


@pytest.mark.parametrize("database", ["/run/two/db.sock", "unix:/run/two/db.sock"])
def test_bridges_are_looked_for_beside_a_named_socket(database: str) -> None:
    assert locate(database) == Location("unix:/run/two/db.sock", "/run/two")


def test_remote_database_leaves_the_bridges_where_they_are() -> None:
    assert locate("tcp:192.0.2.1:6640") == Location("tcp:192.0.2.1:6640", "/var/run/openvswitch")


def test_bridge_is_reached_by_its_socket() -> None:
    assert locate("/run/two/db.sock").management("br-int") == "unix:/run/two/br-int.mgmt"


def test_database_is_there_where_its_socket_is(tmp_path: Path) -> None:
    assert not locate(str(tmp_path / "db.sock")).there
    (tmp_path / "db.sock").touch()
    assert locate(str(tmp_path / "db.sock")).there
    assert locate("tcp:192.0.2.1:6640").there
