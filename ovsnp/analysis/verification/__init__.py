"""Proves that the flows of a bridge do what the policies say, for all packets.

`questions` divides all packets into classes that neither flows nor policies tell apart, and asks the oracle what must
happen to each class. `simulator` takes the classes through the flows. `proof` compares the two.
"""
