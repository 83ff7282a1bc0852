"""What several commands need: the table of commands, where they look, what they show."""
