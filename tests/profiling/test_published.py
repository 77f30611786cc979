from pathlib import Path

import pandas as pd
import pytest

from splitshare.errors import InputError
from splitshare.profiling.published import COLUMNS, LATENCY_COLUMNS, read_published

DATA = Path(__file__).parents[2] / "data"
TABLE = DATA / "published" / "timm_image_towers.csv"
HEADER = ",".join(COLUMNS)
ROW = "resnet50_clip,224,38.32,6.14,45.907,19.223,2532.71,1024"


def test_every_latency_is_the_published_one():
    table = read_published(TABLE)
    frame = pd.read_csv(TABLE, dtype=str).set_index("model")
    assert list(table.by_model) == list(frame.index)
    for model, row in frame.iterrows():
        for column in LATENCY_COLUMNS:
            assert f"{table.latency_s(str(model), column) * 1e3:.3f}" == f"{float(row[column]):.3f}"
        assert table.tower(str(model)).flops == pytest.approx(2 * float(row["gmacs"]) * 1e9)


def test_unknown_model_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'resnet50_clip'"):
        read_published(TABLE).tower("resnet50-clip")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "line 1: the header must be model,"),
        (f"{HEADER}\n", "has no rows"),
        (f"{HEADER.replace('gmacs', 'macs')}\n{ROW}\n", "line 1: the header must be"),
        (f"{HEADER}\n{ROW},7\n", "line 2: has 9 cells instead of 8"),
        (f"{HEADER}\n{ROW}\n{ROW}\n", "line 3, model: 'resnet50_clip' is empty or stands twice"),
        (f"{HEADER}\n{ROW.replace('45.907', 'nan')}\n", "line 2, laptop_i7_12700h_fp32_batch1_ms: must be a number"),
        (f"{HEADER}\n{ROW.replace('45.907', '-45.907')}\n", "must be a number from 1e-09 to 1e+12, not '-45.907'"),
        (f"{HEADER}\n{ROW.replace('6.14', '')}\n", "line 2, gmacs: must be a number from 1e-09 to 1e+12, not ''"),
        (f'{HEADER}\n"{ROW}\n', "line 2: not valid CSV"),
    ],
)
def test_a_wrong_table_is_refused_in_one_line(tmp_path, text, expected):
    path = tmp_path / "towers.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_published(path)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
