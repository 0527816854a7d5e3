"""How well rankers order: metrics, intervals, comparisons, baselines."""
