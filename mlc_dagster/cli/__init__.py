"""`mlc`: a module for each command."""
