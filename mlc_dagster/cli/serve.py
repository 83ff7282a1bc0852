"""`mlc serve`: webhooks come in, and the review page is served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlc_dagster import settings as settings_file

if TYPE_CHECKING:
    from mlc_dagster.core.flows import Flow

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    port: Annotated[
        int | None, typer.Option(help="Of the webhooks, on 127.0.0.1; default: web.port in mlc.yaml.")
    ] = None,
) -> None:
    """Take in webhooks of the sources in web.sources, and serve the review page where `review` is set.

    It listens on 127.0.0.1 and speaks plain HTTP: deploy it behind a proxy with TLS.

    Let the proxy pass on /webhooks/ alone, and log no addresses: they may hold a secret.

    The review page has a port of its own (review.port): docs/review.md. docs/webhooks.md tells more.
    """
    from mlc_dagster.systems import configuration
    from mlc_dagster.web.serve import serve as serve_webhooks

    settings = configuration.load(settings_file.environment().config)

    def flows() -> list[Flow]:
        """Of the month end: what is on, as Dagster has it; asked for with the first page that needs it."""
        from mlc_dagster.orchestration.automation.replaying import flows_on

        return list(flows_on(settings).values())

    serve_webhooks(settings, port, flows)
