"""What others call: webhooks come in here. Starlette and uvicorn; no page shows a secret."""

from mlc_dagster.web.webhooks import build

__all__ = ["build"]
