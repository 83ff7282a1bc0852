"""HTTP for every system: client, sign-in, retries, rate limits, threads. Nothing else imports httpx or tenacity."""
