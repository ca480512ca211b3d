"""The grouping of pods by workload, and the names of workloads."""

from collections.abc import Mapping

import pytest

from ovsnp.analysis.reach.workloads import controller, group, name_of_workload
from ovsnp.errors import Place
from ovsnp.model.address import parse_address
from ovsnp.model.cluster import Pod
from ovsnp.model.ports import ContainerPort, Protocol

HTTP = ContainerPort("http", Protocol.TCP, 80)


def pod(name: str, labels: Mapping[str, str], namespace: str = "a", ports: tuple[ContainerPort, ...] = ()) -> Pod:
    return Pod(namespace, name, labels, None, (parse_address("10.0.0.1"),), ports, Place("x"))


@pytest.mark.parametrize(
    ("name", "labels", "told"),
    [
        ("web-server-5d8f-x2x4z", {"pod-template-hash": "5d8f", "app": "w"}, "web-server"),
        ("web-5d8f", {"pod-template-hash": "5d8f"}, None),
        ("db-11", {"statefulset.kubernetes.io/pod-name": "db-11"}, "db"),
        ("db-x", {"statefulset.kubernetes.io/pod-name": "db-x"}, None),
        ("db-11", {"statefulset.kubernetes.io/pod-name": "db-12"}, None),
        ("proxy-agent-b5k2x", {"controller-revision-hash": "7f"}, "proxy-agent"),
        ("proxy", {"controller-revision-hash": "7f"}, None),
        ("backup-2-abcde", {"batch.kubernetes.io/job-name": "backup-2", "job-name": "other"}, "backup-2"),
        ("web-1", {"app": "web"}, None),
    ],
)
def test_controller_is_told_by_its_labels_and_the_pods_name(
    name: str, labels: dict[str, str], told: str | None
) -> None:
    assert controller(pod(name, labels)) == told


def test_labels_of_one_pod_or_one_revision_do_not_part_a_workload() -> None:
    rolled = [
        pod(f"web-{revision}-{end}", {"app": "web", "pod-template-hash": revision})
        for revision, end in (("1a", "xxxxx"), ("1a", "yyyyy"), ("2b", "zzzzz"))
    ]
    stateful = [
        pod(
            f"db-{number}",
            {
                "app": "db",
                "statefulset.kubernetes.io/pod-name": f"db-{number}",
                "apps.kubernetes.io/pod-index": str(number),
                "controller-revision-hash": "db-1",
            },
        )
        for number in range(2)
    ]
    assert list(group([*rolled, *stateful]).values()) == [rolled, stateful]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pod("web-1", {"app": "web"}), pod("web-2", {"app": "web"}, namespace="b")),
        (pod("web-1", {"app": "web"}), pod("web-2", {"app": "web", "tier": "x"})),
        (pod("web-1", {"app": "web"}, ports=(HTTP,)), pod("web-2", {"app": "web"})),
        (pod("a-1-xxxxx", {"pod-template-hash": "1"}), pod("b-1-xxxxx", {"pod-template-hash": "1"})),
    ],
    ids=["namespace", "label", "ports", "controller"],
)
def test_different_pods_are_different_workloads(one: Pod, other: Pod) -> None:
    assert list(group([one, other]).values()) == [[one], [other]]


@pytest.mark.parametrize(
    ("pods", "name"),
    [
        ([pod("x-1-aaaaa", {"pod-template-hash": "1", "app": "y"})], "x"),
        ([pod("x", {"app": "y", "app.kubernetes.io/name": "z"})], "z"),
        ([pod("x", {"k8s-app": "y", "app": ""})], "y"),
        ([pod("x-1", {"role": "y"})], "x-1"),
        ([pod("web-front-0", {}), pod("web-front-1", {})], "web-front"),
        ([pod("one", {}), pod("two", {}), pod("zwei", {})], "one[+2]"),
    ],
)
def test_name_is_the_controllers_else_the_applications_else_what_the_pods_share(pods: list[Pod], name: str) -> None:
    assert name_of_workload(pods) == name
