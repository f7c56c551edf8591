"""What an ideal device would answer: engines, exact laws, and banks of laws simulated once."""
