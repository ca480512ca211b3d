"""Names of several pods: workloads, label selectors, namespaces."""

import pytest
from msgspec.structs import replace

from ovsnp.analysis.naming.ends import name_of
from ovsnp.analysis.naming.roster import Roster
from ovsnp.errors import UsageError
from ovsnp.model.cluster import Pod, Workload
from ovsnp.oracle import PodEnd
from tests.support import model_objects as b


def of(kind: str, name: str, pod: Pod) -> Pod:
    return replace(pod, workload=Workload(kind, pod.namespace, name))


PODS = (
    of("Deployment", "cart", b.pod("default/cart-1", "10.20.0.1", app="cart", tier="web")),
    of("Deployment", "cart", b.pod("default/cart-2", "10.20.0.2", app="cart")),
    of("Deployment", "cart", b.pod("shop/cart-1", "10.20.0.3", app="cart", tier="web")),
    of("StatefulSet", "cart", b.pod("shop/cart-0", "10.20.0.4", app="cart")),
    of("Job", "once", b.pod("shop/once", "10.20.0.5", **{"example.com/run": "yes"})),
    of("Deployment", "till", b.pod("shop/till-1", "10.20.0.6")),
    b.pod("shop/till", "10.20.0.7", app="till", tier="db"),
    b.pod("deployment/cart", "10.20.0.8"),
    b.pod("shop/plain-1", "10.20.0.9", role="x"),
    b.pod("shop/plain-2", "10.20.0.10", role="x"),
    b.pod("node/web", "10.20.0.11"),
    b.pod("svc/web", "10.20.0.12"),
)
HOST = of("DaemonSet", "proxy", b.pod("kube-system/proxy-1", "172.16.0.1", on="node-0", app="proxy"))
CLUSTER = replace(
    b.cluster(
        b.node("node-0", "172.16.0.1", "10.20.0.0/24"),
        *PODS,
        b.service("default/web", "10.96.0.1", ports=[b.port(80, 80)]),
    ),
    host_pods=(HOST,),
    ended_pods=(b.pod("shop/done", app="done"),),
)
CLUSTER = replace(CLUSTER, namespaces={**CLUSTER.namespaces, "kube-system": b.namespace("kube-system")})


@pytest.mark.parametrize(
    ("text", "name", "pods"),
    [
        ("deployment/default/cart", "deployment/default/cart", "default/cart-1 default/cart-2"),
        ("deploy/default/cart", "deployment/default/cart", "default/cart-1 default/cart-2"),
        ("Deployment/shop/cart", "deployment/shop/cart", "shop/cart-1"),
        ("sts/shop/cart", "statefulset/shop/cart", "shop/cart-0"),
        ("default/cart", "deployment/default/cart", "default/cart-1 default/cart-2"),
        ("cart", "deployment/default/cart", "default/cart-1 default/cart-2"),
        ("shop/once", "job/shop/once", "shop/once"),
        ("pod/shop/till", "pod/shop/till", "shop/till"),
        ("pod/shop/plain-1", "shop/plain-1", "shop/plain-1"),
        ("shop/plain", "shop/plain", "shop/plain-1 shop/plain-2"),
        ("node/web", "node/web", "node/web"),
        ("pod/svc/web", "svc/web", "svc/web"),
        ("app=cart", "default/app=cart", "default/cart-1 default/cart-2"),
        ("shop/app=cart", "shop/app=cart", "shop/cart-0 shop/cart-1"),
        ("shop/app==cart,tier!=web", "shop/app=cart,tier notin (web)", "shop/cart-0"),
        ("shop/app in (cart, till),tier", "shop/app in (cart,till),tier", "shop/cart-1 shop/till"),
        ("shop/!app,!role", "shop/!app,!role", "shop/once shop/till-1"),
        ("shop/example.com/run=yes", "shop/example.com/run=yes", "shop/once"),
        ("deployment/*", "deployment/*", "deployment/cart"),
        ("shop/", "shop/*", "shop/cart-0 shop/cart-1 shop/once shop/plain-1 shop/plain-2 shop/till shop/till-1"),
    ],
)
def test_pods_that_are_named(text: str, name: str, pods: str) -> None:
    found = Roster(CLUSTER).destination(text)
    assert (found.name, sorted(map(name_of, found.ends))) == (name, pods.split())
    assert all(isinstance(end, PodEnd) for end in found.ends)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("shop/cart", "shop/cart may mean deployment/shop/cart or statefulset/shop/cart; write which"),
        ("shop/till", "shop/till may mean deployment/shop/till or pod/shop/till; write which"),
        ("deployment/cart", "deployment/cart may mean deployment/default/cart or pod/deployment/cart; write which"),
        (
            "deployment/shop/crt",
            "there is no deployment/shop/crt with pods that have an address; did you mean ",
        ),
        ("daemonset/kube-system/proxy", "are hostNetwork: policies treat kube-system/proxy-1 as node/node-0; use that"),
        ("kube-system/app=proxy", "pod kube-system/proxy-1 is hostNetwork: policies treat it as node/node-0; use that"),
        ("shop/app=done", "pod shop/done has ended, so policies do not know it; name a pod that runs"),
        ("shop/app=crt", "no pod of namespace shop has app=crt; did you mean app=cart or app=till?"),
        ("shp/app=cart", "there is no namespace shp; did you mean shop?"),
        ("shop/app=cart,,", "'' is no part of a label selector; write KEY=VALUE, KEY!=VALUE, KEY in (A,B),"),
        ("shop/app=a=b", "'app=a=b' is no part of a label selector"),
        ("shop/-x=1", "'-x' cannot be the key of a label"),
        ("shop/app=(x)", "'(x)' cannot be the value of a label"),
        ("shop/app=-", "'-' cannot be the value of a label"),
        ("kube-system/", "namespace kube-system has no pods"),
        ("default/cart[cart-9]", "the matrix has no row default/cart[cart-9]; did you mean default/cart"),
        ("outside/10.0.0.0/8", "the matrix has no row outside/10.0.0.0/8; did you mean outside/0.0.0.0/0?"),
        ("pod/shop/tl", "there is no pod shop/tl with an address of its own; did you mean shop/till?"),
    ],
)
def test_names_of_nobody_and_of_several(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        Roster(CLUSTER).source(text)
    assert sentence in str(caught.value)


def test_dots_tell_the_domain_of_a_key_from_a_namespace() -> None:
    pod = b.pod("default/x", "10.20.0.1", **{"example.com/run": "yes"})
    assert Roster(b.cluster(pod)).source("example.com/run=yes").name == "default/example.com/run=yes"
    inside = b.pod("example.com/y", "10.20.0.2", run="yes")
    assert [name_of(end) for end in Roster(b.cluster(pod, inside)).source("example.com/run=yes").ends] == [
        "example.com/y"
    ]


def test_service_goes_before_a_pod_of_a_namespace_of_this_name() -> None:
    assert Roster(CLUSTER).destination("svc/web").name == "svc/default/web"
    without = replace(CLUSTER, services=())
    assert [name_of(end) for end in Roster(without).destination("svc/web").ends] == ["svc/web"]


def test_pod_of_a_template_is_its_workload() -> None:
    planned = of("Deployment", "api", b.pod("shop/api", "10.20.0.30"))
    assert Roster(b.cluster(planned)).source("shop/api").name == "deployment/shop/api"
