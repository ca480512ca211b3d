"""Random edits of random clusters: the objects before, the edit, and the objects after it."""

from random import Random
from typing import NamedTuple

from ovsnp.console.draft import Deletion, Draft, Edit
from tests.support.clusters import Object, another_policy, planned, random_cluster, random_services


class Edited(NamedTuple):
    """An edit, and the objects of the cluster after it."""

    edit: Edit
    after: list[Object]


def cluster_objects(seed: int) -> list[Object]:
    """The objects of a cluster; in every third one some pods are planned, in every sixth no node has a pod CIDR."""
    random = Random(seed)
    objects = random_cluster(random)
    if seed % 3:
        return [*objects, *random_services(random, objects)]
    pods = [each for each in objects if each["kind"] == "Pod"]
    others = [each for each in objects if each["kind"] != "Pod" and not (seed % 6 == 0 and each["kind"] == "Node")]
    if seed % 6 == 0:
        return [*others, *(each for each in planned(random, pods) if "podIPs" not in each.get("status", {}))]
    return [*others, *planned(random, pods)]


def edits(seed: int, objects: list[Object], count: int) -> list[Edited]:
    """Edits that each begin with the same objects: policies that are new, changed, renamed or deleted."""
    random = Random(f"edits {seed}")
    return [_edited(random, seed, objects) for _ in range(count)]


def _edited(random: Random, seed: int, objects: list[Object]) -> Edited:
    policies = [each for each in objects if each["kind"] == "NetworkPolicy"]
    # Another cluster's policies have blocks, labels and port names that this one's may lack.
    source = objects if random.random() < 0.7 else random_cluster(Random(seed + 50_000))
    made = another_policy(random, source)
    made["metadata"]["name"] = "drafted"
    if random.random() < 0.1:
        made["metadata"]["namespace"] = "unheard-of"
    if not policies or random.random() < 0.3:
        return Edited(Draft(made), [*objects, made])
    gone = random.choice(policies)
    kept = [each for each in objects if each is not gone]
    if random.random() < 0.25:
        return Edited(Deletion(key_of(gone)), kept)
    if random.random() < 0.6:
        made["metadata"] = gone["metadata"]
    if random.random() < 0.3:
        made["spec"] = {**gone["spec"], "podSelector": made["spec"].get("podSelector", {})}
    return Edited(Draft(made, key_of(gone)), [*kept, made])


def key_of(policy: Object) -> str:
    return f"{policy['metadata'].get('namespace', 'default')}/{policy['metadata']['name']}"
