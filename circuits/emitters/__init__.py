"""Emitters: a Program as a circuit of qiskit, cirq, braket or stim, each border written once.

One module a framework, imported by its full name (`circuits.emitters.stim`), so that a process
that needs one SDK never loads another. Each module also turns what its framework measured into
rows or counts of our bit order.
"""
