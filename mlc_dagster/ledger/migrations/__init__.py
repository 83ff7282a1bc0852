"""How a database comes to the schema of `tables.py`, step by step. Steps that were released never change."""
