"""The network: wire, chain, miner, validating service, gateway, client and command line."""
