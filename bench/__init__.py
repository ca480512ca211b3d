"""The cost of ovsnp: flows, compile and apply, Services, the size of a change, the work of the datapath, answers.

python -m bench [SECTION ...] [--sizes S M L XL] [--runs N] [--minimal]
"""
