"""The only Dagster code: assets, checks, resources, partitions, automation, storage, reports."""

import warnings

import dagster as dg

# Backfill policies and partitioned checks are what this is built on; Dagster warns of each use of them.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
