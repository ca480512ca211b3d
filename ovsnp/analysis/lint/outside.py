"""Namespaces, labels of namespaces and DNS servers that the cluster may have, although the input does not."""

from collections.abc import Sequence
from functools import cached_property

from ovsnp.analysis.lint.lint_index import LintIndex
from ovsnp.analysis.lint.resolvers import names_servers, resolvers, system_namespace
from ovsnp.model.cluster import METADATA_NAME
from ovsnp.model.policy import NetworkPolicy, PodPeer
from ovsnp.model.selector import Operator, Selector
from ovsnp.oracle import selects

CONTROLLER = "a controller that is not in the input makes such pods"
NAMESPACE = "a namespace that is not in the input has such labels"


def correct_labels(index: LintIndex, part: str, unless: str) -> str:
    """The remedy for labels that nothing in the input has; ``part`` is the part of the policy that has no effect.

    Controllers make pods of custom resources, so only a running cluster shows all labels. ``unless`` is a reason why
    labels may be right that manifests do not have.
    """
    remedy = f"correct the labels, or remove the {part}"
    return remedy if index.has_living_pods else f"{remedy}, unless {unless}"


class WiderCluster:
    """The cluster around the input, which may be manifests of one team."""

    def __init__(self, index: LintIndex) -> None:
        self._index = index
        self._unknown: dict[Selector, Sequence[str]] = {}

    def missing(self, selector: Selector) -> Sequence[str]:
        """The names of namespaces that a namespaceSelector requires, but the input does not have."""
        demanded = {
            name
            for each in selector.requirements
            if each.key == METADATA_NAME and each.operator is Operator.IN
            for name in each.values
            if _may_be(selector, name)
        }
        return sorted(name for name in demanded if name not in self._index.cluster.namespaces)

    def unknown(self, selector: Selector) -> Sequence[str]:
        """The namespaces without an object in the input, so that they may have the labels that a selector requires."""
        about_name = _about_name(selector)
        if about_name not in self._unknown:
            assumed = self._index.cluster.assumed_namespaces
            named = [frozenset(each.values) for each in about_name.requirements if each.operator is Operator.IN]
            among = assumed.intersection(*named)
            self._unknown[about_name] = sorted(name for name in among if _may_be(about_name, name))
        return self._unknown[about_name]

    def serves_names(self, policy: NetworkPolicy, peer: PodPeer) -> bool:
        """True if a peer is about the DNS servers of the cluster, and the input has none."""
        elsewhere = peer.namespace_selector is not None or system_namespace(policy.namespace)
        return elsewhere and names_servers(peer.pod_selector or Selector()) and not self._has_servers

    @cached_property
    def _has_servers(self) -> bool:
        return bool(resolvers(self._index))


def _may_be(selector: Selector, name: str) -> bool:
    """True if the name meets all requirements of a namespaceSelector on names."""
    return selects(_about_name(selector), {METADATA_NAME: name})


def _about_name(selector: Selector) -> Selector:
    """The requirements of a namespaceSelector on names."""
    return Selector(tuple(each for each in selector.requirements if each.key == METADATA_NAME))
