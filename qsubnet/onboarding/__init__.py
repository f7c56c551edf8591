"""Onboarding: from a backend to a paid miner, with what is wrong said exactly on the way."""
