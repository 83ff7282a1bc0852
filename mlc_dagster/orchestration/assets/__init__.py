"""Assets and their checks: what is read, prepared and loaded, and what the UI shows of it."""
