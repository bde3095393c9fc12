"""The probes of control: they stand in front of multiprocessing's methods, and stop the party before each operation.

They are installed once, in a process that is there for controlled programs only, and stay.
"""
