"""The syntax of names, labels and ports in the API.

The rules are those of the API server (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/,
.../labels/, and RFC 6335 for names of ports). Each function returns the message that says what is wrong, or None.
"""

import re
from functools import lru_cache

from ovsnp.yaml_reader.structure import describe, quote

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_PORT_NAME = re.compile(r"(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
MAX_PORT = 65535


def subdomain_fault(name: str) -> str | None:
    """Names of most objects: DNS subdomains."""
    if len(name) <= 253 and _SUBDOMAIN.fullmatch(name):
        return None
    return f"{quote(name)} is no valid name; use at most 253 lower-case letters, digits, '-' and '.'"


def label_name_fault(name: str) -> str | None:
    """Names of namespaces, of Services and of the ports of Services: DNS labels."""
    if _LABEL.fullmatch(name):
        return None
    return f"{quote(name)} is no valid name; use at most 63 lower-case letters, digits and '-'"


def label_key_fault(key: str) -> str | None:
    """Keys of labels: a name, optionally after a DNS domain and a slash."""
    prefix, slash, name = key.rpartition("/")
    if _QUALIFIED.fullmatch(name) and (not slash or (len(prefix) <= 253 and _SUBDOMAIN.fullmatch(prefix))):
        return None
    return (
        f"{quote(key)} cannot be the key of a label; use at most 63 letters, digits, '-', '_' and '.', "
        "after a DNS domain and '/' if need be"
    )


def label_value_fault(value: str) -> str | None:
    """Values of labels."""
    if not value or _QUALIFIED.fullmatch(value):
        return None
    return (
        f"{quote(value)} cannot be the value of a label; use at most 63 letters, digits, '-', '_' and '.', "
        "with a letter or digit at both ends"
    )


def port_number_fault(port: int | None) -> str | None:
    """Numbers of ports, where there must be one."""
    if port is None:
        return f"missing; write 1 to {MAX_PORT}"
    if 1 <= port <= MAX_PORT:
        return None
    return f"{describe(port)} is no port; write 1 to {MAX_PORT}"


@lru_cache(maxsize=10_000)
def port_name_fault(name: str) -> str | None:
    """Names of ports."""
    if _PORT_NAME.fullmatch(name):
        return None
    if name.isascii() and name.isdigit():
        return f"{quote(name)} in quotes is a name, and a name of a port has a letter; write {name[:80]} without quotes"
    return (
        f"{quote(name)} cannot be the name of a port; use at most 15 lower-case letters, digits and single '-' "
        "inside, at least one of them a letter"
    )
