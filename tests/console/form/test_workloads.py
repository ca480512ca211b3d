"""The labels of workloads that a selector can take over."""

from typing import Any

from ovsnp.console.form import labelled_workloads
from ovsnp.manifests import load_objects


def pod(name: str, owner: str | None = None, **labels: str) -> dict[str, Any]:
    labels = {key.replace("_", "-"): value for key, value in labels.items()}
    metadata: dict[str, Any] = {"name": name, "namespace": "shop", "labels": labels}
    if owner:
        kind, _, named = owner.partition("/")
        metadata["ownerReferences"] = [{"kind": kind, "name": named, "controller": True}]
    spec = {"containers": [{"name": "main"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def test_workloads_of_a_namespace_with_the_labels_of_all_their_pods() -> None:
    template = {"metadata": {"labels": {"app": "later"}}, "spec": {"containers": [{"name": "main"}]}}
    cluster = load_objects(
        [
            pod("web-5d9-a", "ReplicaSet/web-5d9", app="web", pod_template_hash="5d9", zone="a"),
            pod("web-5d9-b", "ReplicaSet/web-5d9", app="web", pod_template_hash="5d9", zone="b"),
            pod("db-0", "StatefulSet/db", app="db", controller_revision_hash="db-1"),
            pod("alone", role="job"),
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "later", "namespace": "shop"},
                "spec": {"template": template},
            },
        ]
    )
    assert [(each.kind, each.name, dict(each.labels)) for each in labelled_workloads(cluster, "shop")] == [
        ("Deployment", "later", {"app": "later"}),
        ("Deployment", "web", {"app": "web"}),
        ("Pod", "alone", {"role": "job"}),
        ("StatefulSet", "db", {"app": "db"}),
    ]
    assert labelled_workloads(cluster, "default") == []
