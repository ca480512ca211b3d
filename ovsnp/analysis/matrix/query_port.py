"""The port of a question to the matrix."""

from collections.abc import Sequence

import msgspec

from ovsnp.analysis.naming.near_names import advice, nearest
from ovsnp.analysis.naming.ports import WrittenPort, read_port
from ovsnp.analysis.reach.parties import Party
from ovsnp.analysis.wording.ports import PORTLESS, range_words
from ovsnp.errors import UsageError
from ovsnp.model.ports import Protocol
from ovsnp.oracle import ICMP, Traffic


class QueryPort(msgspec.Struct, frozen=True):
    """The port of a question; ``port`` is None for traffic without ports."""

    port: WrittenPort | None

    @property
    def written(self) -> str:
        """The port as a user writes it."""
        if self.port is None:
            return PORTLESS
        return range_words(self.port.protocol, self.port.port) if self.port.protocol else str(self.port.port)

    def at(self, destination: Party) -> tuple[Traffic, ...]:
        """The traffic that the port means at this destination; empty where no port there has the name."""
        if self.port is None:
            return (ICMP,)
        if isinstance(self.port.port, int):
            return (Traffic(self.port.protocol or Protocol.TCP, self.port.port),)
        named = (each for pod in destination.pods[:1] for each in pod.ports if each.name == self.port.port)
        wanted = (each for each in named if self.port.protocol in (None, each.protocol))
        return tuple(dict.fromkeys(Traffic(each.protocol, each.number) for each in wanted))


def read_query_port(text: str, parties: Sequence[Party]) -> QueryPort:
    """Read PORT, or ``icmp``; raises UsageError where the text is no port, or a name that no port of any pod has."""
    if text.lower() == PORTLESS:
        return QueryPort(None)
    asked = QueryPort(read_port(text))
    if asked.port and isinstance(asked.port.port, str) and not any(asked.at(each) for each in parties):
        names = {port.name for party in parties for pod in party.pods for port in pod.ports}
        hint = advice(nearest(asked.port.port, names), names, "names of ports")
        raise UsageError(f"no pod has a port of the name {text}; {hint}")
    return asked
