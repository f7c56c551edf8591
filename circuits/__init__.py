"""What is asked: programs, their limits and borders, benchmark families and their secret answers."""
