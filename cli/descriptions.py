"""Commands that say what is in a file."""

import json
from dataclasses import asdict

from traffic.describe import DescribeConfig, describe_log


def describe(config: DescribeConfig) -> str:
    """Say what a training would understand of a log."""
    return json.dumps(asdict(describe_log(config)), indent=2)
