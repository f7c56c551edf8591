"""The GPU benchmark: Aer's state vector on a GPU against the processor."""
