"""Commands that take any log and say what is in it."""

import json
from dataclasses import asdict

from traffic.describe import DescribeConfig, describe_log
from traffic.importing.import_log import ImportConfig
from traffic.importing.import_log import import_log as import_rows


def describe(config: DescribeConfig) -> str:
    """Say what a training would understand of a log."""
    return json.dumps(asdict(describe_log(config)), indent=2)


def import_log(config: ImportConfig) -> str:
    """Write a log as parquet of our own form."""
    return json.dumps(asdict(import_rows(config)), indent=2)
