"""The manifests of deploy/ as an API server takes them, and the rights of the agent's pod."""

from typing import Any

import pytest

from tests.cluster.control_plane import ControlPlane, KubectlError
from tests.support.deploying import DEPLOY, manifest


def pod() -> dict[str, Any]:
    spec: dict[str, Any] = manifest("daemon-set.yaml")["spec"]["template"]["spec"]
    return spec


def test_an_api_server_takes_every_manifest(control_plane: ControlPlane) -> None:
    control_plane.kubectl("apply", "-f", str(DEPLOY / "namespace.yaml"))
    said = control_plane.kubectl("apply", "--dry-run=server", "--validate=strict", "-k", str(DEPLOY))
    files = {file.stem for file in DEPLOY.glob("*.yaml")} - {"kustomization"}
    assert len(said.splitlines()) == len(files)
    assert all(line.endswith("(server dry run)") for line in said.splitlines())


def test_an_api_server_refuses_a_field_that_it_does_not_know(control_plane: ControlPlane) -> None:
    text = (DEPLOY / "cluster-role.yaml").read_text().replace("verbs:", "verb:", 1)
    with pytest.raises(KubectlError, match="unknown field"):
        control_plane.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text)


def test_the_pod_has_no_right_but_that_of_the_owner_of_the_sockets() -> None:
    (container,) = pod()["containers"]
    assert container["securityContext"] == {
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod()["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostPID", "hostIPC"} & pod().keys()
    paths = {volume["hostPath"]["path"] for volume in pod()["volumes"] if "hostPath" in volume}
    assert paths == {"/run/openvswitch", "/run/ovsnp"}


def test_bindings_and_daemon_set_name_the_objects_that_there_are() -> None:
    binding, account = manifest("cluster-role-binding.yaml"), manifest("service-account.yaml")
    namespace = manifest("kustomization.yaml")["namespace"]
    assert namespace == manifest("namespace.yaml")["metadata"]["name"]
    assert binding["roleRef"]["name"] == manifest("cluster-role.yaml")["metadata"]["name"]
    (subject,) = binding["subjects"]
    assert (subject["name"], subject["namespace"]) == (account["metadata"]["name"], namespace)
    policy, bound = manifest("admission-policy.yaml"), manifest("admission-policy-binding.yaml")
    assert bound["spec"]["policyName"] == policy["metadata"]["name"]
    assert pod()["serviceAccountName"] == account["metadata"]["name"]
