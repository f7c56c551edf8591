"""Who vouches: signed statements and receipts over digests, and their verification."""
