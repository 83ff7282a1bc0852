"""What people are told without having asked: conditions that stand, each once for its cause."""
