"""Tenants whose services show the stored rows in other sets, arrays and columns than the catalogue's own."""
