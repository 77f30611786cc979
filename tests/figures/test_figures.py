"""Figures and tables: what they say is recomputed, and they come out the same twice."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from splitshare.catalog.loader import load_catalog
from splitshare.config import Config
from splitshare.errors import InputError, WorkError
from splitshare.figures.inputs import Inputs
from splitshare.figures.latency_by_method import latency_table
from splitshare.figures.measured_testbeds import check_measured
from splitshare.figures.registry import figures as declared
from splitshare.profiling.records import ModuleDescription, ModuleDescriptions, Work
from splitshare.results.claim import counted_verdict, saving_verdict
from splitshare.results.memory import model_memory, shared_bytes, split_bytes, workload_memory
from splitshare.results.timeline import timeline_table
from splitshare.stages import figures

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"
CONFIG = ROOT / "config/config.yaml"


def description(name, kind, parameters, embedding=0):
    return ModuleDescription(
        module=name,
        architecture=name.partition("@")[0],
        kind=kind,
        dtype="float32",
        parameters=parameters,
        embedding_parameters=embedding,
        parameter_bytes=4 * parameters,
        definition_sha256="0" * 64,
        work=(Work(batch=1, flops=1, input_bytes=1, output_bytes=1),),
    )


@pytest.fixture
def catalog():
    return load_catalog(DATA)


@pytest.fixture
def descriptions(catalog):
    """Round parameter counts: 80 M vision, 60 M text (25 M of it embedding), 85 M audio, nothing in the heads."""
    sizes = {"vision-encoder": (80_000_000, 0), "text-encoder": (60_000_000, 25_000_000)}
    sizes |= {"audio-encoder": (85_000_000, 0), "head": (0, 0), "decoder": (0, 0)}
    modules = [description(n, m.architecture.kind, *sizes[m.architecture.kind]) for n, m in catalog.modules().items()]
    return ModuleDescriptions(schema_="splitshare.module-descriptions/1", modules=tuple(modules))


def test_split_saving_is_one_minus_largest_over_whole(catalog, descriptions):
    table = model_memory(catalog, descriptions).set_index(["model", "counting"])["saving"]
    assert table["CLIP ViT-B/16", "all parameters"] == pytest.approx(1 - 80 / 140)
    assert table["CLIP ViT-B/16", "without token embedding"] == pytest.approx(1 - 80 / 115)
    assert table["Audio-image-text alignment on ViT-B/16", "all parameters"] == pytest.approx(1 - 85 / 225)


def test_shared_saving_counts_each_module_once(catalog, descriptions):
    table = workload_memory(catalog, descriptions, ["clip-vit-b16", "four-tasks"])
    saving = table.set_index(["workload", "counting"])["saving"]
    assert saving["CLIP ViT-B/16 alone", "all parameters"] == 0
    # Retrieval 140, VQA 140, alignment 225, classification 80; shared: one vision, one text, one audio.
    assert saving["Retrieval, VQA, alignment, classification", "all parameters"] == pytest.approx(1 - 225 / 585)


def test_savings_in_bytes_stand_beside_those_in_parameters(catalog, descriptions):
    half = ModuleDescriptions(
        schema_="splitshare.module-descriptions/1",
        modules=tuple(
            m.model_copy(update={"parameter_bytes": 2 * m.parameters}) if m.kind == "vision-encoder" else m
            for m in descriptions.modules
        ),
    )
    split = split_bytes(catalog, half).set_index("model").loc["CLIP ViT-B/16"]
    assert split["whole_bytes"] == 2 * 80_000_000 + 4 * 60_000_000
    assert split["saving"] == pytest.approx(1 - 240 / 400)  # the text encoder is the larger one now
    assert split["saving_all_parameters"] == pytest.approx(1 - 80 / 140)
    shared = shared_bytes(catalog, half, ["four-tasks"]).iloc[0]
    assert shared["unshared_bytes"] == 4 * 160_000_000 + 3 * 240_000_000 + 340_000_000
    assert shared["saving"] == pytest.approx(1 - (160 + 240 + 340) / (4 * 160 + 3 * 240 + 340))
    assert shared["saving_without_token_embedding"] > 0


@pytest.mark.parametrize(
    ("measured", "paper", "verdict"),
    [
        (0.62, 0.62, "reproduced"),
        (0.6249, 0.62, "reproduced"),
        (0.6251, 0.62, "exceeded"),
        (0.6151, 0.62, "reproduced"),
        (0.6149, 0.62, "partly"),
        (0.31, 0.62, "partly"),
        (0.30, 0.62, "not reproduced"),
    ],
)
def test_verdict_on_a_saving(measured, paper, verdict):
    assert saving_verdict(measured, paper) == verdict


@pytest.mark.parametrize(
    ("optimal", "instances", "verdict"),
    [
        *((89, 95, "reproduced"), (88, 95, "not reproduced"), (90, 95, "exceeded"), (178, 190, "reproduced")),
        *((12, 12, "partly"), (11, 12, "not reproduced")),
    ],
)
def test_verdict_on_optimality(optimal, instances, verdict):
    assert counted_verdict(optimal, instances, 89, 95) == verdict


def test_latency_table_keeps_order_and_shows_what_does_not_fit():
    rows = [
        ("b", "y", "optimum-highs", 1.0),
        ("b", "y", "optimum-gurobi", 1.0),
        ("b", "y", "local", None),
        ("a", "y", "optimum-highs", 2.0),
        ("a", "y", "local", 3.0),
    ]
    table = latency_table(pd.DataFrame(rows, columns=["workload", "testbed", "method", "objective_s"]))
    assert list(table["workload"]) == ["b", "a"]
    assert list(table.columns) == ["testbed", "workload", "optimum_s", "local_s"]
    assert table["local_s"].isna().tolist() == [True, False]


def test_timeline_takes_the_first_request_of_each_class_from_its_arrival():
    stages = pd.DataFrame(
        {
            "request_id": [0, 0, 1, 2],
            "request": ["k", "k", "k", "other"],
            "stage": ["input", "encode", "encode", "encode"],
            "module": "m",
            "device": [None, "d", "d", "d"],
            "link": ["s->d", None, None, None],
            "ready_s": [5.0, 6.0, 7.0, 9.0],
            "start_s": [5.0, 6.5, 8.0, 9.5],
            "finish_s": [6.0, 8.0, 9.5, 11.0],
        }
    )
    table = timeline_table(stages)
    assert table[["request", "lane", "start_s", "finish_s"]].to_numpy().tolist() == [
        ["k", "s->d", 0.0, 1.0],
        ["k", "d", 1.5, 3.0],
        ["other", "d", 0.5, 2.0],
    ]


@pytest.fixture
def run_directory(tmp_path, descriptions):
    descriptions.write(tmp_path / "modules.json")
    return tmp_path


def test_a_figure_comes_out_byte_for_byte_the_same(run_directory):
    written = []
    for name in ("one", "two"):
        output = run_directory / name
        figures.run(
            figures.Options(names=["memory"], results=run_directory, config=CONFIG, catalog_root=DATA, output=output)
        )
        written.append({path.name: path.read_bytes() for path in sorted(output.iterdir())})
    assert written[0] == written[1]
    assert set(written[0]) == set(declared()["memory"].files())
    assert written[0]["memory_split.pdf"].startswith(b"%PDF")
    assert b"CreationDate" not in written[0]["memory_split.pdf"]


def test_what_breaks_the_rules_of_style_is_drawn_and_refused_where_that_is_asked(run_directory, monkeypatch):
    def options(output: str, strict: bool) -> figures.Options:
        paths = {"results": run_directory, "output": run_directory / output}
        return figures.Options(names=["memory"], config=CONFIG, catalog_root=DATA, strict=strict, **paths)

    figures.run(options("kept", strict=True))
    monkeypatch.setattr("splitshare.figures.style.faults", lambda figure: ["is too bold"])
    figures.run(options("lenient", strict=False))
    with pytest.raises(WorkError, match="memory_split: is too bold"):
        figures.run(options("strict", strict=True))
    drawn = [
        {path.name: path.read_bytes() for path in (run_directory / name).iterdir()}
        for name in ("kept", "lenient", "strict")
    ]
    assert drawn[0] == drawn[1] == drawn[2]


@pytest.mark.parametrize(
    ("name", "complaint"), [("memry", "did you mean 'memory'"), ("latency", "placements.csv: is missing")]
)
def test_what_cannot_be_drawn_is_told(run_directory, name, complaint):
    with pytest.raises(InputError, match=complaint):
        figures.run(
            figures.Options(
                names=[name], results=run_directory, config=CONFIG, catalog_root=DATA, output=run_directory / "out"
            )
        )
    assert not (run_directory / "out").exists()


@pytest.mark.parametrize(
    ("testbeds", "right"), [(["measured-edge", "measured-server"], True), (["laptop-jetson"], False)]
)
def test_only_what_was_measured_is_called_measured(testbeds, right):
    fields = yaml.safe_load(CONFIG.read_text())
    fields["measured"]["testbeds"] = testbeds
    inputs = Inputs(declared()["measured-testbeds"], ROOT, Config.parse(fields, "x"), load_catalog(DATA))
    if right:
        check_measured(inputs)
        return
    times = "assumed and derived and published"
    told = rf"measured.testbeds\[0\]: 'laptop-jetson' has 'laptop-i7-12700h', whose times are {times}"
    with pytest.raises(InputError, match=told):
        check_measured(inputs)
