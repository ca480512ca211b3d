"""Work that an interrupt must not stop half-way."""

import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ovsnp.lab.datapath import DatapathType
from ovsnp.lab.interrupts import INTERRUPTS
from ovsnp.lab.journal import LabDirectory
from ovsnp.lab.runtime import netns
from ovsnp.lab.topology import TopologyNode, read
from tests.support.lab_commands import SMALL


@pytest.fixture
def usual_interrupts() -> Iterator[None]:
    """SIGINT raises KeyboardInterrupt here, even where pytest was started with SIGINT ignored (``&`` in a script)."""
    assert threading.current_thread() is threading.main_thread(), "Python handles signals in the main thread only"
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTS)
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("usual_interrupts")
def test_namespace_is_made_whole_before_an_interrupt_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def run(command: Sequence[str], *_: object) -> str:
        signal.raise_signal(signal.SIGINT)
        made.append(command[-1])
        return ""

    monkeypatch.setattr(netns, "output", run)
    directory = LabDirectory("cut", tmp_path)
    directory.claim()
    node: TopologyNode = read(SMALL).nodes[0]
    with pytest.raises(KeyboardInterrupt):
        netns.NetnsRuntime(directory, DatapathType.NETDEV)._make_namespace(node)
    assert made == [f"cut-{node.name}"]
    assert [entry.namespace for entry in directory.entries()] == made
