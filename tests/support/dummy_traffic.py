"""Traffic through a bridge with dummy interfaces: rounds of packets, and a count of those that come out."""

import sys
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from ovsnp.errors import SwitchError
from ovsnp.switch.control import control
from tests.support.instance import DummySwitch

_FILE, _RECORD = 24, 16
"""The bytes before the packets of a pcap file, and before each of them."""

_IPV4, _TCP = b"\x08\x00", 6


class RoundsOfPackets(ABC):
    """Calls `send_round` in a thread, with a pause of some seconds before each call, while the context is open.

    ``rounds`` is the number of rounds so far. A ``failure`` (a sentence; empty: none) ends the thread.
    """

    def __init__(self, switch: DummySwitch, pause: float) -> None:
        self._connection = ExitStack()
        self._control = self._connection.enter_context(control(switch.location))
        self._pause = pause
        self.rounds = 0
        self.failure = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "RoundsOfPackets":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._connection.close()

    @abstractmethod
    def send_round(self) -> None:
        """Send the packets of one round."""

    def send(self, interface: str, *packets: str) -> None:
        """Let packets come in at an interface; they are hexadecimal digits or odp flows."""
        try:
            self._control.command("netdev-dummy/receive", interface, *packets)
        except SwitchError as error:
            self.failure = self.failure or str(error)

    def source_port(self) -> int:
        """A source port that no recent round has used."""
        return 1024 + self.rounds % 64000

    def _run(self) -> None:
        while not self._ended.wait(self._pause) and not self.failure:
            self.send_round()
            self.rounds += 1


class DeliveredPackets:
    """Counts the TCP packets over IPv4 in a pcap file that an interface writes (``options:tx_pcap``)."""

    def __init__(self, capture: Path) -> None:
        self._capture, self._read = capture, _FILE
        self._counts: Counter[tuple[str, int]] = Counter()

    def count(self) -> Counter[tuple[str, int]]:
        """The number of packets so far, by source address and destination port."""
        with self._capture.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        for frame in _records(new):
            self._read += _RECORD + len(frame)
            if len(frame) >= 38 and frame[12:14] == _IPV4 and frame[23] == _TCP:
                self._counts[".".join(map(str, frame[26:30])), int.from_bytes(frame[36:38], "big")] += 1
        return self._counts


def _records(capture: bytes) -> Iterator[bytes]:
    """The complete packets at the beginning of the records of a pcap file from this machine."""
    at = 0
    while (end := at + _RECORD + int.from_bytes(capture[at + 8 : at + 12], sys.byteorder)) <= len(capture):
        yield capture[at + _RECORD : end]
        at = end
