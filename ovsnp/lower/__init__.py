"""Pass 4: one node's bridge and clauses to flows, one module a stage of the pipeline."""

from collections.abc import Mapping
from itertools import chain

from ovsnp.flows.absence import check_absences
from ovsnp.flows.check import check_flow, check_flow_set
from ovsnp.flows.program import Program
from ovsnp.lower import address_resolution, connections, endpoints, forward, nodes, origin, output, policy, service
from ovsnp.model.bridge import Bridge
from ovsnp.model.clauses import Clauses
from ovsnp.model.frontend import Frontend
from ovsnp.model.options import Encap, Options


def lower(
    bridge: Bridge, egress: Clauses, ingress: Clauses, frontends: tuple[Frontend, ...], options: Options
) -> Program:
    """All flows and groups of the bridge, checked against the pipeline's declaration, in the order of the text.

    Raises UsageError where VXLAN cannot carry a pod's address, and DeclarationError where a stage made a flow that
    the declaration does not allow.
    """
    if frontends and options.encap is Encap.VXLAN:
        output.check_offsets(bridge)
    egress_subjects, ingress_subjects = subject_numbers(egress), subject_numbers(ingress)
    groups = endpoints.groups(frontends)
    flows = [
        *origin.flows(bridge, options.encap, egress_subjects),
        *address_resolution.flows(bridge),
        *connections.flows(bridge),
        *service.flows(groups, frontends),
        *nodes.flows(bridge),
        *policy.egress_flows(bridge, egress),
        *forward.flows(bridge, ingress_subjects),
        *policy.ingress_flows(bridge, ingress),
        *output.flows(bridge, options.encap, options.masquerade),
    ]
    for flow in flows:
        check_flow(flow)
    check_flow_set(flows)
    check_absences(flows)
    flows.sort(key=lambda flow: (flow.table_id, -flow.priority, flow.note, str(flow.match)))
    return Program(options, tuple(chain.from_iterable(groups.values())), tuple(flows), frontends)


def subject_numbers(clauses: Clauses) -> Mapping[str, int]:
    """The subject number of each isolated pod, by ``NAMESPACE/NAME``."""
    return {pod: subject.number for subject in clauses.subjects for pod in subject.pods}
