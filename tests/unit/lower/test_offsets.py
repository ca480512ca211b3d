"""VXLAN carries 24 bits of a pod's offset in the node's pod CIDR: pods whose offset does not fit are refused."""

import pytest

from ovsnp.compiler import assume_ports, compile_cluster
from ovsnp.errors import UsageError
from ovsnp.flows.program import Program
from ovsnp.manifests import load_objects
from ovsnp.model.options import Encap, Options

NODE = {
    "kind": "Node",
    "apiVersion": "v1",
    "metadata": {"name": "node-1"},
    "spec": {"podCIDRs": ["10.0.0.0/7", "fd00:20:1::/64"]},
    "status": {"addresses": [{"type": "InternalIP", "address": "192.168.50.1"}]},
}
SERVICE = {
    "kind": "Service",
    "apiVersion": "v1",
    "metadata": {"name": "web"},
    "spec": {"clusterIPs": ["172.30.0.10"], "ports": [{"port": 80}]},
}


def compiled(address: str, encap: Encap, *more: object) -> Program:
    pod = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": "client"},
        "spec": {"nodeName": "node-1", "containers": [{"name": "main"}]},
        "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.9"}, {"ip": address}]},
    }
    if ":" not in address:
        pod["status"]["podIPs"] = [{"ip": address}]
    cluster = load_objects([NODE, pod, *more])
    return compile_cluster(cluster, assume_ports(cluster.pods), Options(node="node-1", encap=encap))


@pytest.mark.parametrize("address", ["11.0.0.0", "fd00:20:1::1:0:0", "10.0.0.0"])
def test_addresses_beyond_24_bits_are_refused(address: str) -> None:
    with pytest.raises(UsageError, match=rf"default/client \({address}\); give them other addresses"):
        compiled(address, Encap.VXLAN, SERVICE)
    assert compiled(address, Encap.GENEVE, SERVICE).flows
    assert compiled(address, Encap.VXLAN).flows


@pytest.mark.parametrize("address", ["10.255.255.255", "10.0.0.2", "fd00:20:1::ff:ffff"])
def test_others_are_carried(address: str) -> None:
    assert compiled(address, Encap.VXLAN, SERVICE).flows
