"""Rows between assets: files, their digests, and why some are refused."""
