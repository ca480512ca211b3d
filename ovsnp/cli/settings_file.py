"""Files in place of options: the configuration, and ports without a database."""

from collections.abc import Mapping
from pathlib import Path

from ovsnp.errors import ConfigurationError, Diagnostic, Span, UsageError
from ovsnp.model.bridge import BridgePort, BridgePorts
from ovsnp.model.mac import parse_mac
from ovsnp.pipeline.ports import GATEWAY_PORT, TUNNEL_PORT
from ovsnp.yaml_reader.outline import NotationError, Outline
from ovsnp.yaml_reader.paths import format_path

_LAST_OFPORT = 0xFEFF


def read_mapping(path: Path) -> Mapping[str, object]:
    """The one YAML mapping in a file; raises UsageError if there is none."""
    value: Mapping[str, object] = read_outline(path).value
    return value


def read_outline(path: Path) -> Outline:
    """The one YAML mapping in a file, with the line of every key.

    Raises UsageError if there is none, ConfigurationError with all mistakes of notation.
    """
    from ovsnp.yaml_reader.yaml_text import yaml_documents  # noqa: PLC0415 -- yaml is needed only for such files

    try:
        documents = list(yaml_documents(path.read_bytes(), lines=True))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except NotationError as error:
        raise UsageError(f"{path}:{error.line}: {error}") from None
    mistakes = [
        Diagnostic(Span(str(path), document.line(fault.path)), "", format_path(fault.path), fault.message)
        for document in documents
        for fault in document.faults
    ]
    if mistakes:
        raise ConfigurationError(mistakes)
    value = documents[0].value if len(documents) == 1 else None
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise UsageError(f"{path}: holds no mapping of names to values; write NAME: VALUE lines")
    return documents[0]


def read_ports_file(path: Path) -> BridgePorts:
    """Ports from ``namespace/pod: {ofport: 3, mac: "..."}`` lines, the tunnel's and the gateway's likewise.

    Raises UsageError if an entry is invalid, or if the tunnel or the gateway is missing.
    """
    ports = {name: _port(f"{path}: {name}", entry, name != TUNNEL_PORT) for name, entry in read_mapping(path).items()}
    for name in (TUNNEL_PORT, GATEWAY_PORT):
        if name not in ports:
            raise UsageError(f"{path}: {name} is missing; give its ofport")
    numbers: dict[int, str] = {}
    for name, port in ports.items():
        if port.ofport in numbers:
            raise UsageError(f"{path}: {name}: ofport {port.ofport} is already that of {numbers[port.ofport]}")
        numbers[port.ofport] = name
    tunnel, gateway = ports.pop(TUNNEL_PORT), ports.pop(GATEWAY_PORT)
    return BridgePorts(tunnel.ofport, gateway, ports)


def _port(where: str, entry: object, needs_mac: bool) -> BridgePort:
    wanted = {"ofport", "mac"} if needs_mac else {"ofport"}
    if not isinstance(entry, dict) or not wanted <= entry.keys() <= {"ofport", "mac"}:
        raise UsageError(f'{where}: write {{ofport: NUMBER, mac: "MAC"}}')
    ofport = entry["ofport"]
    if not isinstance(ofport, int) or isinstance(ofport, bool) or not 0 < ofport <= _LAST_OFPORT:
        raise UsageError(f"{where}: ofport {ofport!r} is not an OpenFlow port; write a number from 1 to {_LAST_OFPORT}")
    try:
        return BridgePort(ofport, parse_mac(str(entry.get("mac", "00:00:00:00:00:00"))))
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from None
