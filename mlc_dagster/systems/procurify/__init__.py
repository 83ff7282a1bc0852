"""Procurify: settings, client, records, mapping, flows; `system.py` declares all that the house asks of it."""
