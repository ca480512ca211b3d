"""Classes of packets that neither flows nor policies tell apart: by address, by traffic and by state of a connection.

`representatives` finds the values of any other field.
"""
