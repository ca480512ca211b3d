"""The sentences about changes between two measurements."""

from ovsnp.lab.changes import changes
from ovsnp.lab.matrix import Matrix
from ovsnp.model.address import family
from tests.unit.lab.builders import HTTP, REDIS, host, matrix

PODS = [host(f"default/{name}", f"10.0.0.{number}") for number, name in enumerate("abc", start=2)]
OTHERS = [host(f"other/{name}", f"10.0.1.{number}") for number, name in enumerate("xy", start=2)]
HOSTS = [*PODS, *OTHERS, host("node/n", "192.0.2.1"), host("away", "203.0.113.1"), host("far", "203.0.113.2")]
ALL = {(one.name, other.name) for one in HOSTS for other in HOSTS if one != other}
DATABASES = {"default/a", "default/b"}


def test_nothing_changed_is_no_sentence() -> None:
    assert list(changes(matrix(HOSTS, {REDIS: ALL}), matrix(HOSTS, {REDIS: ALL}))) == []


def test_sources_and_destinations_are_gathered() -> None:
    isolated = {(one, other) for one, other in ALL if other not in DATABASES or one == "node/n"}
    admitted = isolated | {(one, other) for one, other in ALL if one.startswith("other/")}
    before = matrix(HOSTS, {REDIS: ALL, HTTP: ALL})
    between = matrix(HOSTS, {REDIS: isolated, HTTP: isolated})
    after = matrix(HOSTS, {REDIS: admitted, HTTP: isolated})
    assert list(changes(before, between)) == ["6379/tcp, 80/tcp: all but node/n no longer reach default/a, default/b"]
    assert list(changes(between, after)) == ["6379/tcp: other/* now reach default/a, default/b"]


def test_a_change_of_egress_is_gathered_by_source() -> None:
    after = {(one, other) for one, other in ALL if one not in DATABASES or other in {"node/n", "away"}}
    assert list(changes(matrix(HOSTS, {REDIS: ALL}), matrix(HOSTS, {REDIS: after}))) == [
        "6379/tcp: default/a, default/b no longer reach anyone but node/n, away"
    ]


def test_whom_nobody_reached_before_is_not_set_apart() -> None:
    apart = {(one, other) for one, other in ALL if {one, other} != DATABASES}
    after = {(one, other) for one, other in apart if one not in DATABASES or other == "node/n"}
    assert list(changes(matrix(HOSTS, {REDIS: apart}), matrix(HOSTS, {REDIS: after}))) == [
        "6379/tcp: default/a, default/b no longer reach anyone but node/n"
    ]


def test_families_that_differ_have_a_sentence_each() -> None:
    one, other = host("default/a", "10.0.0.2", "fd00::2"), host("default/b", "10.0.0.3", "fd00::3")
    before, none = matrix([one, other], {REDIS: {("default/a", "default/b")}}), matrix([one, other], {REDIS: set()})
    only_ipv4 = Matrix(
        before.hosts,
        before.traffics,
        tuple(
            was if family(was.case.source_address) == 4 else now
            for was, now in zip(before.cells, none.cells, strict=True)
        ),
    )
    assert list(changes(before, only_ipv4)) == ["6379/tcp over IPv6: default/a no longer reach default/b"]
    assert list(changes(before, none)) == ["6379/tcp: default/a no longer reach default/b"]
