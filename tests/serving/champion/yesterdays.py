"""What a day that was looked back at has brought, made up."""

from serving.champion.yesterday_line import Yesterday

SAID = Yesterday(
    day="2026-11-26",  # type: ignore[arg-type]
    fcfs_ratio=3.4,
    fcfs_ratio_low=3.1,
    fcfs_ratio_high=3.7,
    simulated_over_measured=0.97,
    is_near=True,
    waiting_share=0.6,
    requests=12_000,
)
