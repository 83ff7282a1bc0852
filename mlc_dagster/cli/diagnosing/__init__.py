"""What `mlc diagnose` collects: nothing of it is a value of a record, or a secret."""
