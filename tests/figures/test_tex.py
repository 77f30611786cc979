"""Tables as LaTeX takes them."""

import pandas as pd

from splitshare.figures.style import in_tex, save_table


def test_special_characters_of_a_caption_are_escaped(tmp_path):
    assert in_tex("x86_64, 5 % & {more} #1 $2") == r"x86\_64, 5 \% \& \{more\} \#1 \$2"
    table = pd.DataFrame({"link": ["a->b"], "seconds": [1 / 3]})
    save_table(table, tmp_path, "links", caption="On Linux x86_64.")
    text = (tmp_path / "links.tex").read_text()
    assert r"On Linux x86\_64." in text
    assert r"a$\rightarrow$b & 0.3333" in text
    assert (tmp_path / "links.csv").read_text().splitlines()[1].startswith("a->b,0.333333")
