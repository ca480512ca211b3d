"""Defects to plant into compiled flows: each is one edit of the text, like a mistake of a person or of the compiler."""

import re
from typing import NamedTuple

from ovsnp.model.options import Encap, Options

PLAIN = Options(node="node-1")
VXLAN = Options(node="node-1", encap=Encap.VXLAN)
MASQUERADED = Options(node="node-1", masquerade=True)
BLOCKS = Options(node="node-1", service_blocks=True)
STRICT = Options(node="node-1", strict_nodes=True)


class Defect(NamedTuple):
    """An edit: ``put`` replaces the first match of ``find`` (as in `re.sub`). Questions of ``kind`` must find it."""

    name: str
    find: str
    put: str
    kind: str
    options: Options = PLAIN

    def planted(self, text: str) -> str:
        """The text with the defect; raises LookupError where the edit changes nothing."""
        changed, count = re.subn(self.find, self.put, text, count=1, flags=re.MULTILINE)
        if not count or changed == text:
            raise LookupError(f"nothing in the flows is as {self.find}")
        return changed


def without(table: int, pattern: str) -> str:
    """A pattern for the whole line of a flow of a table, to remove the flow."""
    return rf"^flow add cookie=\w+,table={table},.*{pattern}.*\n"


def added(flow: str) -> tuple[str, str]:
    """``find`` and ``put`` of a defect that adds one flow at the end."""
    return r"\Z", f"flow add {flow}\n"


DEFECTS = (
    # Flows that are missing
    Defect("a clause's flow is missing", without(150, r"tcp,tp_dst=6379 "), "", "policy"),
    Defect("a rule's conj_id flow is missing", without(100, "conj_id=1392063396"), "", "policy"),
    Defect("a subject's clause is missing", without(100, r"reg1=0xcbdc2757 actions=conj"), "", "policy"),
    Defect("a peer is missing", without(140, "nw_src=10.20.3.13 "), "", "policy"),
    Defect("an except is lost", without(140, r"nw_src=172.16.1.0/24"), "", "policy"),
    Defect("an except of one address is lost", without(90, r"nw_dst=172.16.0.40 "), "", "policy"),
    Defect("a local pod has no route", without(110, "nw_dst=10.20.1.12 "), "", "policy"),
    Defect("another node has no route", without(110, "nw_dst=10.20.3.0/24"), "", "policy"),
    Defect("a route back into the tunnel is missing", without(110, "ct_mark=0x7dd811e6"), "", "returning"),
    Defect("a node is not known as a source", without(130, "nw_src=192.168.50.1 "), "", "policy"),
    Defect("a node is not known as a destination", without(70, "nw_dst=192.168.50.2 "), "", "policy"),
    Defect("a pod's port is missing", without(0, "priority=200,ip,in_port=102"), "", "policy"),
    Defect("a known node's tunnel is missing", without(0, r"priority=206,tun_src=192.168.50.3"), "", "policy"),
    Defect("IPv6 is not committed", without(160, "priority=100,ipv6"), "", "policy"),
    Defect("answers over IPv6 are not remembered", without(160, "priority=450,ipv6"), "", "connection state"),
    Defect("a neighbour's solicitation is not answered", without(10, "priority=100,icmp6"), "", "neighbour discovery"),
    Defect("ARP of a pod is not answered", without(0, "arp,in_port=101"), "", "ARP"),
    # Guards that are missing
    Defect("VLAN tags pass", without(0, "vlan_tci"), "", "VLAN tag"),
    Defect("a group's MAC passes", without(0, "dl_dst=01:00"), "", "multicast"),
    Defect("multicast addresses pass", without(110, r"nw_dst=224.0.0.0/4"), "", "policy"),
    Defect("pods' addresses come in by the gateway", without(0, r"in_port=2655,nw_src=10.20.2.0/23"), "", "policy"),
    Defect("this node's pods come by the tunnel", without(0, r"in_port=2654,nw_src=10.20.1.0/24"), "", "policy"),
    Defect("a pod's own tunnel packets pass", without(80, r"udp,.*tp_dst=6081"), "", "policy"),
    Defect("invalid packets pass", without(50, r"priority=500,ct_state=\+inv"), "", "connection state"),
    Defect("TCP out of its window ends", without(50, "priority=550,tcp,"), "", "connection state"),
    Defect("router advertisements pass", without(0, "icmp_type=134"), "", "neighbour discovery"),
    Defect("a pod is told of its own address", without(10, "in_port=100,arp_tpa"), "", "ARP"),
    Defect("what the tunnel brings goes to Services", without(60, "reg0=0x2/0x3"), "", "service"),
    Defect("no such Service, yet it is routed", without(110, r"nw_dst=10.96.0.10/31"), "", "service"),
    # Matches
    Defect("a peer's prefix is one bit short", r"(table=90,.*)172\.16\.0\.0/16", r"\g<1>172.16.0.0/15", "policy"),
    Defect("a peer's prefix is one bit long", r"(table=140,.*)172\.16\.0\.0/16", r"\g<1>172.16.0.0/17", "policy"),
    Defect("an except is one bit long", r"(table=140,.*)172\.16\.1\.0/24", r"\g<1>172.16.1.0/25", "policy"),
    Defect("a port's mask is one bit off", "tcp,tp_dst=0x2000/0xfe00", "tcp,tp_dst=0x2000/0xfc00", "policy"),
    Defect("a port range ends early", "tcp,tp_dst=0x2320/0xfff8", "tcp,tp_dst=0x2320/0xfffc", "policy"),
    Defect("a named port is another pod's", r"tcp,tp_dst=6380 actions=c", "tcp,tp_dst=6379 actions=c", "policy"),
    Defect("TCP's port is UDP's", r"table=100,(.*),udp,tp_dst=53", r"table=100,\1,tcp,tp_dst=53", "policy"),
    Defect("a pod's MAC is not checked", r"(in_port=102),dl_src=[0-9a-f:]+(,nw_src)", r"\1\2", "spoofing"),
    Defect(
        "a pod's address is not checked",
        r"(table=0,priority=200,ip,in_port=102,dl_src=[0-9a-f:]+),nw_src=\S+",
        r"\1",
        "spoofing",
    ),
    Defect("a pod's address is its subnet", r"(in_port=102,dl_src=[0-9a-f:]+,nw_src=10.20.1.12)", r"\1/31", "spoofing"),
    Defect("an ARP sender's address is not checked", r"(arp,in_port=100,dl_src=\S+?),arp_spa=[0-9.]+", r"\1", "ARP"),
    Defect("a tunnel's source is not checked", r"(priority=206),tun_src=192.168.50.2", r"\1", "unknown tunnel"),
    Defect("the mark is not looked at", r"(priority=206,tun_src=192.168.50.2\S*),tun_id=0", r"\1", "carrier"),
    Defect("a carrier is not marked", r"set_field:0x1->tun_id,", "", "service"),
    Defect("a port is not checked", r"(table=0,priority=200,ip),in_port=2655", r"\1", "unknown port"),
    Defect("a subnet where a pod was meant", r"(table=110,priority=400,ip,nw_dst=10\.20\.1\.10)", r"\1/31", "policy"),
    # Connections
    Defect("ct_state is not looked at", r"ct_state=\+new\+trk", "ct_state=+trk", "connection state"),
    Defect("established is enough", r"ct_state=\+est\+trk,ct_label=\w+/\w+", "ct_state=+est+trk", "connection state"),
    Defect(
        "admitted is enough",
        r"(priority=250,ct_state=\+est\+trk),ct_label=\w+/\w+",
        r"\1,ct_label=0x10000000000000000/0x10000000000000000",
        "policy",
    ),
    Defect("an error about any connection passes", r"(ct_state=\+rel\+trk),ct_label=\S+", r"\1", "connection state"),
    Defect("the first answer is not remembered", without(50, "priority=255,"), "", "connection state"),
    Defect("answers do not go to Commit", without(120, "priority=450,"), "", "connection state"),
    Defect(
        "answers are remembered elsewhere",
        r"(table=160,priority=450,ip,.*)zone=2654",
        r"\1zone=2655",
        "connection state",
    ),
    Defect(
        "an error about a connection is judged",
        r"(\+rel\+trk,ct_label=\S+ actions=)",
        r"\1set_field:0x4/0x4->reg0,",
        "connection state",
    ),
    Defect(
        "connections are not remembered as admitted",
        r"(table=160,priority=100,ip .*),set_field:0x10000000000000000/0x10000000000000000->ct_label",
        r"\1",
        "policy",
    ),
    Defect("another zone is committed to", r"(table=160,priority=100,ip .*)zone=2654", r"\1zone=2655", "policy"),
    Defect(
        "the tunnel is not remembered",
        r"(table=160,priority=100,ip .*),move:NXM_NX_REG8\[\]->NXM_NX_CT_MARK\[\]",
        r"\1",
        "policy",
    ),
    Defect("packets are tracked in another zone", r"ct\(table=50,zone=2654", "ct(table=50,zone=1", "connection state"),
    Defect("translation is not undone", r"ct\(table=50,zone=2654,nat\)", "ct(table=50,zone=2654)", "connection state"),
    Defect("SCTP goes on once it is admitted", without(50, "priority=300,sctp,"), "", "connection state"),
    Defect("no packet is judged", r"(\+new\+trk actions=)set_field:0x4/0x4->reg0,", r"\1", "policy"),
    # Priorities
    Defect(
        "priorities are swapped",
        r"(table=140,priority=)1024((?:.*\n)*?.*table=140,priority=)1016",
        r"\g<1>1016\g<2>1024",
        "policy",
    ),
    Defect("the default route comes first", r"(table=110,priority=)100(,ip )", r"\g<1>450\2", "policy"),
    Defect("an isolated subject's end comes first", r"(table=150,priority=)100", r"\g<1>260", "policy"),
    Defect("a clause has another priority", r"(table=150,priority=)200(,reg4=0xdd492682)", r"\g<1>201\2", "policy"),
    # Actions
    Defect("the subject is another's", "set_field:0x30ee43be->reg2", "set_field:0x564fdfcb->reg2", "policy"),
    Defect("an isolated pod has no subject", "set_field:0x30ee43be->reg2,", "", "policy"),
    Defect("the identity is another's", r"(nw_src=10.20.2.11 actions=set_field:)\w+", r"\g<1>0x7a798e62", "policy"),
    Defect("a conjunction's id is reused", r"conjunction\(3896392562,1/3\)", "conjunction(1274154865,1/3)", "policy"),
    Defect("a clause's number is wrong", r"conjunction\(1392063396,2/3\)", "conjunction(1392063396,3/3)", "policy"),
    Defect("clauses disagree", r"conjunction\(1392063396,2/3\)", "conjunction(1392063396,2/4)", "policy"),
    Defect("a conjunction lacks a clause", r"conjunction\(631355494,2/2\)", "conjunction(631355494,1/2)", "policy"),
    Defect("a rule drops", r"(conj_id=631355494 actions=).*", r"\1drop", "policy"),
    Defect("a drop passes", r"(table=150,priority=100,\S+ actions=)drop", r"\1goto_table:160", "policy"),
    Defect("a pod's port is another's", r"set_field:0x64->reg7", "set_field:0x65->reg7", "policy"),
    Defect(
        "a pod's MAC is another's",
        "set_field:0a:58:0a:14:01:0b->eth_dst",
        "set_field:0a:58:0a:14:01:0a->eth_dst",
        "policy",
    ),
    Defect("a route goes to another node", r"(nw_dst=10.20.2.0/24 .*)192.168.50.2", r"\g<1>192.168.50.3", "policy"),
    Defect("TTL stays", r"dec_ttl,", "", "policy"),
    Defect("egress is not judged", r"resubmit\(,90\),goto_table:100", "goto_table:110", "policy"),
    Defect("nobody asks for the peer", r"resubmit\(,130\),resubmit\(,140\)", "resubmit(,130)", "policy"),
    Defect(
        "ARP is answered with another MAC",
        r"set_field:0a:58:00:00:00:01->arp_sha",
        "set_field:0a:58:00:00:00:09->arp_sha",
        "ARP",
    ),
    Defect(
        "a neighbour is told another MAC",
        r"set_field:0a:58:00:00:00:01->nd_tll",
        "set_field:0a:58:00:00:00:09->nd_tll",
        "neighbour discovery",
    ),
    # The carrier
    Defect("the carrier is not looked at", without(120, "ip,reg0=0x20"), "", "carrier"),
    Defect(
        "the carrier of any node is believed",
        r"(tun_metadata0=)0xa140200/0xffffff00",
        r"\g<1>0xa140000/0xffff0000",
        "carrier",
    ),
    Defect("the carrier is not taken over", r",move:NXM_NX_TUN_METADATA0\[0\.\.31\]->NXM_NX_REG9\[\]", "", "carrier"),
    Defect("the carrier is not written", r"move:NXM_OF_IP_SRC\[\]->NXM_NX_TUN_METADATA0\[0\.\.31\],", "", "service"),
    Defect(
        "the carrier is written from the destination",
        r"NXM_OF_IP_SRC\[\](->NXM_NX_TUN_METADATA0)",
        r"NXM_OF_IP_DST[]\1",
        "service",
    ),
    Defect("the carrier is written in replies", r"reg0=0x81/0x83,reg7", "reg0=0x1/0x3,reg7", "connection state"),
    Defect("the source is not put back", r",pop:NXM_OF_IP_SRC\[\]", "", "carrier"),
    Defect(
        "an offset one bit too wide is believed",
        r"tun_id=0/0xffffffffffffff00",
        "tun_id=0/0xfffffffffffffe00",
        "carrier",
        VXLAN,
    ),
    Defect(
        "an offset counts from another CIDR", "set_field:0xa140200->reg9", "set_field:0xa140300->reg9", "carrier", VXLAN
    ),
    Defect(
        "VXLAN's carrier is not written",
        r"move:NXM_OF_IP_SRC\[0\.\.7\]->NXM_NX_TUN_ID\[0\.\.7\],",
        "",
        "service",
        VXLAN,
    ),
    # Services
    Defect("a Service's port has no flow", without(60, "nw_dst=10.96.0.10,"), "", "service"),
    Defect("a Service's port is another", "nw_dst=10.96.0.12,tp_dst=81 ", "nw_dst=10.96.0.12,tp_dst=80 ", "service"),
    Defect(
        "answers carry a source", r"ct_state=\+est-rpl\+trk(,ct_label=0x6)", r"ct_state=+est+trk\1", "connection state"
    ),
    Defect("out of its window nothing is carried", without(50, "priority=560,tcp,"), "", "connection state"),
    Defect("open Service-bound connections are unmarked", without(50, "priority=260,"), "", "connection state"),
    Defect("until admitted, a Service is chosen again", without(50, "priority=210,"), "", "connection state"),
    Defect("SCTP to a Service has no carrier later", without(50, "priority=310,sctp,"), "", "connection state"),
    Defect("a group is missing", r"^group add group_id=2634974120.*\n", "", "service"),
    Defect("a bucket is missing", r"(group_id=2634974120,.*?)(,bucket=.*?)(,bucket=.*)", r"\1\3", "service"),
    Defect("an endpoint's port is wrong", r"nat\(dst=10.20.2.10:6380\)", "nat(dst=10.20.2.10:6379)", "service"),
    Defect("an endpoint is a stranger", r"nat\(dst=10.20.1.10:6379\)", "nat(dst=10.20.1.99:6379)", "service"),
    Defect("a Service goes to another's group", r"actions=group:2634974120", "actions=group:3363251141", "service"),
    Defect(
        "Service-bound is not remembered",
        r",exec\(set_field:0x20000000000000000/0x20000000000000000->ct_label\)",
        "",
        "service",
    ),
    Defect(
        "Service-bound is not marked",
        r"set_field:0x80/0x80->reg0,(ct.commit,table=70,zone=2654,nat.dst=10.20.2.10)",
        r"\1",
        "service",
    ),
    Defect(
        "policy is not asked behind a Service",
        r"ct\(commit,table=70(,zone=2654,nat\(dst=10.20.2.12:81)",
        r"ct(commit,table=110\1",
        "service",
    ),
    Defect(
        "a pod that reaches itself sees its own address",
        r"(in_port=102,reg7=0x66,reg0=\S+ actions=\S+?,)ct.commit.*",
        r"\1goto_table:180",
        "service",
    ),
    Defect("a pod that reaches itself gets nothing back", without(180, "IN_PORT"), "", "service"),
    Defect("sessionAffinity keeps another endpoint", r"load:0x69d23b54->", "load:0xaa281f4d->", "service"),
    Defect("sessionAffinity keeps for a day", "idle_timeout=600", "idle_timeout=60", "service"),
    Defect("sessionAffinity is not kept", r"actions=learn\([^)]*\),", "actions=", "service"),
    Defect("masqueraded answers are not undone", without(30, "ip,nw_dst=10.20.1.1 "), "", "masquerade", MASQUERADED),
    Defect(
        "the masquerade is another's address",
        r"(reg7=0xa5e .*src=)10.20.1.1:",
        r"\g<1>10.20.1.2:",
        "service",
        MASQUERADED,
    ),
    Defect("a cluster IP's block is lost", without(95, r"ct_nw_dst=10.96.0.0/24"), "", "service", BLOCKS),
    Defect("a cluster IP's port is not looked at", r"(ct_nw_proto=6),ct_tp_dst=81", r"\1", "service", BLOCKS),
    Defect(
        "another node is exempt",
        r"(nw_dst=192.168.50.2 actions=set_field:0x8/0x8->reg0)",
        r"\1,set_field:0x100/0x100->reg0",
        "policy",
        STRICT,
    ),
    # Flows of other programs
    Defect("another's flow shadows", *added("table=0,priority=60000,tcp,tp_dst=22 actions=drop"), "policy"),
    Defect(
        "another's flow lets all in", *added("table=150,priority=60000,tcp,tp_dst=22 actions=goto_table:160"), "policy"
    ),
    Defect(
        "another's flow takes a source port", *added("table=0,priority=60000,tcp,tp_src=4444 actions=drop"), "policy"
    ),
    Defect(
        "another's flow takes LLDP", *added("table=0,priority=9,dl_type=0x88cc actions=output:101"), "other protocol"
    ),
    Defect("a state that is not known", *added("table=50,priority=600,ct_state=+dnat+trk actions=drop"), "policy"),
    Defect(
        "another's flow for a strange port",
        *added("table=0,priority=5,ip,in_port=77 actions=goto_table:110"),
        "unknown port",
    ),
    Defect("an action that is not known", *added("table=0,priority=60000,ip,in_port=100 actions=NORMAL"), "policy"),
    Defect("a match that is not known", *added("table=0,priority=60000,ip,nw_ttl=1 actions=drop"), "policy"),
    Defect("a match without its prerequisite", r"(table=140,priority=1032),ip(,nw_src=10.20.3.13)", r"\1\2", "policy"),
    Defect(
        "two flows of one priority", *added("table=140,priority=1032,ip,nw_src=10.20.3.13/31 actions=drop"), "policy"
    ),
)
