"""The lab's directory: it is claimed once and locked, and only the lab's own processes are ended."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovsnp.errors import UsageError
from ovsnp.lab.journal import JournalEntry, LabDirectory, Process, Settings, end, start_time
from ovsnp.model.options import Encap

SETTINGS = Settings(name="x", runtime="netns", topology="/x.clab.yml", encap=Encap.GENEVE, manifests=("/a", "/b"))


@pytest.fixture
def directory(tmp_path: Path) -> LabDirectory:
    return LabDirectory("x", tmp_path / "labs")


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_a_lab_is_claimed_once(directory: LabDirectory) -> None:
    directory.claim()
    with pytest.raises(UsageError, match=r"lab x is there already .*: ovsnp lab down --name x"):
        directory.claim()


def test_removing_the_last_lab_removes_the_directory_of_labs(directory: LabDirectory) -> None:
    other = LabDirectory("y", directory.root.parent)
    directory.claim()
    other.claim()
    directory.remove()
    assert other.exists
    other.remove()
    assert not directory.root.parent.exists()


def test_a_lab_is_changed_by_one_process_at_a_time(directory: LabDirectory) -> None:
    directory.claim()
    with directory.locked(), pytest.raises(UsageError, match="works on lab x"), directory.locked():
        pass
    with directory.locked():
        pass


def test_entries_come_back_and_a_torn_line_does_not(directory: LabDirectory) -> None:
    directory.claim()
    written = [JournalEntry(namespace="x-a"), JournalEntry(process=Process(1, 2))]
    for entry in written:
        directory.record(entry)
    with (directory.root / "journal").open("ab") as journal:
        journal.write(b'{"namespace": "x-')
    assert directory.entries() == written


def test_a_lab_without_journal_has_no_entries(directory: LabDirectory) -> None:
    assert directory.entries() == []


def test_settings_are_read_only_of_a_lab_that_stands_whole(directory: LabDirectory) -> None:
    with pytest.raises(UsageError, match="there is no lab x; build it with: ovsnp lab up --name x"):
        directory.settings()
    directory.claim()
    with pytest.raises(UsageError, match="only half built"):
        directory.settings()
    directory.save(SETTINGS)
    with pytest.raises(UsageError, match="only half built"):
        directory.settings()
    whole = Settings(**{**{f: getattr(SETTINGS, f) for f in SETTINGS.__struct_fields__}, "complete": True})
    directory.save(whole)
    assert directory.settings() == whole


@pytest.mark.parametrize("name", ["", "a/b", "../x", "-x", "x" * 41, "a b"])
def test_a_name_that_could_leave_the_directory_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a lab's name"):
        LabDirectory(name)


def test_a_recorded_process_is_ended(child: subprocess.Popen[bytes]) -> None:
    started = start_time(child.pid)
    assert started is not None
    end([Process(child.pid, started)])
    assert child.wait() != 0


def test_a_process_that_took_over_a_recorded_id_is_left_alone(child: subprocess.Popen[bytes]) -> None:
    started = start_time(child.pid)
    assert started is not None
    end([Process(child.pid, started - 1)])
    assert child.poll() is None


def test_a_process_that_ended_has_no_start_time(child: subprocess.Popen[bytes]) -> None:
    child.communicate(b"\n")
    assert start_time(child.pid) is None
