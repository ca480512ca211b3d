"""The map of the bridge: its tables, registers, conntrack zones, priorities and cookies, each declared once."""
