"""Localnet: the whole subnet on one machine, as real processes that talk real HTTP on loopback."""
