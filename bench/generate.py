"""Print a cluster of a given size as ``kubectl get namespaces,nodes,pods,networkpolicies -A -o json`` prints it.

    python -m bench.generate S|M|L|XL [--minimal] [--services] > cluster.json

The same size gives the same bytes. node-0 is the node to compile for: it runs ten pods of each of its namespaces, like
a usual spread of the replicas of the namespace's apps, and the other pods of those namespaces run elsewhere. With
``--minimal`` the objects have only the fields that the compiler needs; with ``--services`` Services and EndpointSlices
follow. Objects are written one by one, so the program needs little memory.
"""

import argparse
import sys
import uuid
from collections.abc import Iterator

from bench.api_objects import CREATED, STARTED, Object, identity, text, write_list
from bench.generate_services import services
from bench.layout import PLATFORM_APPS, SIZES, App, PlacedPod, Size, namespaces, node_address, placed_pods, pod_cidr


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("--minimal", action="store_true", help="only the fields that the compiler needs")
    parser.add_argument("--services", action="store_true", help="with Services and EndpointSlices")
    arguments = parser.parse_args()
    objects = cluster_with_services if arguments.services else cluster
    write_list(objects(SIZES[arguments.size], minimal=arguments.minimal), sys.stdout)


def cluster(size: Size, *, minimal: bool) -> Iterator[str]:
    """All objects as JSON texts, in the order of the kinds on kubectl's command line."""
    for name in sorted(namespaces(size)):
        yield text(namespace(name, minimal=minimal))
    for index in sorted(range(size.nodes), key=lambda index: f"node-{index}"):
        yield text(node(index, minimal=minimal))
    yield from pods(size, minimal=minimal)
    for index, name in enumerate(namespaces(size)):
        for policy_name, spec in sorted(policies(index).items()):
            yield text(policy(name, policy_name, spec, minimal=minimal))


def cluster_with_services(size: Size, *, minimal: bool) -> Iterator[str]:
    """The same cluster, then its Services and their EndpointSlices."""
    yield from cluster(size, minimal=minimal)
    yield from services(size, minimal=minimal)


def namespace(name: str, *, minimal: bool) -> Object:
    labels = {"kubernetes.io/metadata.name": name, "purpose": "monitoring" if name == "monitoring" else "team"}
    item: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"labels": labels, "name": name}}
    if not minimal:
        item["metadata"] |= identity("namespace", name)
        item |= {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    return item


def node(index: int, *, minimal: bool) -> Object:
    name, cidr = f"node-{index}", str(pod_cidr(index))
    addresses = [{"address": node_address(index), "type": "InternalIP"}, {"address": name, "type": "Hostname"}]
    item: Object = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "spec": {"podCIDR": cidr, "podCIDRs": [cidr]},
        "status": {"addresses": addresses},
    }
    if minimal:
        return item
    labels = {"kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
    annotations = {
        "node.alpha.kubernetes.io/ttl": "0",
        "volumes.kubernetes.io/controller-managed-attach-detach": "true",
    }
    item["metadata"] |= {"annotations": annotations, "labels": labels} | identity("node", name)
    item["status"] |= node_status(name)
    return item


def node_status(name: str) -> Object:
    capacity = {"cpu": "16", "ephemeral-storage": "203056560Ki", "memory": "65842212Ki", "pods": "250"}
    times = {"lastHeartbeatTime": "2025-03-03T09:00:00Z", "lastTransitionTime": CREATED}
    conditions = [
        {"message": "kubelet has sufficient memory", "reason": "KubeletHasSufficientMemory", "type": "MemoryPressure"},
        {"message": "kubelet has no disk pressure", "reason": "KubeletHasNoDiskPressure", "type": "DiskPressure"},
        {"message": "kubelet has sufficient PIDs", "reason": "KubeletHasSufficientPID", "type": "PIDPressure"},
        {"message": "kubelet is posting ready status", "reason": "KubeletReady", "type": "Ready"},
    ]
    return {
        "allocatable": capacity,
        "capacity": capacity,
        "conditions": [each | times | {"status": str(each["type"] == "Ready")} for each in conditions],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "images": [{"names": [app.image], "sizeBytes": 50_000_000 + len(app.image)} for app in PLATFORM_APPS],
        "nodeInfo": {
            "architecture": "amd64",
            "containerRuntimeVersion": "containerd://1.7.25",
            "kernelVersion": "6.1.0-31-amd64",
            "kubeletVersion": "v1.32.2",
            "machineID": uuid.uuid5(uuid.NAMESPACE_URL, f"machine/{name}").hex,
            "operatingSystem": "linux",
            "osImage": "Debian GNU/Linux 12 (bookworm)",
        },
    }


def pods(size: Size, *, minimal: bool) -> Iterator[str]:
    """All pods, by namespace and name."""
    templates = {app.name: text(pod(app, minimal=minimal)) for app in PLATFORM_APPS}
    for placed in placed_pods(size):
        yield templates[placed.app.name] % pod_values(placed)


def pod_values(placed: PlacedPod) -> dict[str, str]:
    """The values of a template's ``%(...)s`` for one pod."""
    key, name = placed.key, placed.name
    return {
        "namespace": placed.namespace,
        "name": name,
        "hash": name.rsplit("-", 2)[1],
        "owner": str(uuid.uuid5(uuid.NAMESPACE_URL, f"replicaset/{key[:-6]}")),
        "node": f"node-{placed.node}",
        "node_address": node_address(placed.node),
        "address": placed.address,
        "volume": name[-5:],
        "container": uuid.uuid5(uuid.NAMESPACE_URL, f"container/{key}").hex * 2,
        "image": uuid.uuid5(uuid.NAMESPACE_URL, f"image/{name[:-17]}").hex * 2,
        **identity("pod", key),
    }


def pod(app: App, *, minimal: bool) -> Object:
    """A pod of the app, with ``%(...)s`` in the places where pods differ."""
    ports = [{"containerPort": number, "name": name, "protocol": protocol} for name, number, protocol in app.ports]
    item: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"labels": app.labels, "name": "%(name)s", "namespace": "%(namespace)s"},
        "spec": {"containers": [{"name": app.name, "ports": ports}], "nodeName": "%(node)s"},
        "status": {"phase": "Running", "podIP": "%(address)s", "podIPs": [{"ip": "%(address)s"}]},
    }
    if not minimal:
        item["metadata"] |= pod_metadata(app)
        item["spec"]["containers"][0] |= container(app)
        item["spec"] |= pod_spec()
        item["status"] |= pod_status(app)
    return item


def pod_metadata(app: App) -> Object:
    owner = {"apiVersion": "apps/v1", "blockOwnerDeletion": True, "controller": True, "kind": "ReplicaSet"}
    return {
        "creationTimestamp": CREATED,
        "generateName": f"{app.name}-%(hash)s-",
        "labels": app.labels | {"pod-template-hash": "%(hash)s"},
        "ownerReferences": [owner | {"name": f"{app.name}-%(hash)s", "uid": "%(owner)s"}],
        "resourceVersion": "%(resourceVersion)s",
        "uid": "%(uid)s",
    }


def container(app: App) -> Object:
    token = "/var/run/secrets/kubernetes.io/serviceaccount"
    return {
        "env": [
            {"name": "LOG_LEVEL", "value": "info"},
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}},
        ],
        "image": app.image,
        "imagePullPolicy": "IfNotPresent",
        "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": [{"mountPath": token, "name": "kube-api-access-%(volume)s", "readOnly": True}],
    }


def pod_spec() -> Object:
    own_namespace = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    sources: list[Object] = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
        {"downwardAPI": {"items": [{"fieldRef": own_namespace, "path": "namespace"}]}},
    ]
    toleration = {"effect": "NoExecute", "operator": "Exists", "tolerationSeconds": 300}
    return {
        "dnsPolicy": "ClusterFirst",
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
        "priority": 0,
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "serviceAccount": "default",
        "serviceAccountName": "default",
        "terminationGracePeriodSeconds": 30,
        "tolerations": [toleration | {"key": f"node.kubernetes.io/{state}"} for state in ("not-ready", "unreachable")],
        "volumes": [{"name": "kube-api-access-%(volume)s", "projected": {"defaultMode": 420, "sources": sources}}],
    }


def pod_status(app: App) -> Object:
    conditions = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    return {
        "conditions": [
            {"lastProbeTime": None, "lastTransitionTime": STARTED, "status": "True", "type": condition}
            for condition in conditions
        ],
        "containerStatuses": [
            {
                "containerID": "containerd://%(container)s",
                "image": app.image,
                "imageID": f"{app.image.rsplit(':', 1)[0]}@sha256:%(image)s",
                "lastState": {},
                "name": app.name,
                "ready": True,
                "restartCount": 0,
                "started": True,
                "state": {"running": {"startedAt": STARTED}},
            }
        ],
        "hostIP": "%(node_address)s",
        "hostIPs": [{"ip": "%(node_address)s"}],
        "qosClass": "Burstable",
        "startTime": CREATED,
    }


def policy(space: str, name: str, spec: Object, *, minimal: bool) -> Object:
    metadata: Object = {"name": name, "namespace": space}
    if not minimal:
        metadata |= {"generation": 1} | identity("networkpolicy", f"{space}/{name}")
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def policies(index: int) -> dict[str, Object]:
    """The ten policies of a namespace, by name; all pods may ask the DNS servers, which are in the first namespace."""
    every_namespace: Object = {"namespaceSelector": {}}
    monitoring = {"namespaceSelector": {"matchLabels": {"purpose": "monitoring"}}, "podSelector": by_app("prometheus")}
    dns = every_namespace | {"podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
    backend = {"podSelector": {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["backend"]}]}}
    open_app, open_ports = ("kube-dns", [udp("dns"), tcp("dns-tcp")]) if index == 0 else ("web", [tcp("http")])
    worker_ports = [tcp("grpc"), tcp(9100, 9199), tcp(30000, 32767), udp(30000, 32767)]
    return {
        "default-deny": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        "allow-same-namespace": ingress({}, [{"podSelector": {}}]),
        "allow-web-to-api": ingress(by_app("api"), [{"podSelector": by_app("web")}], tcp(8000), tcp(9000)),
        "allow-backend-to-data": ingress({"matchLabels": {"tier": "data"}}, [backend]),
        "allow-from-monitoring": ingress({}, [monitoring], tcp("metrics")),
        "allow-from-all-pods": ingress(by_app(open_app), [every_namespace], *open_ports),
        "allow-worker-ports": ingress(by_app("worker"), [{"podSelector": by_app("api")}], *worker_ports),
        "allow-dns": egress({}, [dns], udp(53), tcp(53)),
        "allow-external": egress({"matchLabels": {"tier": "backend"}}, external_blocks(index), tcp(443), tcp(8443)),
        "allow-api-to-db": egress(by_app("api"), [{"podSelector": by_app("db")}], tcp("postgres")),
    }


def external_blocks(index: int) -> list[Object]:
    """The whole world, and a partner's network for this namespace only, with one to four excepts each."""
    private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"]
    partner = f"100.{64 + index // 256}.{index % 256}"
    parts = [f"{partner}.0/28", f"{partner}.64/26", f"{partner}.66/31", f"{partner}.255/32"]
    return [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": private[: 1 + index % 4]}},
        {"ipBlock": {"cidr": f"{partner}.0/24", "except": parts[: 1 + (index + 1) % 4]}},
    ]


def by_app(name: str) -> Object:
    return {"matchLabels": {"app": name}}


def tcp(port: int | str, end_port: int | None = None) -> Object:
    return ({} if end_port is None else {"endPort": end_port}) | {"port": port, "protocol": "TCP"}


def udp(port: int | str, end_port: int | None = None) -> Object:
    return tcp(port, end_port) | {"protocol": "UDP"}


def ingress(selector: Object, peers: list[Object], *ports: Object) -> Object:
    rule: Object = {"from": peers} | ({"ports": [*ports]} if ports else {})
    return {"ingress": [rule], "podSelector": selector, "policyTypes": ["Ingress"]}


def egress(selector: Object, peers: list[Object], *ports: Object) -> Object:
    return {"egress": [{"ports": [*ports], "to": peers}], "podSelector": selector, "policyTypes": ["Egress"]}


if __name__ == "__main__":
    main()
