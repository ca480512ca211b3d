"""Any content of an expectations file is judged, or refused with diagnostics; no other exception occurs."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.applying import CLUSTER, ovsnp, policy

ENDS = st.sampled_from(
    ["db", "default/db", "node/node-1", "svc/db", "10.20.1.10", "fd00::1", "10.0.0.0/8", "", "/", "a/b/c"]
)
PORTS = st.sampled_from([80, 0, -1, 70000, "80", "80/udp", "redis", "/", "tcp/80", "", "icmp"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | ENDS | PORTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def one_or_several(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values | st.lists(values | ANYTHING, max_size=3) | ANYTHING


ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "from": one_or_several(ENDS),
        "to": one_or_several(ENDS),
        "port": one_or_several(PORTS),
        "expect": st.sampled_from(["allowed", "denied", "mixed"]) | ANYTHING,
        "family": st.sampled_from(["IPv4", "IPv6"]) | ANYTHING,
        "other": ANYTHING,
    },
)
FILES = st.lists(ENTRIES | ANYTHING, max_size=3) | ANYTHING


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small cluster with a policy."""
    folder = tmp_path_factory.mktemp("manifests")
    (folder / "cluster.yaml").write_text(CLUSTER)
    (folder / "policy.yaml").write_text(policy("to-db", 80))
    return folder


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=FILES, as_yaml=st.booleans())
def test_any_value_is_judged_or_refused(manifests: Path, tmp_path: Path, value: Any, as_yaml: bool) -> None:
    file = tmp_path / "expected.yaml"
    file.write_text(("# as YAML\n" if as_yaml else "") + json.dumps(value))
    answer = ovsnp("check", file, "-f", manifests)
    assert answer.code in (0, 1, 3), answer
    if answer.code == 3:
        assert answer.out == ""
        assert all(line.startswith(f"{file}") for line in answer.err.splitlines()), answer.err


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_refused(manifests: Path, tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "expected.yaml"
    file.write_bytes(data)
    answer = ovsnp("check", file, "-f", manifests)
    assert (answer.code, answer.out) == (3, ""), answer
