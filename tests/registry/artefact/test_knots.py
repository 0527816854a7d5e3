"""Lines through knots, without an array for each request."""

import numpy as np

from registry.artefact.knots import interpolated


def test_a_place_between_knots_is_numpys_to_the_last_bit() -> None:
    drawn = np.random.default_rng(0)
    knots, values = (tuple(np.unique(drawn.uniform(1, 9, 50)).tolist()) for _ in range(2))
    for at in (0.0, 10.0, *knots, *drawn.uniform(knots[0], knots[-1], 1000)):
        assert interpolated(at, knots, values) == float(np.interp(at, knots, values))
