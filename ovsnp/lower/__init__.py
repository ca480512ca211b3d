"""Pass 4: one node's bridge and clauses to flows, one module a stage of the pipeline."""

from collections.abc import Mapping

from ovsnp.flows.check import check_flow, check_flow_set
from ovsnp.flows.flow import Flow
from ovsnp.lower import address_resolution, connections, forward, nodes, origin, policy
from ovsnp.model.bridge import Bridge
from ovsnp.model.clauses import Clauses


def lower(bridge: Bridge, egress: Clauses, ingress: Clauses) -> tuple[Flow, ...]:
    """All flows of the bridge, checked against the pipeline's declaration, in the order of the text.

    Raises DeclarationError where a stage made a flow that the declaration does not allow.
    """
    egress_subjects, ingress_subjects = subject_numbers(egress), subject_numbers(ingress)
    flows = [
        *origin.flows(bridge, egress_subjects),
        *address_resolution.flows(bridge),
        *connections.flows(bridge),
        *nodes.flows(bridge),
        *policy.egress_flows(bridge, egress),
        *forward.flows(bridge, ingress_subjects),
        *policy.ingress_flows(bridge, ingress),
    ]
    for flow in flows:
        check_flow(flow)
    check_flow_set(flows)
    return tuple(sorted(flows, key=lambda flow: (flow.table_id, -flow.priority, flow.note, str(flow.match))))


def subject_numbers(clauses: Clauses) -> Mapping[str, int]:
    """The subject number of each isolated pod, by ``NAMESPACE/NAME``."""
    return {pod: subject.number for subject in clauses.subjects for pod in subject.pods}
