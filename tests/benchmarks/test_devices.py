"""Every tensor goes to the chosen device and back."""

from pathlib import Path
from typing import Any

import pytest
import torch

from splitshare.benchmarks.accuracy import ARRANGEMENTS
from splitshare.benchmarks.answering import Answering
from splitshare.benchmarks.arrangements import Arranger, OnDevice
from splitshare.benchmarks.weights import Weights
from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Model
from splitshare.modules.base import SplitModule
from splitshare.modules.build import build_module, example_inputs
from tests.modules.small import small_catalogue

MODELS = ["clip-rn50", "clip-vit-b16", "vqa-vit-b16", "llava-7b", "align-vit-b16", "caption-vit-gpt2", "probe-vit-b16"]
PER_MODEL = {"clip-rn50": 3, "clip-vit-b16": 3, "align-vit-b16": 3}
"""Of models that compare with class prompts, the classes."""


class RandomWeights(Weights):
    """Of heads that nobody has published, too."""

    def module(self, name: str) -> SplitModule:
        return build_module(self.catalog.module(name))


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return small_catalogue(tmp_path / "data")


def requests(catalog: Catalog, model: Model) -> tuple[dict[str, torch.Tensor], torch.Tensor | None]:
    """Inputs of two requests on the CPU, and embeddings of classes."""
    inputs: dict[str, torch.Tensor] = {}
    for role, ref in model.modules().items():
        shared = catalog.module(ref.module)
        given = example_inputs(shared, build_module(shared), 2)
        inputs |= {name: tensor for name, tensor in given.items() if name == ("prompt" if role == "head" else role)}
    classes = PER_MODEL.get(model.name)
    if classes is None:
        return inputs, None
    (text,) = (encoder for encoder in model.encoders if encoder.role == "text")
    shared = catalog.module(text.module)
    tower = build_module(shared)
    first = next(role for role in ("audio", "vision") if role in inputs)
    return {first: inputs[first]}, tower(example_inputs(shared, tower, classes))


def given(answering: Answering, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Inputs as an arrangement takes them: embeddings of the roles of which it keeps these."""
    kept = {role: answering.embed(role, tensor) for role, tensor in inputs.items() if role in answering.kept_roles}
    return inputs | kept


@pytest.mark.parametrize("name", MODELS)
def test_nothing_is_left_behind(catalog: Catalog, elsewhere: str, name: str):
    model = catalog.model(name)
    here = Arranger(catalog, RandomWeights(catalog, "random"), torch.device("cpu"))
    there = Arranger(catalog, RandomWeights(catalog, "random"), torch.device(elsewhere))
    inputs, prompts = requests(catalog, model)
    # A whole decoder is transformers' own, which reads values as it goes on.
    decodes = catalog.architectures[model.head.architecture].kind == "decoder"
    for arrangement in ARRANGEMENTS[1:] if decodes else ARRANGEMENTS:
        with torch.inference_mode():
            own, answering = here.arrange(model, arrangement), there.arrange(model, arrangement)
            expected = own.scores(given(own, inputs), prompts)
            scores = answering.scores(given(answering, inputs), prompts)
            assert (scores.device.type, scores.shape) == ("cpu", expected.shape)
            assert isinstance(answering, OnDevice)
            with pytest.raises((RuntimeError, NotImplementedError)):
                answering.answering.scores(
                    given(own, inputs), prompts
                )  # the check itself: what is not moved is refused


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", MODELS)
def test_in_another_precision_the_same_weights_answer_nearly_the_same(catalog: Catalog, precision: Any, name: str):
    model = catalog.model(name)
    inputs, prompts = requests(catalog, model)
    weights = RandomWeights(catalog, "random")
    own = Arranger(catalog, weights, torch.device("cpu"))
    precise = Arranger(catalog, weights, torch.device("cpu"), precision)
    for arrangement in ARRANGEMENTS:
        with torch.inference_mode():
            arranged = [arranger.arrange(model, arrangement) for arranger in (own, precise)]
            a, b = (answering.scores(given(answering, inputs), prompts) for answering in arranged)
        assert a.shape == b.shape
        assert 0 < (a - b.float()).abs().max() <= 0.1 * a.abs().max()
