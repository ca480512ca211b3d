"""The words of the table for many names at once."""

from typing import Any

from ovsnp.analysis.matrix.matrix_text import text_lines
from ovsnp.analysis.matrix.view import View
from ovsnp.analysis.reach.cells import Reach
from ovsnp.manifests import load_objects

Object = dict[str, Any]
SPACES = [f"s{number:02}" for number in range(12)]


def cluster(*isolated: str) -> list[Object]:
    """Twelve namespaces with the pods a and b; the pods with these keys, ``NAMESPACE/NAME``, admit no connections."""
    found: list[Object] = []
    for place, space in enumerate(SPACES):
        found.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}})
        for number, name in enumerate("ab", 1):
            found.append(
                {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": {"namespace": space, "name": name, "labels": {"app": name}},
                    "status": {"podIPs": [{"ip": f"10.0.{place}.{number}"}]},
                }
            )
    for key in isolated:
        space, name = key.split("/")
        found.append(
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"namespace": space, "name": f"deny-{name}"},
                "spec": {"podSelector": {"matchLabels": {"app": name}}},
            }
        )
    return found


def told(source: str, *isolated: str, to: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """The ports and names in each line of a source."""
    view = View(Reach(load_objects(cluster(*isolated))), [source], to)
    lines = [line.split(None, 2) for line in text_lines(view)]
    return [(ports, names) for _, ports, names in lines[1:]]


def test_all_there_are_are_everyone() -> None:
    assert told("s00/a") == [("all", "everyone")]
    assert told("s00/a", to=("s00/", "s01/")) == [("all", "s00/b, s01/*")]


def test_few_that_are_denied_are_named_on_both_lines() -> None:
    assert told("s00/a", "s03/b") == [("all", "everyone but s03/b"), ("none", "s03/b")]
    assert told("outside/", "s03/a", "s03/b") == [("all", "everyone but s03/*"), ("none", "s03/*")]


def test_of_many_that_are_denied_it_is_said_that_they_are_the_others() -> None:
    isolated = [f"{space}/{name}" for space in SPACES[2:] for name in "ab"]
    assert told("s00/a", *isolated) == [("all", "s00/b, s01/*, outside/0.0.0.0/0"), ("none", "everyone else")]
    every = [f"{space}/{name}" for space in SPACES for name in "ab"]
    assert told("outside/", *every) == [("none", "everyone")]


def test_a_lone_pod_has_a_line_with_itself_only_where_nothing_else_is_asked_for() -> None:
    assert told("s00/a", to=("s00/a",)) == [("all", "itself")]
    assert told("s00/a", to=("s00/a", "s00/b")) == [("all", "s00/b")]
