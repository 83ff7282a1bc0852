"""The whole product against the sandbox, without a credential: real Dagster runs, on the instance that the UI shows."""
