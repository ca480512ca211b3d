"""The texts of the policies of a live cluster: YAML without what only the API server reads."""

from collections.abc import Sequence

import msgspec

from ovsnp.errors import Place, Span
from ovsnp.model.policy import NetworkPolicy
from ovsnp.yaml_reader.notation import read_documents
from ovsnp.yaml_reader.object_text import ObjectText
from ovsnp.yaml_reader.outline import Outline
from ovsnp.yaml_reader.paths import Path
from ovsnp.yaml_reader.yaml_writer import as_yaml


class _Metadata(msgspec.Struct):
    name: str
    namespace: str = "default"


class _Named(msgspec.Struct):
    metadata: _Metadata


class LiveTexts:
    """Policies by their index in the first list of the reading; each becomes YAML when it is asked about."""

    def __init__(self, label: str, policies: Sequence[msgspec.Raw]) -> None:
        self._label, self._policies = label, policies
        self._outlines: dict[int, Outline] = {}

    def span(self, place: Place, path: Path) -> Span:
        """The line of a field in the YAML of its policy."""
        index = place.items[0]
        if index not in self._outlines:
            (self._outlines[index],) = read_documents("", self._yaml(index).encode(), lines=True).yaml
        named = msgspec.json.decode(self._policies[index], type=_Named).metadata
        return Span(f"networkpolicy/{named.namespace}/{named.name}", self._outlines[index].line(path))

    def text(self, policy: NetworkPolicy) -> ObjectText | None:
        """The policy as YAML."""
        return ObjectText(1, self._yaml(policy.place.items[0]))

    def title(self, policy: NetworkPolicy) -> str:
        """The name of the cluster."""
        return self._label

    def _yaml(self, index: int) -> str:
        value = msgspec.json.decode(self._policies[index])
        value.get("metadata", {}).pop("managedFields", None)
        return as_yaml({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", **value})
