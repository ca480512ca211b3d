"""The members of a party, and the answers of a matrix about pairs of members."""

from collections.abc import Iterator

from ovsnp.analysis.reach.cells import Cell, Reach
from ovsnp.analysis.reach.parties import Party, PartyKind
from ovsnp.model.address import Address, family, parse_address
from ovsnp.oracle import Traffic, judge, who
from ovsnp.oracle.judge import exemption


def members(reach: Reach, party: Party) -> Iterator[Address]:
    """The addresses of its pods and nodes; of an outside range the first, middle and last one, if free."""
    for pod in party.pods:
        yield from pod.addresses
    if party.kind is PartyKind.NODE:
        yield from map(parse_address, party.addresses)
    for written in party.addresses if party.kind is PartyKind.OUTSIDE else ():
        first, last = (
            parse_address(each) for each in (written if "-" in written else f"{written}-{written}").split("-")
        )
        low, high = (int.from_bytes(each, "big") for each in (first, last))
        for number in (low, (low + high) // 2, high):
            address = Address(number.to_bytes(len(first), "big"))
            if address not in reach.classes.clusters[0].held:
                yield address


def disagreements(reach: Reach, traffics: list[Traffic]) -> tuple[list[str], int]:
    """The disagreements of matrix and oracle about members, and the number of compared answers."""
    found, asked = [], 0
    for source in reach.parties:
        for destination in reach.parties:
            cell = reach.cell(source, destination)
            for near in members(reach, source):
                for far in members(reach, destination):
                    if cell is None or family(near) != family(far):
                        continue
                    for traffic in traffics:
                        asked += 1
                        if _said(reach, cell, near, far, traffic) != _judged(reach, near, far, traffic):
                            found.append(f"{source.name} to {destination.name}: {near!r} {far!r} {traffic}")
    return found, asked


def _said(reach: Reach, cell: Cell, near: Address, far: Address, traffic: Traffic) -> bool:
    """The answer that a reader takes from the cell."""
    cluster = reach.classes.clusters[0].cluster
    exempt = exemption(who(cluster, near), who(cluster, far), strict_nodes=reach.strict_nodes)
    if cell.wholly:
        assert cell.exempt is exempt
    if exempt:
        assert cell.exempt is exempt
        return True
    return bool(cell.ports[family(near)] >> reach.classes.of_traffic(traffic).number & 1)


def _judged(reach: Reach, near: Address, far: Address, traffic: Traffic) -> bool:
    cluster = reach.classes.clusters[0].cluster
    return judge(cluster, who(cluster, near), who(cluster, far), traffic, strict_nodes=reach.strict_nodes).allowed
