"""What the oracle needs to know beside the cluster and the connection."""

import msgspec


class Terms(msgspec.Struct, frozen=True):
    """The arguments of `judge` and `judge_service` of the same names, which are the same for many connections."""

    strict_nodes: bool = False
    service_blocks: bool = False
    entry: str | None = None
