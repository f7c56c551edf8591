"""What is asked: programs, limits, borders, benchmark families and their secret answers."""
