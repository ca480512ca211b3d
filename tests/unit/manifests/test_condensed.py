"""Condensed objects: what ovsnp reads of them is the same, and what nobody reads is gone."""

import json
from typing import Any

import msgspec
import pytest

from bench.layout import SIZES
from bench.served_objects import served_objects
from ovsnp.manifests.live.findings import LIVE
from ovsnp.manifests.objects import ApiObject, condensed, read_object
from ovsnp.yaml_reader.report import MistakeReport

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "uid": "u",
        "resourceVersion": "7",
        "deletionTimestamp": "2026-01-01T00:00:00Z",
        "labels": {"app": "web"},
        "managedFields": [{"manager": "kubelet", "fieldsV1": {"f:status": {}}}],
    },
    "spec": {
        "nodeName": "node-1",
        "containers": [{"name": "main", "image": "web", "ports": [{"name": "http", "containerPort": 80}]}],
        "initContainers": [None],
    },
    "status": {"phase": "Running", "podIP": "10.20.1.10", "podIPs": [{"ip": "10.20.1.10"}], "startTime": "x"},
}


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


def read(kind: str, body: msgspec.Raw) -> object:
    return read_object(kind, ApiObject(LIVE, body), MistakeReport())


def test_pod_without_what_nobody_reads() -> None:
    found = condensed("Pod", raw(POD))
    assert read("Pod", found) == read("Pod", raw(POD))
    assert not {"managedFields", "startTime", "image", "resourceVersion"} & {*bytes(found).decode().split('"')}


def test_objects_of_every_kind_are_read_as_before() -> None:
    kinds = set()
    for kind, objects in served_objects(SIZES["S"]).items():
        kinds.add(kind.name)
        for text in objects.values():
            body = msgspec.Raw(text)
            assert read(kind.name, condensed(kind.name, body)) == read(kind.name, body)
    assert kinds == {"Namespace", "Node", "Pod", "Service", "EndpointSlice", "NetworkPolicy", "ServiceCIDR"}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Pod", {**POD, "status": {"podIPs": "10.20.1.10", "phase": "Running"}}),
        ("Pod", {**POD, "metadata": {"name": "web", "labels": {"app": 1}, "managedFields": []}}),
        ("Pod", ["no object"]),
        ("NetworkPolicy", {"metadata": {"name": "p", "generation": 2}, "spec": {"podSelector": {}}}),
    ],
)
def test_mistakes_and_policies_stay(kind: str, value: object) -> None:
    assert condensed(kind, raw(value)) == raw(value)
