"""What `mlc init` does: it asks, signs in, discovers, and writes what was chosen."""
