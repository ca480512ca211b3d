"""A Service, an EndpointSlice and a ServiceCIDR with every field that ovsnp reads."""

from typing import Any

Object = dict[str, Any]

SERVICE: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {
        "clusterIP": "10.96.0.10",
        "clusterIPs": ["10.96.0.10", "fd00:96::10"],
        "internalTrafficPolicy": "Local",
        "ports": [
            {"name": "http", "port": 80, "protocol": "TCP", "targetPort": "web"},
            {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 5353},
            {"name": "dns-tcp", "port": 53},
        ],
        "publishNotReadyAddresses": True,
        "selector": {"b": "2", "a": "1", "example.com/tier": ""},
        "sessionAffinity": "ClientIP",
        "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}},
        "type": "ClusterIP",
    },
}
SLICE: Object = {
    "apiVersion": "discovery.k8s.io/v1",
    "kind": "EndpointSlice",
    "metadata": {"name": "web-a", "labels": {"kubernetes.io/service-name": "web"}},
    "addressType": "IPv4",
    "endpoints": [
        {
            "addresses": ["10.0.1.2", "10.0.1.3"],
            "conditions": {"ready": False, "serving": True, "terminating": True},
            "nodeName": "n1",
        },
        {"addresses": ["192.0.2.7"]},
    ],
    "ports": [
        {"name": "http", "port": 8080, "protocol": "TCP"},
        {"name": "dns", "port": 5353, "protocol": "UDP"},
        {"port": 9},
    ],
}
CIDR: Object = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "ServiceCIDR",
    "metadata": {"name": "kubernetes"},
    "spec": {"cidrs": ["10.96.0.1/12", "fd00:96::/112"]},
}
OBJECTS = [SERVICE, SLICE, CIDR]
