"""Words and places that several answers use for rules, ports and lists."""
