"""The terms of a verdict, beside the cluster and the connection."""

import msgspec


class Terms(msgspec.Struct, frozen=True):
    """Arguments of `judge` and `judge_service`, under the same names, that are equal for many connections."""

    strict_nodes: bool = False
    service_blocks: bool = False
    entry: str | None = None
