"""What ovsnp costs: flows, compile and apply, Services, the size of a change, the datapath's work, and its answers.

python -m bench [SECTION ...] [--sizes S M L XL] [--runs N] [--minimal]
"""
