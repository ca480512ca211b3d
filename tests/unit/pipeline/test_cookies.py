"""Cookies as they are read back."""

from ovsnp.pipeline.cookies import cookie, rule_of


def test_cookie_tells_its_rule() -> None:
    assert rule_of(cookie(100, 0xABCDEF01)) == 0xABCDEF01
    assert rule_of(cookie(100)) == 0
