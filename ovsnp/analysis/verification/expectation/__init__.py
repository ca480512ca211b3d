"""What must happen to packets on one node's bridge: which must pass, and how these must leave.

`bridge_expectation` asks the oracle, `next_hops` the nodes and the ports. `verdicts` has the answers for sets of
packets, `verdict_rows` makes them, and `leaving` gives the header fields of packets that leave. `proof_context` holds
what all questions about one address family share.
"""
