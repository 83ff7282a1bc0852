"""What `mlc try` does: one record, step by step."""
