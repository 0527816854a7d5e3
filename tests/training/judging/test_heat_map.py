"""`training/judging/heat_map.py`."""

from io import BytesIO

from training.judging.heat_map import LABEL_LETTERS, heat_map


def around(tau: float) -> dict[str, float]:
    return {"kendall_tau_b": tau, "kendall_tau_b_low": tau - 0.1, "kendall_tau_b_high": tau + 0.1}


def test_every_value_stands_in_its_cell() -> None:
    taus = {("a", "x"): 0.1, ("a", "y"): 0.2, ("b", "x"): 0.3, ("b", "y"): -0.4}
    axes = heat_map({names: around(tau) for names, tau in taus.items()}, "kendall_tau_b", "Tau").axes[0]
    assert [one.get_text() for one in axes.get_xticklabels()] == ["x", "y"]
    assert [one.get_text() for one in axes.get_yticklabels()] == ["a", "b"]
    cells = {text.get_position(): text.get_text() for text in axes.texts}  # (column, row)
    assert cells[0, 1] == "0.300\n0.200 to 0.400"
    assert cells[1, 0] == "0.200\n0.100 to 0.300"
    (image,) = axes.get_images()
    colours = image.get_array()
    assert colours is not None
    assert colours.tolist() == [[0.1, 0.2], [0.3, -0.4]]


def test_a_long_name_leaves_room_for_the_cells() -> None:
    figure = heat_map({("/a/folder" * 30, "an-llm" * 30): around(0.5)}, "kendall_tau_b", "Tau")
    figure.savefig(BytesIO())  # matplotlib would warn
    (label,) = [one.get_text() for one in figure.axes[0].get_yticklabels()]
    assert label == "…" + ("/a/folder" * 30)[-LABEL_LETTERS + 1 :]
