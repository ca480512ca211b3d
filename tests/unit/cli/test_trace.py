"""``ovsnp trace`` on the command line, where it reaches no Open vSwitch."""

from pathlib import Path

import pytest

from tests.support.applying import ovsnp

pytestmark = pytest.mark.usefixtures("workdir")

SERVICE = (
    "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {clusterIP: 10.96.0.1, selector: {role: db},"
    " ports: [{port: 80}]}}"
)


@pytest.mark.parametrize(
    ("words", "because"),
    [
        (
            ("frontent", "db", "80"),
            "there is no pod default/frontent with an address of its own; did you mean default/frontend?",
        ),
        (
            ("frontend", "svc/wob", "80"),
            "there is no Service default/wob with a cluster IP; did you mean svc/default/web?",
        ),
        (("frontend", "db", "99999"), "99999"),
        (("frontend", "frontend", "80"), "default/frontend reaches itself without the bridge; name another pod"),
        (("node/node-1", "8.8.8.8", "80"), "between node/node-1 and 8.8.8.8 no packet comes to the bridge; name a pod"),
        (("frontend", "db", "80", "--node", "node-9"), "there is no node node-9; there are node-1, node-2"),
        (("frontend", "db", "80", "--source-port", "0"), "'--source-port'"),
        (("frontend", "db", "80", "--ports", "ports.yaml"), "--ports is for compile"),
    ],
)
def test_usage_is_2(words: tuple[str, ...], because: str) -> None:
    Path("manifests/service.yaml").write_text(SERVICE)
    answer = ovsnp("trace", "-f", "manifests", *words)
    assert (answer.code, answer.out) == (2, "")
    assert because in answer.err


@pytest.mark.parametrize("databases", [(), ("--db", "/nowhere/db.sock"), ("--db", "node-1=/nowhere/db.sock")])
def test_open_vswitch_that_is_not_there_is_4(databases: tuple[str, ...]) -> None:
    answer = ovsnp("trace", "-f", "manifests", "frontend", "db", "80", *databases)
    assert (answer.code, answer.out) == (4, "")
    assert "Open vSwitch's database cannot be reached at unix:" in answer.err


def test_a_lab_that_does_not_stand_is_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OVSNP_LAB_DIR", str(tmp_path))
    answer = ovsnp("trace", "frontend", "db", "--lab")
    assert (answer.code, answer.out) == (2, "")


def test_bad_input_is_3() -> None:
    Path("manifests/more.yaml").write_text("kind: NetworkPolicy\n")
    assert ovsnp("trace", "-f", "manifests", "frontend", "db", "80").code == 3
