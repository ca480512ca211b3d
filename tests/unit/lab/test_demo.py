"""The demo on a machine that cannot run a lab."""

import pytest
from click.testing import CliRunner

from ovsnp.cli import ovsnp
from ovsnp.errors import UsageError
from ovsnp.lab.datapath import DatapathType
from ovsnp.lab.runtime import NETNS, RUNTIMES
from tests.support.checkout import ROOT

TOPOLOGY = ROOT / "containerlab" / "ovsnp.clab.yml"


def test_without_a_lab_the_demo_says_why_and_shows_the_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(datapath: DatapathType) -> None:
        raise UsageError("a lab needs root")

    monkeypatch.setattr(RUNTIMES[NETNS], "check_machine", staticmethod(refuse))
    result = CliRunner().invoke(ovsnp, ["lab", "demo", "--topo", str(TOPOLOGY)])
    assert result.exit_code == 0
    assert "a lab needs root" in result.stderr
    for policy in ("access-demo1 ingress", "access-demo2 ingress", "access-demo3 egress", "access-demo4 egress"):
        assert f"# rule default/{policy}[0]\nflow add" in result.stdout
