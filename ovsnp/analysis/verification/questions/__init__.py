"""Questions about a bridge: for every class of packets, whether it must pass, and how it must leave.

`bridge_question` says what a question is, and `by_state` divides a question by the states of connections. By sender and
destination: `pods`, `arriving` (with the senders in `arrivals`), `services`, `hairpin`. Beside policy: `guards`,
`neighbors`, `megaflows`.
"""
