"""The demo's own comparisons: what each system holds in the sandbox, beside what was delivered and what sources say."""
