"""What keeps the statements and what shows them: alike for all, and system by system."""
