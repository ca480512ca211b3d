"""Finds the flows learned for sessionAffinity to delete, as a client's or endpoint's address has a new holder."""

import re
from collections.abc import Iterable, Iterator

from ovsnp.apply.holders import ChangedHolders
from ovsnp.flows.action import Translate
from ovsnp.flows.program import Program
from ovsnp.model.address import Address, parse_address
from ovsnp.pipeline.fields import IP_SRC
from ovsnp.pipeline.registers import ENDPOINT
from ovsnp.switch.dump import InstalledFlow

_CLIENT = re.compile(rf"(?:{'|'.join(field.name for field in IP_SRC.values())})=(.*)")
_NUMBER = re.compile(rf"set_field:(0x[0-9a-f]+)->{ENDPOINT.target}$")

_Port = frozenset[str]
_Choice = tuple[_Port, int]
"""The match of a flow without the client, and the number of an endpoint."""


def outdated(learned: Iterable[InstalledFlow], program: Program, changed: ChangedHolders) -> Iterator[InstalledFlow]:
    """The learned flows with a client or endpoint among the changed addresses, or with an endpoint that is gone.

    The number of an endpoint that is gone does not show its address, which may be one of the changed addresses.
    """
    sound = {choice for choice, address in _endpoints(program) if address not in changed}
    for flow in learned:
        client, choice = _read(flow)
        if client in changed or choice not in sound:
            yield flow


def _endpoints(program: Program) -> Iterator[tuple[_Choice, Address]]:
    for flow in program.flows:
        numbers = [term.value for term in flow.match.terms if term.field is ENDPOINT]
        addresses = [action.address for action in flow.actions if isinstance(action, Translate)]
        for number, address in zip(numbers, addresses, strict=False):
            port = frozenset(part for part in str(flow.match).split(",") if not part.startswith(f"{ENDPOINT.base}="))
            yield (port, number), address


def _read(flow: InstalledFlow) -> tuple[Address | None, _Choice]:
    clients = {part: found[1] for part in flow.match if (found := _CLIENT.match(part))}
    number = _NUMBER.search(flow.actions)
    client = next((parse_address(text) for text in clients.values()), None)
    return client, (flow.match.difference(clients), int(number[1], 16) if number else 0)
