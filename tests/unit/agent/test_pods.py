"""The holders of addresses, and the pods of one node, change with the cluster."""

from ovsnp.agent.program.pods import HeldAddresses, NodePods
from ovsnp.model.address import parse_address
from ovsnp.model.changes import Changes, Objects
from ovsnp.model.cluster import Pod
from tests.support.model_objects import pod

ADDRESS = parse_address("10.20.1.10")
OLD, NEW = pod("shop/old", "10.20.1.10"), pod("shop/new", "10.20.1.10")


def changes(came: tuple[Pod, ...] = (), went: tuple[Pod, ...] = ()) -> Changes:
    return Changes(Objects(pods=came), Objects(pods=went))


def test_address_goes_to_another_pod_in_one_update() -> None:
    held = HeldAddresses()
    assert held.update(changes((OLD,))) == {ADDRESS: OLD.holder}
    assert held.update(changes((NEW,), (OLD,))) == {ADDRESS: NEW.holder}
    assert held.update(changes((), (NEW,))) == {ADDRESS: None}
    assert held.now == {}


def test_last_holder_that_goes_late_takes_nothing_from_the_new_holder() -> None:
    held = HeldAddresses()
    held.update(changes((OLD,)))
    held.update(changes((NEW,)))
    assert held.update(changes((), (OLD,))) == {}
    assert held.now == {ADDRESS: NEW.holder}


def test_pod_that_stays_the_holder_is_no_change() -> None:
    held = HeldAddresses()
    held.update(changes((OLD,)))
    assert held.update(changes((pod("shop/old", "10.20.1.10", app="web"),))) == {}


def test_pods_of_the_node_come_change_and_go() -> None:
    here = NodePods("node-0")
    assert not here.update(changes((pod("shop/far", "10.20.2.10", on="node-1"),)))
    assert here.update(changes((OLD,)))
    assert here.update(changes((pod("shop/old", "10.20.1.10", app="web"),)))
    assert here.update(changes((), (OLD,)))
    assert not here.update(changes((), (OLD,)))
    assert here.now == {}


def test_pod_that_leaves_for_another_node_is_a_change() -> None:
    here = NodePods("node-0")
    here.update(changes((OLD,)))
    assert here.update(changes((pod("shop/old", "10.20.1.10", on="node-1"),)))
    assert here.now == {}
