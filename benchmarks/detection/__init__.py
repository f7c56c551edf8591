"""The detection benchmark: which device gets which verdict, how often and how soon."""
