"""The names of policies in a live cluster, as users write them."""

from contextlib import suppress
from threading import Thread
from typing import NamedTuple

import click

from ovsnp.cli.candidates import PATIENCE
from ovsnp.errors import UsageError

_KINDS = ("networkpolicy", "networkpolicies", "netpol")


class NamedPolicy(NamedTuple):
    """A policy that a user names."""

    namespace: str
    name: str


def read_policy_name(text: str) -> NamedPolicy:
    """NAMESPACE/NAME, or NAME in the namespace default; raises UsageError for other words."""
    namespace, _, name = text.rpartition("/")
    if not name or "/" in namespace:
        raise UsageError(f"{text!r} is no policy; write NAMESPACE/NAME, or NAME in the namespace default")
    return NamedPolicy(namespace or "default", name)


def read_typed_policy_name(text: str, namespace: str) -> NamedPolicy:
    """networkpolicy/NAME, as kubectl wait takes it; raises UsageError for other words."""
    kind, _, name = text.partition("/")
    if kind.lower() not in _KINDS or not name or "/" in name:
        raise UsageError(f"{text!r} is no policy; write networkpolicy/NAME, and the namespace with -n")
    return NamedPolicy(namespace, name)


def offered_policies(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """For a shell: the NAMESPACE/NAME of the policies that begin with ``incomplete``, if they are known in time."""
    return [name for name in map("/".join, _policies(ctx)) if name.startswith(incomplete)]


def offered_typed_policies(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """For a shell: like `offered_policies`, for networkpolicy/NAME."""
    namespace = ctx.params.get("namespace") or "default"
    names = (f"networkpolicy/{each.name}" for each in _policies(ctx) if each.namespace == namespace)
    return [name for name in names if name.startswith(incomplete)]


def _policies(ctx: click.Context) -> list[NamedPolicy]:
    from ovsnp.kubernetes.configuration import find_api_server  # noqa: PLC0415 -- needed only to complete a name
    from ovsnp.kubernetes.connection import ApiConnection  # noqa: PLC0415
    from ovsnp.kubernetes.listing import list_kind  # noqa: PLC0415
    from ovsnp.kubernetes.resources import NETWORK_POLICIES  # noqa: PLC0415

    found: list[NamedPolicy] = []

    def find() -> None:
        with suppress(Exception):  # a shell shows everything that is printed
            server = find_api_server(ctx.params.get("kubeconfig"), ctx.params.get("context"))
            with ApiConnection(server, read_timeout=PATIENCE) as connection:
                changes = list_kind(connection, NETWORK_POLICIES).changes
            found.extend(sorted(NamedPolicy(each.namespace, each.name) for each in changes))

    finder = Thread(target=find, daemon=True)
    finder.start()
    finder.join(PATIENCE)
    return [*found]
