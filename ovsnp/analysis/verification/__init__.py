"""Proof that flows do what policies say: every class of packets, through a simulator and past the oracle."""
