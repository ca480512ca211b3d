"""Cases of the simulator that the compiler's own flows do not test, with flows written by hand."""

from collections.abc import Iterator

import pytest

from ovsnp.analysis.verification.simulator.packets import Unsupported
from ovsnp.analysis.verification.simulator.reading import read_bridge
from ovsnp.analysis.verification.simulator.space import Space
from ovsnp.analysis.verification.simulator.walk import Simulator
from tests.support.instance import DummySwitch

BRIDGE = "by-hand"
FLOWS = """
table=0,in_port=1 actions=output:1
table=0,in_port=2 actions=IN_PORT
table=0,ip,in_port=3 actions=dec_ttl,output:4
table=0,in_port=4 actions=set_field:0x7->reg1,resubmit(,1)
table=1,xxreg0=0x70000000000000000/0xffffffff0000000000000000 actions=output:5
table=0,ip,in_port=5 actions=push:NXM_OF_IP_SRC[],set_field:10.9.9.9->ip_src,goto_table:9
table=9,ip actions=resubmit(,2),pop:NXM_OF_IP_SRC[],resubmit(,3)
table=2,ip,nw_src=10.9.9.9 actions=set_field:0x1/0x1->reg2
table=3,ip,nw_src=10.0.0.1,reg2=0x1 actions=output:6
table=0,in_port=6 actions=goto_table:4
table=4,priority=5,tcp,tp_dst=80 actions=conjunction(1,1/2),conjunction(2,1/2)
table=4,priority=5,ip,nw_src=10.0.0.0/8 actions=conjunction(1,2/2)
table=4,priority=5,ip,nw_src=10.0.0.0/24 actions=conjunction(2,2/2)
table=4,priority=5,conj_id=1,ip,nw_dst=10.1.0.0/16 actions=output:1
table=4,priority=5,conj_id=2,ip,nw_dst=10.1.0.0/16 actions=output:1
table=4,priority=3,ip,nw_dst=10.1.0.0/16 actions=output:2
table=4,priority=2,tcp actions=output:3
table=0,ip,in_port=7 actions=move:NXM_OF_IP_SRC[0..7]->NXM_NX_REG7[8..15],set_field:0x3/0xff->reg7,goto_table:5
table=5,reg7=0x103 actions=move:NXM_NX_REG7[0..7]->NXM_NX_REG7[24..31],goto_table:6
table=6,reg7=0x3000103 actions=output:NXM_NX_REG7[0..2]
table=0,in_port=8 actions=resubmit(,7),output:2
table=7,priority=9,ip,nw_dst=10.1.2.0/24 actions=output:1
table=7,priority=8,ip,nw_dst=10.1.0.0/16 actions=output:5
"""
PACKETS = [
    *({"in_port": port} for port in range(1, 10)),
    *({"in_port": 3, "nw_ttl": ttl} for ttl in (0, 1, 2)),
    *({"in_port": 5, "nw_src": source} for source in (0x0A000001, 0x0A000002, 0x0A090909)),
    *({"in_port": 6, "tp_dst": port} for port in (80, 81)),
    *({"in_port": 6, "tp_dst": 80, "nw_src": source} for source in (0x0A000101, 0x0B000001)),
    *({"in_port": 6, "tp_dst": 80, "nw_dst": 0x0A020001, "nw_src": source} for source in (0x0A000001, 0x0B000001)),
    *({"in_port": 7, "nw_src": source} for source in (0x0A000001, 0x0A000002)),
    *({"in_port": 8, "nw_dst": destination} for destination in (0x0A010203, 0x0A010303, 0x0A020203)),
]
USUAL = {"eth_type": 0x800, "nw_proto": 6, "nw_src": 0x0A000001, "nw_dst": 0x0A010001, "nw_ttl": 64, "tp_dst": 7}


@pytest.fixture(scope="module")
def switch(dummy_switch: DummySwitch) -> Iterator[DummySwitch]:
    """A bridge with ports 1 to 8 and these flows."""
    dummy_switch.add_bridge(BRIDGE, {f"hand{port}": port for port in range(1, 9)})
    dummy_switch.run(["ovs-ofctl", "-O", "OpenFlow15", "add-flows", BRIDGE, "-"], FLOWS)
    yield dummy_switch
    dummy_switch.delete_bridge(BRIDGE)


@pytest.mark.parametrize("packet", PACKETS, ids=str)
def test_a_packet_leaves_by_the_same_ports(switch: DummySwitch, packet: dict[str, int]) -> None:
    fields = {**USUAL, **packet}
    said = [
        f"tcp,in_port={fields['in_port']},nw_ttl={fields['nw_ttl']},tcp_dst={fields['tp_dst']}",
        *(f"{name}={'.'.join(map(str, fields[name].to_bytes(4, 'big')))}" for name in ("nw_src", "nw_dst")),
    ]
    text = switch.appctl("ofproto/trace", BRIDGE, ",".join(said))
    (last,) = [line for line in text.splitlines() if line.startswith("Datapath actions: ")]
    numbers = switch.datapath_ports(BRIDGE)
    parts = [part for part in last.removeprefix("Datapath actions: ").split(",") if part.isdigit()]
    space = Space([fields])
    simulator = Simulator(read_bridge(FLOWS.splitlines()))
    (went,) = simulator.walk(space).run(space.fields(), space.everything)
    assert not any(isinstance(effect, Unsupported) for effect in went.effects)
    assert [each.port for each in went.sent] == [numbers[int(part)] for part in parts]


def test_packets_go_the_same_way_together_as_each_by_itself() -> None:
    """Sets of packets are split exactly where flows distinguish packets."""
    packets = [{**USUAL, **packet} for packet in PACKETS]
    simulator = Simulator(read_bridge(FLOWS.splitlines()))
    together = Space(packets)
    found: dict[int, list[object]] = {}
    for went in simulator.walk(together).run({**together.fields(), "nw_ttl": 64}, together.everything):
        for index in range(len(packets)):
            if went.sets[0] >> index & 1:
                assert index not in found
                alone = Space([packets[index]])
                (single,) = simulator.walk(alone).run({**alone.fields(), "nw_ttl": 64}, alone.everything)
                known = [together.known(each.port, (1 << index,)) for each in went.sent]
                found[index] = known
                assert known == [each.port for each in single.sent]
    assert found.keys() == set(range(len(packets)))
