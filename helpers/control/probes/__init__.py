"""The probes of control: they stand before multiprocessing's methods, and stop a participant at each operation.

They are installed once, in a process that is there for controlled programs only, and stay.
"""
