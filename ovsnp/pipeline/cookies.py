"""Cookies: the owner, table and rule of a flow."""

OWNER = 0x0A5E
MASK = 0xFFFF << 48
BASE = OWNER << 48
_RULE = (1 << 32) - 1
USED = MASK | 0xFF << 40 | _RULE
"""The bits by which cookies of ovsnp differ from each other and from other cookies.

A deletion with a mask of all 64 bits takes longer with every flow that has the cookie: Open vSwitch compares each of
them (``collect_rules_strict()`` in ofproto/ofproto.c). With any other mask it looks the flow up by its match.
"""


def cookie(table_id: int, rule: int = 0) -> int:
    """The cookie of a flow, 64 bits: 16 for ovsnp, 8 for the table, 8 zero, 32 for the rule (0: no rule)."""
    return BASE | table_id << 40 | rule


def rule_of(value: int) -> int:
    """The number of the rule in a cookie of ovsnp: where several rules share the flow, of the first; 0: no rule."""
    return value & _RULE


def is_ours(value: int) -> bool:
    """True if ovsnp wrote the flow with this cookie."""
    return value & MASK == BASE
