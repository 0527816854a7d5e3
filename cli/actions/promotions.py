"""The command that lets a ranker through the gate."""

from loop.gate.config import GateConfig
from loop.gate.promote import promote as promote_through_gate


def promote(config: GateConfig) -> str:
    """Let a version through the gate and make it the champion."""
    return promote_through_gate(config)
