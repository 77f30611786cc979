"""The rules of style: each is broken once, by a figure that keeps all others."""

from itertools import combinations

import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from splitshare.figures import palette
from splitshare.figures.sizes import BACKGROUND, COLUMN_WIDTH_IN, PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, watching
from splitshare.figures.style_rules import LEAST_CONTRAST, contrast, faults


def kept(width=COLUMN_WIDTH_IN):
    """A figure that keeps the rules, and its axes."""
    figure = Figure(figsize=(width, 2.0))
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="#0072b2", label="one")
    axes.plot([0, 1], [1, 0], color="#b86a00", linestyle="--", label="two")
    axes.set_xlabel("Time (s)")
    return figure, axes


@pytest.mark.parametrize("width", [COLUMN_WIDTH_IN, PAGE_WIDTH_IN])
def test_a_figure_that_keeps_the_rules(width):
    with paper_style():
        figure, axes = kept(width)
        axes.legend()
        axes.axvspan(0.2, 0.4, color="0.9", gid=BACKGROUND)
        assert faults(figure) == []


def small_type(axes):
    axes.text(0.5, 0.8, "small", size=6)


def large_type(axes):
    axes.set_title("large", size=10)


def cut(axes):
    axes.figure.text(0.95, 0.5, "beyond the edge of it")


def over(axes):
    axes.text(0.5, 0.8, "one text")
    axes.text(0.52, 0.81, "another")


def pale_line(axes):
    axes.plot([0, 1], [0.5, 0.5], color="#ece133")


def pale_by_alpha(axes):
    axes.plot([0, 1], [0.5, 0.5], color="#0072b2", alpha=0.2)


def pale_bar(axes):
    axes.bar([0.5], [0.5], color="#fbafe4")


def pale_dots(axes):
    axes.scatter([0.5], [0.5], color="#56e4e9")


def dark_on_dark(axes):
    axes.bar([0.5], [0.9], width=0.8, color="#0b3c5d")
    axes.text(0.5, 0.4, "in it", color="black")


def dark_on_a_dark_cell(axes):
    axes.clear()
    axes.imshow([[0.0, 1.0]], cmap="Greys")
    axes.text(1.0, 0.0, "dark", color="black")


def alike_in_grey(axes):
    axes.plot([0, 1], [0.2, 0.2], color="#008060", label="three")
    axes.legend()


def bars_alike_in_grey(axes):
    axes.legend(handles=[Patch(color="#0072b2", label="a"), Patch(color="#008060", label="b")])


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (small_type, "'small' has 6 points, not 7 to 9"),
        (large_type, "'large' has 10 points, not 7 to 9"),
        (cut, "'beyond the edge of it' is cut at the figure's edge by "),
        (over, "'another' lies over 'one text'"),
        (pale_line, "a mark has a contrast of 1.4:1 to white"),
        (pale_by_alpha, "a mark has a contrast of 1.3:1 to white"),
        (pale_bar, "a mark has a contrast of 1.7:1 to white"),
        (pale_dots, "a mark has a contrast of 1.5:1 to white"),
        (dark_on_dark, "'in it' has a contrast of 1.8:1 to what is behind it"),
        (dark_on_a_dark_cell, "'dark' has a contrast of 1.0:1 to what is behind it"),
        (alike_in_grey, "'one' and 'three' look alike in grey"),
        (bars_alike_in_grey, "'a' and 'b' look alike in grey"),
    ],
)
def test_what_breaks_a_rule_is_told(spoil, told):
    with paper_style():
        figure, axes = kept()
        spoil(axes)
        (fault,) = faults(figure)
    assert fault.startswith(told)


def test_another_width_is_told():
    with paper_style():
        assert faults(kept(5.0)[0]) == ["is 5.00 in wide: 3.4 (a column) or 7.0 (a page) are the widths"]


def test_contrast_is_that_of_the_web_s_rule():
    black, white, grey = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0x76 / 255,) * 3
    assert contrast(black, white) == pytest.approx(21)
    assert contrast(grey, white) == contrast(white, grey) == pytest.approx(4.54, abs=0.005)  # the known AA grey


def test_only_who_watches_is_told(tmp_path):
    with paper_style():
        save_figure(kept(5.0)[0], tmp_path, "wide")
        with watching() as told:
            save_figure(kept(5.0)[0], tmp_path, "wide")
            save_figure(kept()[0], tmp_path, "kept")
    assert told == ["wide: is 5.00 in wide: 3.4 (a column) or 7.0 (a page) are the widths"]


def test_methods_have_colours_of_their_own_that_stand_out():
    white = (1.0, 1.0, 1.0)
    for methods in (palette.METHODS, palette.ONLOADING_METHODS):
        colours = [colour for _, colour in methods.values()]
        assert len(set(colours)) == len(colours)
        for colour in colours:
            assert contrast(to_rgb(colour), white) >= LEAST_CONTRAST
    lines = [line for _, line in palette.BASELINES.values()]
    looks = [(line["color"], str(line.get("linestyle")), line.get("linewidth")) for line in lines]
    assert all(one != other for one, other in combinations(looks, 2))
    # A colour that two tables of methods have is the same method's; what S2M3 shares is S2M3's.
    s2m3 = palette.METHODS["s2m3-greedy"][1]
    assert palette.BASELINES["s2m3-greedy"][1]["color"] == palette.MEMORY["shared"] == s2m3
    assert palette.METHODS["no-sharing"][1] == palette.MEMORY["split"]
    assert len(set(palette.MEMORY.values())) == len(palette.MEMORY)
