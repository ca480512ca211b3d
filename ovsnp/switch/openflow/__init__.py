"""OpenFlow 1.5 on an open connection to a bridge (OpenFlow Switch Specification 1.5.1), with Open vSwitch's extensions.

Docstrings name the structs of Open vSwitch's ``include/openflow/``, and functions of its ``lib/``.
"""
