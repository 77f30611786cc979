"""The studies around the placements, on a made-up catalogue whose numbers can be worked out by hand."""

from dataclasses import replace

import pandas as pd
import pytest
import yaml

from splitshare.config import Config
from splitshare.errors import InputError, WorkError
from splitshare.placement.algorithms.optimum import Optimum
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.instance import PlacementInstance
from splitshare.stages import ablation, cloud_grid, prompt_cache, solve
from tests.conftest import ROOT
from tests.placement import judge
from tests.placement.tiny_catalogue import DESCRIPTIONS, profile, write_catalogue


def pair_of(name: str, link: dict[str, float], **devices: dict[str, object]) -> dict[str, object]:
    first, second = devices
    return {
        "schema": "splitshare.testbed/1",
        "name": name,
        "title": name,
        "devices": [{"name": n} | fields for n, fields in devices.items()],
        "links": [{"a": first, "b": second} | link],
        "source": first,
    }


SLOW = {"latency_s": 0.5, "bandwidth_bytes_per_s": 10.0}
ROOMY: dict[str, object] = {"models_memory_bytes": 600}
TESTBEDS = [
    pair_of("home", SLOW, pi=ROOMY | {"device_type": "small"}, pc=ROOMY | {"device_type": "big"}),
    pair_of("away", SLOW, pi=ROOMY | {"device_type": "small"}, cloud=ROOMY | {"device_type": "big", "tier": "cloud"}),
]


@pytest.fixture
def files(tmp_path):
    """Arguments that the studies share: catalogue, descriptions and profiles on disk."""
    write_catalogue(tmp_path / "data")
    (tmp_path / "data" / "testbeds").mkdir()
    for fields in TESTBEDS:
        (tmp_path / "data" / "testbeds" / f"{fields['name']}.yaml").write_text(yaml.safe_dump(fields))
    DESCRIPTIONS.write(tmp_path / "modules.json")
    small = profile("small", see=1.0, read=2.0, match=0.1, answer=0.2, read_3=6.0, memory_bytes=1000)
    big = profile("big", see=0.1, read=0.2, match=0.01, answer=0.02, read_3=0.6, memory_bytes=1000)
    for made in (small, big):
        made.write(tmp_path / f"{made.device.name}.json")
    return {
        "catalog_root": tmp_path / "data",
        "descriptions": tmp_path / "modules.json",
        "profiles": [tmp_path / "small.json", tmp_path / "big.json"],
        "output": tmp_path / "out.csv",
    }


@pytest.fixture
def config(tmp_path):
    """The default configuration with the made-up workload and testbeds."""
    fields = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    fields = {k: v for k, v in fields.items() if not k.startswith("local_") and k not in ("embedded", "emulation")}
    fields |= {"workloads": ["talk", "both"], "testbeds": ["home"], "sharing_workload": "both"}
    fields["replay"] |= {"workload": "talk", "testbed": "home"}
    fields["cloud"] = {
        "edge_testbed": "home",
        "cloud_testbed": "away",
        "round_trips_s": [0.05, 1.0],
        "bandwidths_bytes_per_s": [100.0, 1e9],
        "speeds": [1.0, 2.0],
        "stated": {"round_trip_s": 0.05, "bandwidth_bytes_per_s": 100.0, "speed": 1.0},
    }
    fields["measured"] = {
        "testbeds": ["home"],
        "workloads": ["talk"],
        "clouds": [
            {"edge_testbed": "away", "cloud_testbed": "away"},
            {"edge_testbed": "home", "cloud_testbed": "away"},
        ],
    }
    Config.parse(fields, "test").write(tmp_path / "config.json")
    return tmp_path / "config.json"


@pytest.fixture
def grids(files, config, tmp_path):
    cloud_grid.run(cloud_grid.Options(config=config, **files | {"output": tmp_path / "grids"}))
    return [pd.read_csv(tmp_path / "grids" / f"cloud_{name}.csv") for name in ("grid", "pairs", "readings")]


def test_other_edges_and_clouds_are_read_at_the_stated_cell(grids):
    grid, pairs, _ = grids
    assert pairs["workload"].tolist() == ["talk", "talk"]
    assert pairs["edge_testbed"].tolist() == ["away", "home"]
    stated = grid.query("workload == 'talk' and round_trip_s == 0.05 and bandwidth_bytes_per_s == 100 and speed == 1")
    assert pairs.iloc[1].to_dict() == stated.iloc[0].to_dict()


def test_the_stated_cell_is_read_by_greedy_and_optimum_with_prompts_and_without(grids):
    grid, _, readings = grids
    stated = grid.query("round_trip_s == 0.05 and bandwidth_bytes_per_s == 100 and speed == 1").set_index("workload")
    by = readings.set_index(["workload", "method", "prompts"]).sort_index()
    assert len(by) == 2 * 2 * 2
    for workload in ("talk", "both"):
        own = by.loc[(workload, "s2m3-greedy", "encoded")]
        assert own["edge_s"] == stated.loc[workload, "edge_s"]
        assert own["cloud_s"] == stated.loc[workload, "cloud_s"]
        for prompts in ("encoded", "cached"):
            greedy, optimum = (by.loc[(workload, method, prompts)] for method in ("s2m3-greedy", "optimum"))
            assert optimum["edge_s"] <= greedy["edge_s"]
            assert optimum["cloud_s"] == greedy["cloud_s"] <= own["cloud_s"]


def test_without_measured_testbeds_there_are_no_pairs(files, config, tmp_path):
    fields = Config.read(config).model_dump(mode="json", by_alias=True) | {"measured": None}
    Config.parse(fields, "test").write(config)
    cloud_grid.run(cloud_grid.Options(config=config, **files | {"output": tmp_path / "grids"}))
    assert len(pd.read_csv(tmp_path / "grids" / "cloud_pairs.csv")) == 0


def test_the_grid_is_the_edge_and_the_cloud_by_hand(grids):
    table = grids[0]
    assert len(table) == 2 * 2 * 2 * 2
    talk = table[table["workload"] == "talk"].to_dict("records")
    # The edge: all at the source, for its link takes longer: see 1, read 2, answer 0.2.
    assert [row["edge_s"] for row in talk] == pytest.approx([3.2 / row["speed"] for row in talk])
    # The cloud: the question's 30 bytes are there first and read in 0.2 s, the image's 600 bytes are seen in 0.1 s when
    # both have come and it is free; answer 0.02 s, 20 bytes back.
    for row in talk:
        way, bandwidth = row["round_trip_s"] / 2, row["bandwidth_bytes_per_s"]
        read_s = way + 30 / bandwidth + 0.2
        seen_s = max(read_s, way + 600 / bandwidth) + 0.1
        assert row["cloud_s"] == pytest.approx(seen_s + 0.02 + way + 20 / bandwidth)
    assert table["reduction"].to_list() == pytest.approx((1 - table["edge_s"] / table["cloud_s"]).to_list(), abs=1e-8)
    assert (table["reduction"] > 0).any()
    assert (table["reduction"] < 0).any()
    assert table.groupby("workload")["models"].first().to_dict() == {"talk": 1, "both": 2}


def test_cached_prompts_save_their_encoding(files):
    testbeds = [files["catalog_root"] / "testbeds" / "home.yaml"]
    prompt_cache.run(prompt_cache.Options(**files, workloads=["talk", "both"], testbeds=testbeds))
    table = pd.read_csv(files["output"])
    # The talker has no class prompts. All at the source: see 1, read 3 x 2, match 0.1 against see 1, match 0.1; the
    # talker's 3.2 stay.
    assert table["workload"].to_list() == ["both"]
    row = table.iloc[0]
    assert row["encoded_optimum_s"] == pytest.approx((7.1 + 3.2) / 2)
    assert row["cached_optimum_s"] == pytest.approx((1.1 + 3.2) / 2)
    assert row["saved"] == pytest.approx(1 - 4.3 / 10.3)
    assert row["cached_greedy_s"] >= row["cached_optimum_s"] * (1 - 1e-8)


def test_without_class_prompts_there_is_nothing_to_save(files):
    testbeds = [files["catalog_root"] / "testbeds" / "home.yaml"]
    prompt_cache.run(prompt_cache.Options(**files, workloads=["talk"], testbeds=testbeds))
    table = pd.read_csv(files["output"])
    assert len(table) == 0
    assert {"workload", "cached_optimum_s", "saved"} <= set(table)


def hand_made(name: str, head_far_s: float) -> PlacementInstance:
    """An encoder and a head on two devices; how fast the far one is decides which readings go wrong."""
    module = {"kind": "module", "memory_bytes": 10, "output_bytes": 0}
    return PlacementInstance.parse(
        {
            "schema": "splitshare.placement-instance/1",
            "name": f"{name}.hand",
            "objective": "mean",
            "devices": [{"name": n, "memory_bytes": 100} for n in ("near", "far")],
            "links": [{"a": "near", "b": "far", "latency_s": 0.2, "bandwidth_bytes_per_s": 1e9}],
            "modules": [
                module | {"name": "encoder", "compute_s": {"near": 2.0, "far": 9.0}},
                module | {"name": "head", "compute_s": {"near": 0.45, "far": head_far_s}},
            ],
            "requests": [
                {
                    "name": "k",
                    "task": "t",
                    "model": "m",
                    "source": "near",
                    "rate_per_s": 1,
                    "encoders": [{"module": "encoder", "input_bytes": 0}],
                    "head": "head",
                    "result_bytes": 0,
                }
            ],
        },
        name,
    )


@pytest.fixture
def solved(tmp_path):
    """Instance files, and the placements that prove their optima."""
    paths = []
    for instance in (hand_made("fooled", 0.1), hand_made("steady", 9.0)):
        paths.append(tmp_path / f"{instance.name}.json")
        instance.write(paths[-1])
    directory = tmp_path / "placements" / "optimum-highs"
    directory.mkdir(parents=True)
    solve.run(solve.Options(paths, algorithms=["optimum"], solver="highs", seed=0, time_limit_s=None, output=directory))
    return {
        "instances": paths,
        "placements": tmp_path / "placements",
        "optimum": "optimum-highs",
        "output": tmp_path / "ablation.csv",
    }


def test_every_reading_is_held_against_the_optimum(solved):
    ablation.run(ablation.Options(**solved))
    table = pd.read_csv(solved["output"])
    parameters = ["order", "transfer_aware", "load_aware", "tie_break"]
    assert len(table) == len(table[parameters].drop_duplicates()) == 3 * 2 * 2 * 3
    assert table["ours"].to_list() == [True] + [False] * 35
    instances = [PlacementInstance.read(path) for path in solved["instances"]]
    for row in table.to_dict("records"):
        greedy = S2M3Greedy(**{name: row[name] for name in parameters})
        gaps = []
        for instance in instances:
            placed = greedy.place(instance, seed=0, time_limit=None)
            best = judge.optimum(instance)
            assert placed is not None
            assert best is not None
            gaps.append(judge.worth(instance, placed) / best - 1)
        assert (row["instances"], row["placed"], row["optimal"]) == (2, 2, sum(gap <= 1e-6 for gap in gaps))
        assert (row["mean_gap"], row["worst_gap"]) == pytest.approx((sum(gaps) / 2, max(gaps)), abs=1e-8)
    # Ours keeps the head near, 2.45 s; the reading that forgets the way to it answers in 2 + 0.2 + 0.1 + 0.2.
    by_transfer = table[~table["load_aware"]].groupby("transfer_aware")
    assert by_transfer["optimal"].max().to_dict() == {True: 2, False: 1}
    assert by_transfer["worst_gap"].min()[False] == pytest.approx(2.5 / 2.45 - 1)


def test_an_optimum_that_is_not_proved_is_refused(solved):
    directory = solved["placements"] / "optimum-highs"
    solve.run(
        solve.Options(
            solved["instances"], algorithms=["s2m3-greedy"], solver=None, seed=0, time_limit_s=None, output=directory
        )
    )
    with pytest.raises(InputError, match="status: is not 'optimal'"):
        ablation.run(ablation.Options(**solved))
    assert not solved["output"].exists()


class Stopped(Optimum):
    """An optimum that was stopped before its proof."""

    def place(self, instance, *, seed, time_limit):
        answer = super().place(instance, seed=seed, time_limit=time_limit)
        return replace(answer, status="time_limit")


def test_an_optimum_that_was_not_proved_is_no_result(files, monkeypatch):
    monkeypatch.setattr(prompt_cache, "Optimum", Stopped)
    testbeds = [files["catalog_root"] / "testbeds" / "home.yaml"]
    with pytest.raises(WorkError, match="optimum ends with time_limit, which proves nothing"):
        prompt_cache.run(prompt_cache.Options(**files, workloads=["both"], testbeds=testbeds))
