"""Cookies: whose a flow is, and of which table and rule."""

OWNER = 0x0A5E
MASK = 0xFFFF << 48
BASE = OWNER << 48
_RULE = (1 << 32) - 1


def cookie(table_id: int, rule: int = 0) -> int:
    """64 bits: 16 ovsnp's own, 8 the table, 8 zero, 32 the rule's number (0: no rule, or several)."""
    return BASE | table_id << 40 | rule


def rule_of(value: int) -> int:
    """The number of the rule that a cookie of ovsnp's tells; 0: no rule, or several."""
    return value & _RULE


def is_ours(value: int) -> bool:
    """Whether ovsnp wrote the flow with this cookie."""
    return value & MASK == BASE
