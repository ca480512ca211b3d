"""What ovsnp costs: flows, compile time and memory, apply time, Services, the size of a change, the datapath's work.

python -m bench [sizes] [compile] [apply] [services] [change] [datapath] [throughput]
                [--sizes S M L XL] [--runs N] [--minimal]
"""
