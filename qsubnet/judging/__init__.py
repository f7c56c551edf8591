"""Judge a device from outside the network: the validators' tests, evidence and verdicts."""
