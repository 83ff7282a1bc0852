"""HTTP for every system: client, sign-in, retries, rate limits, threads. The only room that knows httpx and tenacity."""
