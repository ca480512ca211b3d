"""Files in place of options."""

from pathlib import Path

import pytest

from ovsnp.cli.settings_file import read_mapping, read_ports_file
from ovsnp.errors import UsageError
from ovsnp.model.bridge import BridgePort, BridgePorts

OWN = 'ovsnp-tun0: {ofport: 1}\novsnp-gw0: {ofport: 2, mac: "0a:58:00:00:00:02"}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ports.yaml"


def refused(file: Path, text: str, because: str) -> None:
    """The ports file is refused, and the message names the file and the reason."""
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_ports_file(file)
    assert str(caught.value).startswith(f"{file}:")
    assert because in str(caught.value)


def test_ports_are_read(file: Path) -> None:
    file.write_text(OWN + 'default/db: {ofport: 3, mac: "02:00:00:00:00:03"}\n')
    assert read_ports_file(file) == BridgePorts(
        1, BridgePort(2, 0x0A5800000002), {"default/db": BridgePort(3, 0x020000000003)}
    )


def test_tunnels_mac_may_be_given_and_means_nothing(file: Path) -> None:
    file.write_text(OWN.replace("{ofport: 1}", '{ofport: 1, mac: "02:00:00:00:00:01"}'))
    assert read_ports_file(file).tunnel == 1


@pytest.mark.parametrize("missing", [0, 1])
def test_tunnel_and_gateway_must_be_there(file: Path, missing: int) -> None:
    lines = OWN.splitlines()
    name = lines.pop(missing).partition(":")[0]
    refused(file, "\n".join(lines), f"{name} is missing")


@pytest.mark.parametrize(
    ("entry", "because"),
    [
        ("3", "write {ofport: NUMBER"),
        ("{ofport: 3}", "write {ofport: NUMBER"),
        ('{mac: "02:00:00:00:00:03"}', "write {ofport: NUMBER"),
        ('{ofport: 3, mac: "02:00:00:00:00:03", name: x}', "write {ofport: NUMBER"),
        ('{ofport: 0, mac: "02:00:00:00:00:03"}', "ofport 0 is not an OpenFlow port"),
        ('{ofport: 65280, mac: "02:00:00:00:00:03"}', "ofport 65280 is not an OpenFlow port"),
        ('{ofport: -1, mac: "02:00:00:00:00:03"}', "ofport -1 is not"),
        ('{ofport: "3", mac: "02:00:00:00:00:03"}', "ofport '3' is not"),
        ('{ofport: true, mac: "02:00:00:00:00:03"}', "ofport True is not"),
        ('{ofport: 3.0, mac: "02:00:00:00:00:03"}', "ofport 3.0 is not"),
        ('{ofport: 3, mac: "02:00:00:00:00"}', "is not a MAC address"),
        ('{ofport: 3, mac: "03:00:00:00:00:03"}', "is a multicast address"),
        ("{ofport: 3, mac: null}", "is not a MAC address"),
        ('{ofport: 2, mac: "02:00:00:00:00:03"}', "ofport 2 is already that of ovsnp-gw0"),
    ],
)
def test_entry_that_is_none_is_refused(file: Path, entry: str, because: str) -> None:
    refused(file, f"{OWN}default/db: {entry}\n", because)
    refused(file, f"{OWN}default/db: {entry}\n", "default/db: ")


@pytest.mark.parametrize(
    "text", ["", "- a\n", "a\n", "3: 4\n", "a: 1\n---\nb: 2\n"], ids=["empty", "list", "word", "number", "two"]
)
def test_file_without_one_mapping_of_names_is_refused(file: Path, text: str) -> None:
    refused(file, text, "holds no mapping of names to values")


def test_yaml_that_does_not_parse_is_refused_with_its_line(file: Path) -> None:
    refused(file, "a: 1\nb: [\n", "ports.yaml:3: not valid YAML: ")


def test_name_given_twice_is_refused(file: Path) -> None:
    refused(file, f"{OWN}{OWN}", "ports.yaml:3: ovsnp-tun0: written twice")


def test_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            read_mapping(path)
