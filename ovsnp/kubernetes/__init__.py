"""The only door to an API server: where it is, requests to it, and the objects that come from it.

`configuration` finds the API server and the user as kubectl does. `connection` sends requests, and says what is wrong
in one sentence. `snapshot` reads a cluster once; `following` keeps on reading it, one thread for each kind, and hands
every change as an event (`events`) to one queue.
"""
