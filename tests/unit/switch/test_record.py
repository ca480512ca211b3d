"""The file with the holders of addresses."""

from pathlib import Path

from ovsnp.switch.location import Location
from ovsnp.switch.record import append_record, read_record, write_record


def test_changes_are_appended_to_a_record_that_is_there(tmp_path: Path) -> None:
    there = Location("unix:db.sock", str(tmp_path))
    assert not append_record(there, "br-int", b"change")
    assert read_record(there, "br-int") is None
    write_record(there, "br-int", b"all")
    assert append_record(there, "br-int", b"change")
    assert read_record(there, "br-int") == b"allchange"
