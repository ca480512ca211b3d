"""What ovsnp costs: flows, compile time and memory, apply time, the size of a change, and the datapath's work.

python -m bench [sizes] [compile] [apply] [change] [datapath] [--sizes S M L XL] [--runs N] [--minimal]
"""
