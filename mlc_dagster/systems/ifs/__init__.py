"""IFS Cloud, the ERP: settings, client, records, entity sets; `system.py` declares all that the house asks of it."""
