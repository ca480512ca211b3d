"""The answers of ``ovsnp trace`` agree with the results of real connections."""

import json
import os
import select
import socket
from collections.abc import Callable
from typing import Any

import pytest

from ovsnp.analysis.naming.questions import Connection, Question
from ovsnp.analysis.trace.nodes import NodeSwitch, TracedNode, read_nodes
from ovsnp.analysis.trace.packet import SOURCE_PORT
from ovsnp.analysis.trace.packet_path import Fate
from ovsnp.analysis.trace.tracing import TraceTerms, trace
from ovsnp.analysis.wording.ports import traffic_name
from ovsnp.lab import standing
from ovsnp.lab.demo import policies
from ovsnp.lab.matrix import Matrix, MeasuredCell, concerned
from ovsnp.lab.measuring import measuring
from ovsnp.lab.standing import Lab
from ovsnp.model.address import format_address
from ovsnp.model.options import Encap, Options
from ovsnp.oracle import who
from ovsnp.oracle.terms import Terms
from ovsnp.switch.location import locate
from tests.lab.ground import SOCKET_FAMILY, Ground
from tests.support.applying import ovsnp
from tests.support.lab_datapath import PACE, SAMPLED, patient

pytestmark = pytest.mark.lab


EVERY_CELL = bool(os.environ.get("OVSNP_TRACE_EVERY_CELL"))
"""The test measures and traces all cells, over both encapsulations, instead of a sample over Geneve."""

DATABASES = ("default/db-1", "default/db-2")
PORTS = range(41000, 41016)


@pytest.fixture(scope="module", params=Encap if EVERY_CELL else [Encap.GENEVE])
def ground(request: pytest.FixtureRequest, grounds: Callable[[Encap], Ground]) -> Ground:
    made = grounds(request.param)
    made.lab.apply([str(file) for file in policies(made.lab.topology)])
    return made


def measured(lab: Lab) -> Matrix:
    with measuring(lab, concerned(lab.cluster)) as measure:
        return measure(PACE if EVERY_CELL else SAMPLED)


def bridges(lab: Lab) -> dict[str | None, TracedNode]:
    switches = [NodeSwitch(locate(lab.runtime.database(at)), node) for node, at in lab.nodes]
    return read_nodes(lab.cluster, switches, Options(standing.BRIDGE, encap=lab.settings.encap))


def name(cell: MeasuredCell) -> str:
    case = cell.case
    ends = (format_address(case.source_address), format_address(case.destination_address))
    return f"{case.source.name} {ends[0]} to {case.destination.name} {ends[1]}, {traffic_name(case.traffic)}"


def test_cells_are_traced_as_they_were_measured(ground: Ground) -> None:
    lab = ground.lab
    cells, nodes, wrong = measured(lab).cells, bridges(lab), []
    for cell in cells:
        ends = (who(lab.cluster, address) for address in (cell.case.source_address, cell.case.destination_address))
        question = Question("", "", (Connection(*ends, cell.case.traffic),))
        (traced,) = trace(lab.cluster, nodes, question, TraceTerms(Terms(), SOURCE_PORT))
        if (traced.way.fate is Fate.DELIVERED) is not cell.result.connected or not traced.agrees:
            wrong.append((name(cell), cell.result, traced.way.words, traced.against))
    assert wrong[:10] == []
    assert len(cells) >= (SAMPLED.sample or 0)
    assert 0.1 < sum(cell.result.connected for cell in cells) / len(cells) < 0.95


@pytest.mark.parametrize("version", [4, 6])
def test_services_give_the_endpoints_that_traces_say(ground: Ground, version: int) -> None:
    """The datapath chooses an endpoint by a hash; a trace has another hash, over the same endpoints."""
    servers = {pod: listening(ground, pod, version) for pod in DATABASES}
    given = set()
    for port in PORTS:
        (found,) = traced(ground, "default/frontend-1", "svc/default/db", "6379", port, version)["connections"]
        assert (found["fate"], found["agrees"]) == ("delivered", True)
        given.add(found["backend"]["name"])
    reached = {connected(ground, "default/frontend-1", servers, version, port) for port in PORTS}
    for server in servers.values():
        server.close()
    assert given == reached == set(DATABASES)
    (denied,) = traced(ground, "default/plain-1", "svc/default/db", "6379", SOURCE_PORT, version)["connections"]
    assert (denied["fate"], denied["agrees"]) == ("dropped", True)


def traced(ground: Ground, source: str, destination: str, port: str, source_port: int, version: int) -> dict[str, Any]:
    """The command's answer for the lab, as JSON."""
    of_lab = ("--lab", "--name", ground.lab.settings.name, "-o", "json")
    answer = ovsnp("trace", source, destination, port, "--source-port", source_port, f"--ipv{version}", *of_lab)
    assert answer.code == 0, answer
    document: dict[str, Any] = json.loads(answer.out)
    return document


def listening(ground: Ground, pod: str, version: int) -> socket.socket:
    """A server at a database's port."""
    server = ground.socket(pod, SOCKET_FAMILY[version], socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((ground.address(pod, version), 6379))
    server.listen()
    server.setblocking(False)
    return server


def connected(ground: Ground, client: str, servers: dict[str, socket.socket], version: int, port: int) -> str:
    """The server that a connection to the Service from this source port reaches."""
    with ground.socket(client, SOCKET_FAMILY[version], socket.SOCK_STREAM) as opened:
        opened.settimeout(patient(20))
        opened.bind((ground.address(client, version), port))
        opened.connect((ground.cluster_ip("default/db", version), 6379))
        ready, _, _ = select.select(list(servers.values()), [], [], patient(20))
        (server,) = ready
        server.accept()[0].close()
        return next(pod for pod, each in servers.items() if each is server)


def test_a_lab_says_itself_what_it_is_of(ground: Ground) -> None:
    of_lab = ("--lab", "--name", ground.lab.settings.name)
    refused = ovsnp("trace", "default/web-1", "default/db-1", *of_lab, "--encap", "vxlan", "-f", "elsewhere")
    assert (refused.code, refused.out) == (2, "")
    assert "--lab takes -f, --encap from the lab; leave it out" in refused.err
    unknown = ovsnp("trace", "default/web-1", "default/db-1", "--lab", "--name", "nowhere")
    assert unknown.code == 2
