"""Compile Kubernetes NetworkPolicy into OpenFlow rules for Open vSwitch tunnel pod networks.

The names in ``__all__`` are the public API: docs/api.md shows programs that use it. Each name is imported when it is
first used, so that a program loads only the parts of ovsnp that it needs. All other names may change in any version.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ovsnp.analysis.explain.answers import Answer, explain
    from ovsnp.analysis.explain.reasons import Explanation, Outcome
    from ovsnp.analysis.reach.cells import Reach
    from ovsnp.analysis.reach.parties import By
    from ovsnp.analysis.verification.proof import ProofReport, prove
    from ovsnp.analysis.verification.simulator.reading import read_bridge
    from ovsnp.analysis.wording.traffics import Traffics
    from ovsnp.compiler import Compilation, compile_cluster
    from ovsnp.errors import Diagnostic, InputError, OvsnpError, UsageError
    from ovsnp.flows.changes import FlowChanges
    from ovsnp.flows.flow import Flow
    from ovsnp.flows.program import Program
    from ovsnp.manifests import load, load_objects
    from ovsnp.model.bridge import BridgePort, BridgePorts
    from ovsnp.model.changes import Changes, Objects, changes_between
    from ovsnp.model.cluster import Cluster, Namespace, Node, Pod
    from ovsnp.model.options import Encap, Options
    from ovsnp.model.policy import NetworkPolicy
    from ovsnp.model.service import EndpointSlice, Service
    from ovsnp.oracle.planned import with_planned
    from ovsnp.oracle.terms import Terms
    from ovsnp.render import render_changes, render_json, render_text
    from ovsnp.resolve import assume_ports, local_pods

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "BridgePort",
    "BridgePorts",
    "By",
    "Changes",
    "Cluster",
    "Compilation",
    "Diagnostic",
    "Encap",
    "EndpointSlice",
    "Explanation",
    "Flow",
    "FlowChanges",
    "InputError",
    "Namespace",
    "NetworkPolicy",
    "Node",
    "Objects",
    "Options",
    "Outcome",
    "OvsnpError",
    "Pod",
    "Program",
    "ProofReport",
    "Reach",
    "Service",
    "Terms",
    "Traffics",
    "UsageError",
    "__version__",
    "assume_ports",
    "changes_between",
    "compile_cluster",
    "explain",
    "load",
    "load_objects",
    "local_pods",
    "prove",
    "read_bridge",
    "render_changes",
    "render_json",
    "render_text",
    "with_planned",
]

_HOMES = {
    "ovsnp.analysis.explain.answers": ("Answer", "explain"),
    "ovsnp.analysis.explain.reasons": ("Explanation", "Outcome"),
    "ovsnp.analysis.reach.cells": ("Reach",),
    "ovsnp.analysis.reach.parties": ("By",),
    "ovsnp.analysis.wording.traffics": ("Traffics",),
    "ovsnp.analysis.verification.proof": ("ProofReport", "prove"),
    "ovsnp.analysis.verification.simulator.reading": ("read_bridge",),
    "ovsnp.compiler": ("Compilation", "compile_cluster"),
    "ovsnp.errors": ("Diagnostic", "InputError", "OvsnpError", "UsageError"),
    "ovsnp.flows.changes": ("FlowChanges",),
    "ovsnp.flows.flow": ("Flow",),
    "ovsnp.flows.program": ("Program",),
    "ovsnp.manifests": ("load", "load_objects"),
    "ovsnp.model.bridge": ("BridgePort", "BridgePorts"),
    "ovsnp.model.changes": ("Changes", "Objects", "changes_between"),
    "ovsnp.model.cluster": ("Cluster", "Namespace", "Node", "Pod"),
    "ovsnp.model.options": ("Encap", "Options"),
    "ovsnp.model.policy": ("NetworkPolicy",),
    "ovsnp.model.service": ("EndpointSlice", "Service"),
    "ovsnp.oracle.planned": ("with_planned",),
    "ovsnp.oracle.terms": ("Terms",),
    "ovsnp.render": ("render_changes", "render_json", "render_text"),
    "ovsnp.resolve": ("assume_ports", "local_pods"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
