"""A device's report: one HTML page that opens without a network, from its records alone."""
