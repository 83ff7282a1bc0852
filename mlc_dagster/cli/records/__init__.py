"""Commands about records after they were delivered: what became of them in their target, and a person's ways back."""
