"""Questions about a bridge: for every class of packets, whether it must pass, and how it must leave.

`question` says what a question is. By sender and destination: `pods`, `arriving`, `services`, `bound`, `answers`.
Beside policy: `guards`, `neighbors`, `megaflows`. The other modules give the parts of questions: classes of addresses
and traffic, states of connections, verdicts and next hops.
"""
