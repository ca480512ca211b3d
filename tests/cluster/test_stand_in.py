"""The benchmarks' stand-in answers as the API server does: the same requests, and the same structure of the answers."""

import gzip
import json
import ssl
import time
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest

from bench.api_history import Change
from bench.api_objects import CREATED
from bench.api_server import ApiServer
from bench.layout import Size
from bench.served_objects import KINDS, NODE, POD, SERVICE, Kind, key_of, served_objects
from tests.cluster.control_plane import ControlPlane

STREAMED_LIST = {
    "watch": "true",
    "sendInitialEvents": "true",
    "resourceVersionMatch": "NotOlderThan",
    "allowWatchBookmarks": "true",
}
SIZE = Size(pods=30, nodes=3, namespaces=1, local=10)
FUTURE = "999999999"
MAPS = ("annotations", "labels", "matchLabels", "requests", "limits", "capacity", "allocatable")
"""Fields whose keys are data."""

LEFT_OUT = {
    "Node": {
        "[].spec.taints[].effect:str",
        "[].spec.taints[].key:str",
        "[].status.nodeInfo.bootID:str",
        "[].status.nodeInfo.kubeProxyVersion:str",
        "[].status.nodeInfo.systemUUID:str",
    }
}
"""What the API server adds to the generated objects and the stand-in leaves out."""


class Server(NamedTuple):
    """A server to ask: its URL, what HTTPS needs, and the headers of a user."""

    url: str
    context: ssl.SSLContext | None
    headers: Mapping[str, str]

    def ask(self, path: str, query: Mapping[str, str], **headers: str) -> HTTPResponse:
        """The answer, which may be an error."""
        request = urllib.request.Request(f"{self.url}{path}?{urlencode(query)}", headers={**self.headers, **headers})
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.context)]
        try:
            answer: HTTPResponse = urllib.request.build_opener(*handlers).open(request, timeout=60)
        except HTTPError as error:
            answer = error  # type: ignore[assignment]
        return answer

    def json(self, path: str, query: Mapping[str, str]) -> Any:
        """The parsed answer."""
        with self.ask(path, query) as answer:
            return json.load(answer)

    def frames(self, path: str, query: Mapping[str, str], last: str) -> list[Any]:
        """The frames of a watch until the first one of a type."""
        found = []
        with self.ask(path, query) as answer:
            for line in answer:
                found.append(json.loads(line))
                if found[-1]["type"] == last:
                    return found
        raise AssertionError(f"the watch has ended without {last}: {found}")


class Both(NamedTuple):
    """The API server and the stand-in, with the same objects; the API server has some of its own, too."""

    real: Server
    stand_in: Server


def only_generated(items: list[Any], stand_in: ApiServer, kind: Kind) -> dict[str, Any]:
    """The items of a list that the stand-in has, by key; without what says which part of them is a status."""
    generated = {*stand_in.history.keys(kind)}
    for item in items:
        for entry in item["metadata"]["managedFields"]:
            entry.pop("subresource", None)
    return {key_of(item): item for item in items if key_of(item) in generated}


def structure(item: object, at: str = "") -> set[str]:
    """The paths of all values of an object, with their types."""
    if isinstance(item, dict) and item and not at.endswith(".fieldsV1"):
        whole = at.endswith(MAPS)
        return set[str]().union(*(structure(value, f"{at}.{'*' if whole else key}") for key, value in item.items()))
    if isinstance(item, list) and item:
        return set[str]().union(*(structure(value, f"{at}[]") for value in item))
    return {f"{at}:{type(item).__name__}"}


def newest_versions(both: Both, kind: Kind) -> list[dict[str, str]]:
    """For each server the query for a watch of what comes next."""
    return [{"resourceVersion": server.json(kind.path, {})["metadata"]["resourceVersion"]} for server in both]


@pytest.fixture(scope="module")
def stand_in() -> Iterator[ApiServer]:
    with ApiServer(served_objects(SIZE)) as server:
        yield server


@pytest.fixture(scope="module")
def control_plane(standing_control_plane: ControlPlane, stand_in: ApiServer) -> ControlPlane:
    """A control plane with the same objects, for all tests of this module: none of them changes a generated object."""
    standing_control_plane.start()
    standing_control_plane.clear()
    for kind in KINDS:
        standing_control_plane.create(stand_in.history.object(kind, key) for key in stand_in.history.keys(kind))
    return standing_control_plane


@pytest.fixture
def both(control_plane: ControlPlane, stand_in: ApiServer) -> Both:
    context = ssl.create_default_context(cafile=control_plane.authority)
    real = Server(control_plane.url, context, {"Authorization": f"Bearer {control_plane.token}"})
    return Both(real, Server(stand_in.url, None, {}))


def test_lists_have_the_same_objects(both: Both, stand_in: ApiServer) -> None:
    for kind in KINDS:
        real, ours = (server.json(kind.path, {}) for server in both)
        assert [*ours] == [*real]
        assert structure(ours["metadata"]) == structure(real["metadata"])
        assert (ours["kind"], ours["apiVersion"]) == (real["kind"], real["apiVersion"])
        there, here = (only_generated(each["items"], stand_in, kind) for each in (real, ours))
        assert [*here] == [*there] == [*stand_in.history.keys(kind)]
        assert structure([*here.values()]) == structure([*there.values()]) - LEFT_OUT.get(kind.name, set())


def test_pods_have_the_same_size(both: Both) -> None:
    real, ours = (len(json.dumps(server.json(POD.path, {}))) for server in both)
    assert 0.9 * real < ours < 1.1 * real


def test_streamed_lists_have_the_same_frames(both: Both, stand_in: ApiServer) -> None:
    for kind in KINDS:
        generated = {*stand_in.history.keys(kind)}
        real, ours = (server.frames(kind.path, STREAMED_LIST, "BOOKMARK") for server in both)
        for frames in (real, ours):
            assert {frame["type"] for frame in frames[:-1]} == {"ADDED"}
            assert {key_of(frame["object"]) for frame in frames[:-1]} >= generated
        assert structure(ours[-1]) == structure(real[-1])
        assert ours[-1]["object"] | {"metadata": {}} == real[-1]["object"] | {"metadata": {}}
        assert ours[-1]["type"] == real[-1]["type"] == "BOOKMARK"
        assert ours[0]["object"].keys() == real[0]["object"].keys()


def test_changes_have_the_same_frames(both: Both, control_plane: ControlPlane, stand_in: ApiServer) -> None:
    since = newest_versions(both, POD)
    generated = stand_in.history.object(POD, next(iter(stand_in.history.keys(POD))))
    pod = generated | {"metadata": generated["metadata"] | {"name": "another"}}
    namespace = pod["metadata"]["namespace"]
    control_plane.create([pod])
    control_plane.client.delete(f"/api/v1/namespaces/{namespace}/pods/another", {"gracePeriodSeconds": 0})
    ending = pod | {"metadata": pod["metadata"] | {"deletionTimestamp": CREATED, "deletionGracePeriodSeconds": 0}}
    bare = {key: value for key, value in pod.items() if key != "status"} | {"status": {"phase": "Pending"}}
    for kind, item in (("ADDED", bare), ("MODIFIED", pod), ("MODIFIED", ending), ("DELETED", ending)):
        stand_in.history.change(Change(kind, item))
    query = {"watch": "true", "allowWatchBookmarks": "true"}
    real, ours = (server.frames(POD.path, query | start, "DELETED") for server, start in zip(both, since, strict=True))
    assert [frame["type"] for frame in ours] == [frame["type"] for frame in real]
    for frames in (real, ours):
        versions = [int(frame["object"]["metadata"]["resourceVersion"]) for frame in frames]
        assert versions == sorted({*versions})
        assert {key_of(frame["object"]) for frame in frames} == {f"{namespace}/another"}
    for there, here in zip(real, ours, strict=True):
        assert here["object"].keys() == there["object"].keys()
        assert here["object"]["metadata"].keys() == there["object"]["metadata"].keys()


def test_an_old_version_has_expired(both: Both, control_plane: ControlPlane, stand_in: ApiServer) -> None:
    since = newest_versions(both, NODE)
    control_plane.client.post("/api/v1/namespaces/default/configmaps", {"metadata": {"name": "newer"}})
    control_plane.api_server.kill()
    control_plane.api_server.start()
    stand_in.history.expire(NODE)
    watch = {"watch": "true"}
    real, ours = (server.frames(NODE.path, watch | start, "ERROR") for server, start in zip(both, since, strict=True))
    for frames in (real, ours):
        assert frames[0]["object"].pop("message").startswith("too old resource version: ")
    assert ours == real


@pytest.mark.parametrize(
    "query",
    [
        {"watch": "true", "sendInitialEvents": "true"},
        {"resourceVersion": FUTURE},
        {**STREAMED_LIST, "resourceVersion": FUTURE},
        {"watch": "true", "resourceVersion": FUTURE, "timeoutSeconds": "1"},
    ],
    ids=["streamed list of any version", "future list", "future streamed list", "future watch"],
)
def test_refusals_are_the_same(both: Both, query: Mapping[str, str]) -> None:
    answers = []
    for server in both:
        with server.ask(NODE.path, query) as answer:
            text = answer.read()
            answers.append((answer.status, [structure(json.loads(line)) for line in text.splitlines()]))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("kind", [POD, SERVICE], ids=["large", "small"])
@pytest.mark.parametrize("query", [{}, STREAMED_LIST | {"timeoutSeconds": "1"}], ids=["list", "streamed list"])
def test_the_same_answers_are_compressed(both: Both, kind: Kind, query: Mapping[str, str]) -> None:
    encodings = []
    for server in both:
        with server.ask(kind.path, query, **{"Accept-Encoding": "gzip"}) as answer:
            encodings.append((answer.headers["Content-Encoding"], answer.headers["Content-Type"]))
            text = answer.read()
        for line in (gzip.decompress(text) if encodings[-1][0] else text).splitlines():
            json.loads(line)
    assert encodings[0] == encodings[1]


def test_requests_are_noted(stand_in: ApiServer) -> None:
    Server(stand_in.url, None, {}).json(POD.path, {"resourceVersion": "0"})
    asked = stand_in.requests[-1]
    assert (asked.method, asked.path, asked.query) == ("GET", POD.path, {"resourceVersion": "0"})


def test_a_refusal_can_be_ordered(stand_in: ApiServer) -> None:
    server = Server(stand_in.url, None, {})
    stand_in.refuse(POD, 429, "too many requests", times=2)
    with server.ask(NODE.path, {}) as answer:
        assert answer.status == 200
    for status in (429, 429, 200):
        with server.ask(POD.path, {}) as answer:
            assert answer.status == status


def test_changes_come_at_the_rate_that_is_asked_for(stand_in: ApiServer) -> None:
    pods = [stand_in.history.object(POD, key) for key in stand_in.history.keys(POD)]
    begun = time.monotonic()
    made = stand_in.send([Change("MODIFIED", pod) for pod in pods[:10]], rate=50)
    assert len(made) == 10
    assert all(at - begun >= number / 50 for number, at in enumerate(made))


def test_the_kubeconfig_is_one_of_kubectl(control_plane: ControlPlane, stand_in: ApiServer, tmp_path: Path) -> None:
    kubeconfig = stand_in.write_kubeconfig(tmp_path)
    listed = control_plane.kubectl("--kubeconfig", str(kubeconfig), "get", "--raw", POD.path)
    assert len(json.loads(listed)["items"]) == SIZE.pods


def test_kinds_are_described_as_the_api_server_describes_them(both: Both) -> None:
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    described = []
    for server in both:
        with server.ask("/apis", {}, Accept=accept) as answer:
            described.append(json.load(answer))
    real, ours = map(kinds, described)
    assert (described[0]["kind"], described[0]["apiVersion"]) == (described[1]["kind"], described[1]["apiVersion"])
    assert ours.items() <= real.items()
    assert ours.keys() == {tuple(kind.path.split("/")[2:]) for kind in KINDS if "/" in kind.version}


def kinds(described: Mapping[str, Any]) -> dict[tuple[str, str, str], str]:
    """The kind of each resource, by group, version and name."""
    return {
        (group["metadata"]["name"], version["version"], resource["resource"]): resource["responseKind"]["kind"]
        for group in described["items"]
        for version in group["versions"]
        for resource in version["resources"]
    }
