"""Proves that the flows of a bridge do what the policies say, for all packets.

`packet_classes` divides all packets into classes that neither flows nor policies tell apart. `expectation` asks the
oracle what must happen to the packets of each class. `questions` joins the two, kind of packet by kind of packet.
`simulator` takes the classes through the flows. `proof` compares the result with the expectation.
"""
