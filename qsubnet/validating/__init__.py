"""The validating service: plans tests, collects answers, judges, and sets weights, from cron."""
