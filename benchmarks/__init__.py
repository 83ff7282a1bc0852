"""Speed and memory, measured; never inside a test."""
