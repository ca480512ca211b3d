"""Questions about connections to Services: `new_connections` (with `endpoint_choice`) and `open_connections`.

`clients` has the senders.
"""
