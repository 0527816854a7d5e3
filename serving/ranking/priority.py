"""From arrival, patience and quantile to the integer that vLLM sorts its waiting requests by (lower = sooner). Pure."""

MICROSECONDS = 1_000_000


def priority(arrival_us: int, patience_s: float, quantile: float) -> int:
    """Place in the queue: lower goes sooner, and vLLM breaks ties by its own arrival time.

    Among requests that wait together none is overtaken by one that arrived more than `patience_s` later. A patience of
    zero is first-come-first-served; a large one approaches shortest-first.

    Args:
        arrival_us: when the request's body was complete; above 0.
        patience_s: how much later a request may arrive and still overtake; at least 0.
        quantile: how long the answer is predicted to be among all answers, 0 to 1.
    """
    assert arrival_us > 0, arrival_us
    assert patience_s >= 0, patience_s
    assert 0 <= quantile <= 1, quantile
    return arrival_us + round(round(patience_s * MICROSECONDS) * quantile)
