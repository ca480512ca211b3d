"""Our messages are, byte for byte, what ``ovs-ofctl bundle`` makes of our text."""

import shutil
from collections.abc import Iterable
from random import Random

import msgspec
import pytest

from ovsnp.compiler import Compilation, compile_cluster, local_pods
from ovsnp.errors import UsageError
from ovsnp.flows import modification as m
from ovsnp.flows.action import SetField
from ovsnp.flows.match import Match, exactly
from ovsnp.flows.program import Program
from ovsnp.model.changes import Changes, all_objects, changes_between
from ovsnp.model.options import Encap
from ovsnp.pipeline import fields as f
from ovsnp.pipeline.tables import TABLES
from ovsnp.render import modification_line
from ovsnp.switch.openflow.actions import encode_actions
from ovsnp.switch.openflow.match import encode_match
from ovsnp.switch.openflow.modifications import encode_change
from tests.property.cluster_changes import moments
from tests.property.cluster_changes import options_of as random_options
from tests.support.golden_cases import CASES, cluster_of, options_of
from tests.support.stand_in_switch import bundled
from tests.support.traced import offline_ports

pytestmark = pytest.mark.skipif(not shutil.which("ovs-ofctl"), reason="ovs-ofctl is not installed")


def compare(modifications: Iterable[m.Modification]) -> None:
    """Assert that every modification is encoded as ``ovs-ofctl`` encodes its line."""
    wanted = list(modifications)
    lines = [*map(modification_line, wanted)]
    theirs = bundled("".join(f"{line}\n" for line in lines))
    assert len(theirs) == len(lines)
    for line, modification, their in zip(lines, wanted, theirs, strict=True):
        assert encode_change(modification).packed.hex(" ", 4) == _mapped(their).hex(" ", 4), line


def _mapped(message: bytes) -> bytes:
    """The message with the mapped lengths of tunnel options in the names of fields: ``ovs-ofctl`` knows no map."""
    for option in f.TUN_METADATA.values():
        message = message.replace(option.oxm.exact, option.oxm.header(option.octets))
    return message


def whole(program: Program) -> Iterable[m.Modification]:
    """Every modification that can be made of every flow, group and bucket of a program."""
    for flow in program.flows:
        yield from (m.AddFlow(flow), m.ModifyFlow(flow), m.DeleteFlow(flow))
    for group in program.groups:
        yield from (m.AddGroup(group), m.ModifyGroup(group), m.DeleteGroup(group.id))
        yield m.InsertBuckets(group.id, group.buckets)
        yield from (m.RemoveBucket(group.id, bucket.id) for bucket in group.buckets)


def test_every_declared_field_is_encoded() -> None:
    for table in TABLES:
        for field in table.matches:
            kind = min(field.kinds, default="")
            assert encode_match(Match(kind, (exactly(field, 1),)))
        for field in table.sets:
            assert encode_actions((SetField(field, 1),))


@pytest.mark.parametrize("encap", Encap)
@pytest.mark.parametrize("case", CASES)
def test_golden_case(case: str, encap: Encap) -> None:
    cluster = cluster_of(case)
    for node in cluster.nodes or (None,):
        options = msgspec.structs.replace(options_of(case), encap=encap, node=node)
        try:
            program = compile_cluster(cluster, offline_ports(local_pods(cluster, node)), options)
        except UsageError:
            assert encap is Encap.VXLAN  # it cannot carry every address
        else:
            compare(whole(program))


@pytest.mark.parametrize("seed", range(8))
def test_random_program_and_changes(seed: int) -> None:
    random = Random(seed)
    options = random_options(random)
    compilation, before = Compilation(options), None
    made: list[m.Modification] = []
    for cluster, ports in moments(random, options, 5):
        changes = changes_between(before, cluster, ports) if before else Changes(all_objects(cluster), ports=ports)
        made += m.modifications(compilation.update(changes))
        before = cluster
    compare(made)
    compare(whole(compilation.program()))
