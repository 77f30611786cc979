import copy
import json

import pytest

from splitshare.errors import InputError
from splitshare.onloading.instance import OnloadingInstance
from tests.onloading.examples import fields


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("clients", 0, "demand_per_s", "t0"), -1, "clients[0].demand_per_s.t0"),
        (("clients", 0, "demand_per_s"), {"t9": 1}, "unknown task 't9'"),
        (("clients", 0, "memory_bytes"), 0, "clients[0].memory_bytes"),
        (("servers", 0, "memory_bytes"), 0, "servers[0].memory_bytes"),
        (("clients", 0, "server"), "s9", "unknown server 's9'"),
        (("clients", 1, "name"), "c0", "stands twice"),
        (("clients", 1, "name"), "s0", "a server's name too"),
        (("clients", 0, "device"), "phone", "unknown device class 'phone'"),
        (("models", 0, "accuracy"), {"t0": 1.2}, "models[0].accuracy.t0"),
        (("models", 0, "memory_bytes"), "10", "models[0].memory_bytes"),
        (("models", 1, "compute", "edge", "per_query_s"), 0, "per_query_s"),
        (("batches",), [{"size": 2, "wait_s": 0.1}], "must be 1"),
        (("batches",), [{"size": 1, "wait_s": 0.0}, {"size": 4, "wait_s": 0.0}], "takes time to fill"),
        (("batches",), [{"size": 1, "wait_s": 0.1}], "waits for nobody"),
        (("tasks", 0, "latency_limit_s"), 0, "tasks[0].latency_limit_s"),
        (("cloud", "compute_limit"), -0.1, "cloud.compute_limit"),
        (("clients",), [], "clients"),
        (("demands",), 1, "unknown key"),
    ],
)
def test_a_wrong_instance_is_refused_in_one_line(path, value, complaint):
    given = copy.deepcopy(fields())
    target = given
    for part in path[:-1]:
        target = target[part]
    target[path[-1]] = value
    with pytest.raises(InputError) as error:
        OnloadingInstance.parse(given, "instance.json")
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_a_task_that_no_model_serves_is_refused():
    given = fields()
    for model in given["models"]:
        model["accuracy"] = {"t0": 0.5}
    with pytest.raises(InputError, match=r"tasks\[1\].name: no model serves 't1'"):
        OnloadingInstance.parse(given, "instance.json")


def test_nobody_asking_is_refused():
    given = fields()
    for client in given["clients"]:
        client["demand_per_s"] = {"t0": 0}
    with pytest.raises(InputError, match="nobody asks anything"):
        OnloadingInstance.parse(given, "instance.json")


def test_nan_is_refused(tmp_path):
    text = json.dumps(fields()).replace('"backhaul_latency_s": 0.02', '"backhaul_latency_s": NaN')
    (tmp_path / "instance.json").write_text(text)
    with pytest.raises(InputError, match="NaN is not a JSON number"):
        OnloadingInstance.read(tmp_path / "instance.json")


def test_an_instance_survives_the_file(tmp_path):
    instance = OnloadingInstance.parse(fields(batching=True), "x")
    instance.write(tmp_path / "instance.json")
    again = OnloadingInstance.read(tmp_path / "instance.json")
    assert again == instance
    assert again.sha256() == instance.sha256()
