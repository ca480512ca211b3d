"""The law of a live cluster: after any sequence of changes, the model is what a reading of all objects gives."""

import os
from random import Random
from typing import NamedTuple

import msgspec
import pytest

from ovsnp.errors import Place
from ovsnp.manifests import load_objects
from ovsnp.manifests.live import LiveObjects
from ovsnp.model.changes import Changes, Objects, all_objects
from tests.property.cluster_changes import change
from tests.property.test_odd_state import ODD, replaced, twin
from tests.support.clusters import Object, random_cluster, random_services

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "40"))
STEPS = 25

Held = dict[str, dict[object, object]]
"""The objects of a model, without their places in files, by kind and name."""


class Sent(NamedTuple):
    """An object as the API server sends it; ``body`` None: it is gone."""

    kind: str
    namespace: str
    name: str
    body: msgspec.Raw | None


def sent(before: list[Object], after: list[Object]) -> list[Sent]:
    old, new = ({of_api(each): each for each in objects} for objects in (before, after))
    gone = [Sent(*name, None) for name in old.keys() - new.keys()]
    return gone + [
        Sent(*name, msgspec.Raw(msgspec.json.encode(item))) for name, item in new.items() if old.get(name) != item
    ]


def of_api(item: Object) -> tuple[str, str, str]:
    return item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]


def held(objects: Objects) -> Held:
    return {
        kind: {
            (getattr(item, "namespace", ""), getattr(item, "name", item)): msgspec.structs.replace(
                item, place=Place("")
            )
            if hasattr(item, "place")
            else item
            for item in getattr(objects, kind)
        }
        for kind in Objects.__struct_fields__
    }


def follow(model: Held, changes: Changes) -> None:
    """Apply changes to a model; each change must be one."""
    for kind, gone in held(changes.went).items():
        for key, item in gone.items():
            assert model[kind].pop(key) == item
    for kind, came in held(changes.came).items():
        for key, item in came.items():
            assert model[kind].get(key) != item
            model[kind][key] = item


def read(objects: list[Object]) -> Held:
    """The model of these objects; without the pods whose Namespace is unknown, as its labels are."""
    known = {item["metadata"]["name"] for item in objects if item["kind"] == "Namespace"}
    of_known = [item for item in objects if item["kind"] != "Pod" or item["metadata"]["namespace"] in known]
    found = held(all_objects(load_objects(of_known)))
    found["namespaces"] = {key: item for key, item in found["namespaces"].items() if key[1] in known}
    return found


def odd_objects(random: Random, objects: list[Object]) -> list[Object]:
    """Mostly nothing; else objects that a cluster can have, and that ovsnp cannot use as they are."""
    if random.random() < 0.5 or not any(item["kind"] == "Pod" for item in objects):
        return []
    return random.choice((*ODD, replaced, another_holder))(random, objects)


def without_a_namespace(random: Random, objects: list[Object]) -> list[Object]:
    """Mostly all objects; else all but one Namespace, whose own objects are still there."""
    spaces = [item for item in objects if item["kind"] == "Namespace"]
    missing = random.choice(spaces) if spaces and random.random() < 0.15 else None
    return [item for item in objects if item is not missing]


def another_holder(random: Random, objects: list[Object]) -> list[Object]:
    """A pod with the addresses of another pod, on the same node; perhaps one of the two is terminating."""
    pod = twin(random, objects)
    first = random.choice([item for item in objects if item["kind"] == "Pod"])
    pod |= {"spec": first["spec"], "status": first["status"]}
    if random.random() < 0.6:
        random.choice((pod, first))["metadata"]["deletionTimestamp"] = "2026-03-01T00:00:00Z"
    return [pod]


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_changes_add_up_to_a_reading_of_all_objects(seed: int) -> None:
    random = Random(seed)
    objects = random_cluster(random)
    objects += random_services(random, objects)
    live, before = LiveObjects(), list[Object]()
    model: Held = {kind: {} for kind in Objects.__struct_fields__}
    for _ in range(STEPS):
        now = without_a_namespace(random, [*objects, *odd_objects(random, objects)])
        follow(model, live.update(sent(before, now)))
        assert model == read(now)
        before, objects = now, change(random, objects)
