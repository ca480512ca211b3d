"""The compiler: manifests to one node's flows, pass by pass."""

import msgspec

from ovsnp.classify import classify
from ovsnp.collector import without_collector
from ovsnp.flows.program import Program
from ovsnp.lower import lower
from ovsnp.manifests import load
from ovsnp.model.bridge import Ports
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.render import render_json, render_text
from ovsnp.resolve import assume_ports, frontends, local_pods, resolve, settle

__all__ = ["assume_ports", "compile_cluster", "load", "local_pods", "render_json", "render_text"]


@without_collector()
def compile_cluster(cluster: Cluster, ports: Ports, options: Options) -> Program:
    """Compile the policies of a cluster for the bridge of one of its nodes.

    ``cluster`` is what `load` made of the manifests (pass 1), ``ports`` are the bridge's; local pods without a
    port are left out. The program goes to `render_text` or `render_json` (pass 5), or to `ovsnp.apply`.
    """
    bridge = settle(cluster, ports, options)
    egress, ingress = resolve(
        cluster, [local.pod for local in bridge.pods], bridge.judged, service_blocks=options.service_blocks
    )
    services = frontends(cluster, options.node)
    program = lower(bridge, classify(egress), classify(ingress), services, options)
    return msgspec.structs.replace(program, assumed_ports=ports.assumed)
