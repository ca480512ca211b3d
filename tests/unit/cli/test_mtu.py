"""The MTU that pods should have."""

import pytest
from click.testing import CliRunner

from ovsnp.cli import ovsnp


@pytest.mark.parametrize(
    ("options", "mtu"),
    [
        ([], 1430),
        (["--encap", "vxlan"], 1450),
        (["--ipv6-underlay"], 1410),
        (["--encap", "vxlan", "--ipv6-underlay"], 1430),
    ],
)
def test_pods_have_what_the_tunnel_leaves(options: list[str], mtu: int) -> None:
    result = CliRunner().invoke(ovsnp, ["mtu", "--underlay", "1500", *options])
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{mtu}\n", "")


def test_what_is_too_small_for_ipv6_is_said() -> None:
    result = CliRunner().invoke(ovsnp, ["mtu", "--underlay", "1340"])
    assert (result.exit_code, result.stdout) == (0, "1270\n")
    assert "1280" in result.stderr


def test_the_underlay_must_be_said() -> None:
    assert CliRunner().invoke(ovsnp, ["mtu"]).exit_code == 2
