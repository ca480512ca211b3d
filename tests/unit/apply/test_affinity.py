"""Which learned flows of sessionAffinity must go: those of a client or an endpoint with a new holder."""

import pytest

from ovsnp.apply.affinity import outdated
from ovsnp.apply.holders import ChangedHolders
from ovsnp.compiler import compile_cluster, local_pods
from ovsnp.flows.action import Translate
from ovsnp.flows.program import Program
from ovsnp.model.address import Address, family, parse_address
from ovsnp.pipeline.registers import ENDPOINT
from ovsnp.pipeline.tables import BY_NAME
from ovsnp.switch.dump import InstalledFlow, parse_dump
from tests.support.golden_cases import cluster_of, options_of
from tests.support.traced import offline_ports

CASE, CLIENT = "service-affinity", "192.0.2.7"
GONE = 0xFFFFFFFE
"""The number of no endpoint."""


@pytest.fixture(scope="module")
def program() -> Program:
    cluster, options = cluster_of(CASE), options_of(CASE)
    return compile_cluster(cluster, offline_ports(local_pods(cluster, options.node)), options)


@pytest.fixture(scope="module")
def endpoint(program: Program) -> tuple[str, int, Address]:
    """The match of a port of a Service without the endpoint, and the number and the address of an endpoint."""
    for flow in program.flows:
        numbers = [term.value for term in flow.match.terms if term.field is ENDPOINT]
        addresses = [action.address for action in flow.actions if isinstance(action, Translate)]
        if numbers and addresses and family(addresses[0]) == 4:
            parts = [part for part in str(flow.match).split(",") if not part.startswith(ENDPOINT.base)]
            return ",".join(parts), numbers[0], addresses[0]
    raise LookupError("no Service has an endpoint")


def learned(port: str, number: int) -> InstalledFlow:
    table = BY_NAME["SessionAffinity"].id
    return parse_dump(
        f"cookie=0x0, table={table}, priority=1,{port},nw_src={CLIENT} actions=set_field:{number:#x}->{ENDPOINT.target}"
    )


def changed(*addresses: Address) -> ChangedHolders:
    return ChangedHolders(frozenset(addresses))


def test_flow_stays_while_client_and_endpoint_have_their_holders(
    program: Program, endpoint: tuple[str, int, Address]
) -> None:
    port, number, _ = endpoint
    assert list(outdated([learned(port, number)], program, changed(parse_address("192.0.2.99")))) == []


def test_flow_goes_with_its_client_and_with_its_endpoint(program: Program, endpoint: tuple[str, int, Address]) -> None:
    port, number, address = endpoint
    flow = learned(port, number)
    assert list(outdated([flow], program, changed(parse_address(CLIENT)))) == [flow]
    assert list(outdated([flow], program, changed(address))) == [flow]


def test_flow_of_an_endpoint_that_is_gone_goes(program: Program, endpoint: tuple[str, int, Address]) -> None:
    flow = learned(endpoint[0], GONE)
    assert list(outdated([flow], program, changed(parse_address("192.0.2.99")))) == [flow]
