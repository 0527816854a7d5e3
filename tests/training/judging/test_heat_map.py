"""`training/judging/heat_map.py`."""

from charts.picture import svg
from training.judging.heat_map import heat_map


def around(tau: float) -> dict[str, float]:
    return {"kendall_tau_b": tau, "kendall_tau_b_low": tau - 0.1, "kendall_tau_b_high": tau + 0.1}


def test_every_value_stands_in_its_cell() -> None:
    taus = {("a", "x"): 0.1, ("a", "y"): 0.2, ("b", "x"): 0.3, ("b", "y"): -0.4}
    cells = heat_map({names: around(tau) for names, tau in taus.items()}, "kendall_tau_b", "Tau").cells
    assert {(cell.row, cell.column): cell.value for cell in cells} == taus
    assert cells[2].text == "0.300\n0.200 to 0.400"


def test_it_says_what_it_shows() -> None:
    picture = svg(heat_map({("a", "x"): around(0.5)}, "kendall_tau_b", "Tau"))
    assert 'aria-label="Tau. kendall_tau_b with its 95 % interval: a on x 0.500, 0.400 to 0.600."' in picture
