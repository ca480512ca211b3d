"""Compile Kubernetes NetworkPolicy into OpenFlow rules for Open vSwitch tunnel pod networks."""

__version__ = "0.1.0"
