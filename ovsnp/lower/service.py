"""Service, Endpoint: a connection to a cluster IP and port gets one of the endpoints."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from ovsnp.flows.action import Goto, Lookup, ToGroup
from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Group
from ovsnp.flows.match import Match, exactly
from ovsnp.flows.note import FlowNote, Purpose
from ovsnp.flows.units import Unit
from ovsnp.ir.frontend import Frontend
from ovsnp.ir.node_changes import ServiceName
from ovsnp.lower.endpoints import GROUPS, EndpointChoice, affinity_flows, choice, groups
from ovsnp.model.address import family
from ovsnp.model.bridge import Bridge
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.numbers import Numbers


def flows(_: Bridge) -> Iterator[Flow]:
    """The flows by which packets go on that are not for a Service."""
    # A packet that comes through the tunnel got its endpoint on the sending node.
    yield Flow("Service", p.SERVICE_GUARD, Match("", (exactly(r.ORIGIN, r.Origin.TUNNEL),)), (Goto("DestinationNode"),))
    yield Flow("Service", p.MISS, Match(), (Goto("DestinationNode"),))


class ServiceFlows:
    """The flows and groups of all Services' ports.

    A port has one flow; with sessionAffinity two, and one more for each endpoint.
    """

    def __init__(self) -> None:
        self._frontends: dict[ServiceName, tuple[Frontend, ...]] = {}
        self._choices: dict[Unit, EndpointChoice] = {}
        self._groups: dict[Unit, tuple[Group, ...]] = {}
        self._unit_of: dict[str, Unit] = {}
        self._numbers = Numbers(GROUPS)

    @property
    def has_ports(self) -> bool:
        """True if there is a Service with a port."""
        return bool(self._frontends)

    @property
    def frontends(self) -> tuple[Frontend, ...]:
        """All ports of all Services, sorted by the namespace and name of the Service."""
        return self.ports_of(sorted(self._frontends))

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups, in the order of the ports."""
        return tuple(chain.from_iterable(self._groups.get(_unit(frontend), ()) for frontend in self.frontends))

    def ports_of(self, names: Iterable[ServiceName]) -> tuple[Frontend, ...]:
        """All ports of some Services."""
        return tuple(chain.from_iterable(self._frontends.get(name, ()) for name in names))

    def update(
        self, changes: Mapping[ServiceName, tuple[Frontend, ...]]
    ) -> Iterator[tuple[Unit, tuple[Flow, ...], tuple[Group, ...]]]:
        """Take the ports of Services that changed; returns the units that are made again."""
        touched: dict[Unit, Frontend | None] = {}
        for name, frontends in changes.items():
            before = {_unit(frontend): frontend for frontend in self._frontends.pop(name, ())}
            after = {_unit(frontend): frontend for frontend in frontends}
            touched.update(dict.fromkeys(before.keys() - after.keys()))
            touched.update((unit, port) for unit, port in after.items() if port != before.get(unit))
            if frontends:
                self._frontends[name] = frontends
        for unit in self._choose(touched) - touched.keys():
            touched[unit] = self._choices[unit].frontend
        for unit, frontend in touched.items():
            self._groups.pop(unit, None)
            if chosen := self._choices.get(unit):
                self._groups[unit] = groups(chosen, self._numbers)
            yield unit, tuple(self._flows(unit, frontend)) if frontend else (), self._groups.get(unit, ())

    def _choose(self, touched: Mapping[Unit, Frontend | None]) -> set[Unit]:
        """Number the groups of some ports again; returns the ports with a group whose number is new or has changed."""
        went: list[str] = []
        came: list[str] = []
        for unit, frontend in touched.items():
            if before := self._choices.pop(unit, None):
                went += before.names
            chosen = choice(frontend) if frontend else None
            if chosen:
                self._choices[unit] = chosen
                self._unit_of.update(dict.fromkeys(chosen.names, unit))
                came += chosen.names
        for name in {*went} - {*came}:
            del self._unit_of[name]
        return {self._unit_of[name] for name in self._numbers.update(went, came)}

    def _flows(self, unit: Unit, frontend: Frontend) -> Iterator[Flow]:
        found = self._groups.get(unit, ())
        version = family(frontend.address)
        address = exactly(f.IP_DST[version], int.from_bytes(frontend.address, "big"))
        match = Match(f.PROTOCOL_KIND[version, frontend.protocol], (address, exactly(f.PORT_DST, frontend.port)))
        note = FlowNote(Purpose.SERVICE if found else Purpose.NO_ENDPOINTS, (frontend.service,))
        if not found:
            yield Flow("Service", p.SERVICE, match, (), note)
        elif frontend.affinity:
            asked = (Lookup("SessionAffinity"), Goto("Endpoint"))
            yield Flow("Service", p.SERVICE, match, asked, note)
            yield from affinity_flows(self._choices[unit], frontend.affinity, match, found[-1].id)
        else:
            yield Flow("Service", p.SERVICE, match, (ToGroup(found[-1].id),), note)


def _unit(frontend: Frontend) -> Unit:
    return "Service", frontend.service, frontend.address, frontend.protocol.value, frontend.port
