"""Cin7 Core in the sandbox: its API, its records, its limits and refusals."""
