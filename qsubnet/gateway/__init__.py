"""The gateway: researchers' programs in, counts with receipts out, over HTTP with an API key."""
