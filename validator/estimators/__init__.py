"""Fidelities, errors and distances from counts, each with its interval."""
