"""The words for rules, ports and lists, and the places of fields, that several answers use."""
