"""Models of all families are cut where their files say, and answer in parts as they do whole."""

import pytest
import torch
from safetensors.torch import save_file
from torch.utils.flop_counter import FlopCounterMode

from splitshare.checkpoints.chain import check
from splitshare.checkpoints.cut import cut
from splitshare.checkpoints.families import load_families
from splitshare.checkpoints.inputs import seeded_inputs
from splitshare.checkpoints.operations import operations
from splitshare.checkpoints.source import load_checkpoint
from splitshare.errors import InputError, WorkError
from splitshare.places import DATA
from tests.checkpoints.tiny import MODELS, build, save
from tests.conftest import ROOT

FAMILIES = load_families(DATA)


def test_every_family_is_tried():
    assert {family.name for family in FAMILIES.values()} == {*MODELS, "vilt"}


@pytest.mark.parametrize("name", MODELS)
def test_every_tensor_is_in_one_module_and_the_chain_answers_like_the_whole(saved, name):
    checkpoint = load_checkpoint(str(saved[name]))
    found = cut(checkpoint, FAMILIES)
    assert found.family == name
    places = [place for module in found.modules for place in module.places.values()]
    assert sorted(places) == sorted(checkpoint.tensors), "each once"
    assert not checkpoint.missing
    assert not checkpoint.extra
    whole = {id(p): p.numel() for p in build(name).parameters()}
    buffers = sum(t.numel() for n, t in build(name).state_dict().items() if n in dict(build(name).named_buffers()))
    assert sum(module.parameters for module in found.modules) == sum(whole.values()) + buffers
    checked = check(found, FAMILIES)
    assert checked.agrees, checked.told
    assert checked.largest_difference == 0
    assert checked.sent_bytes > 0
    assert not checked.unused


@pytest.mark.parametrize("name", MODELS)
def test_by_the_general_rule_every_tensor_is_in_one_module_too(saved, name):
    checkpoint = load_checkpoint(str(saved[name]))
    found = cut(checkpoint, {})
    assert found.family is None
    places = [place for module in found.modules for place in module.places.values()]
    assert sorted(places) == sorted(checkpoint.tensors)
    assert len({module.name for module in found.modules}) == len(found.modules)


def test_the_general_rule_finds_sub_models_with_a_configuration_of_their_own(saved):
    found = cut(load_checkpoint(str(saved["llava"])), {})
    kinds = {module.name: module.kind for module in found.modules}
    assert kinds == {
        "vision-tower": "vision-encoder",
        "language-model": "language-decoder",
        "lm-head": "head",
        "multi-modal-projector": "projector",
    }
    with pytest.raises(WorkError, match="not described"):
        check(found, {})


def test_two_sub_models_of_one_name_are_told_apart(tmp_path):
    """As a general rule finds them: `left.tower` and `right.tower`."""
    from splitshare.checkpoints.cut import _names

    assert _names(["left.tower", "right.tower", "model.head_a"]) == {
        "left.tower": "left-tower",
        "right.tower": "right-tower",
        "model.head_a": "head-a",
    }


def test_a_file_without_a_tensor_of_the_class_is_one_line(saved, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "config.json").write_bytes((saved["vit"] / "config.json").read_bytes())
    save_file({"other": torch.zeros(1)}, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match="has no tensor of ViTForImageClassification"):
        cut(load_checkpoint(str(folder)), FAMILIES)


def test_a_bare_encoder_is_the_same_module_as_in_a_model_with_a_head(saved, tmp_path):
    vit = build("vit")
    save(vit.vit, tmp_path / "bare")
    bare = cut(load_checkpoint(str(tmp_path / "bare")), FAMILIES)
    (vision,) = bare.modules
    headed = cut(load_checkpoint(str(saved["vit"])), FAMILIES).modules[0]
    own = {name for name in headed.tensors if not name.startswith("pooler")}
    assert {name for name in vision.tensors if not name.startswith("pooler")} == own


def test_a_model_that_fuses_early_cannot_be_split(tmp_path):
    save(build("vilt"), tmp_path / "vilt")
    with pytest.raises(WorkError, match="vilt cannot be split: pictures and words enter one transformer together"):
        cut(load_checkpoint(str(tmp_path / "vilt")), FAMILIES)


def test_parts_with_another_weight_answer_otherwise(saved, monkeypatch):
    """The check can fail: one value of one module is changed on the way."""
    from splitshare.checkpoints import chain

    read = chain.module_state

    def wrong(module):
        state = read(module)
        if module.name == "vision":
            name = next(name for name in state if name.endswith("fc1.weight"))
            state[name][0, 0] += 1
        return state

    monkeypatch.setattr(chain, "module_state", wrong)
    checked = check(cut(load_checkpoint(str(saved["clip"])), FAMILIES), FAMILIES)
    assert not checked.agrees
    assert "from the whole" in checked.told


@pytest.mark.parametrize("name", MODELS)
def test_operations_are_counted_without_weights(saved, name):
    """As many as the real model's, its attention written out in products, which all are counted."""
    found = cut(load_checkpoint(str(saved[name])), FAMILIES)
    counted = operations(found, FAMILIES)
    model = build(name).requires_grad_(False)
    model.set_attn_implementation("eager")
    inputs = seeded_inputs(found.checkpoint, FAMILIES[found.checkpoint.config.model_type])
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(**inputs)
    total = counter.get_total_flops() / 2  # of two requests
    # Two pictures compared with two texts, 16 and 32 values wide, are the class's own product, of no module; CLAP
    # compares texts with sounds, too.
    own = {"clip": 2 * 2 * 2 * 16, "siglip": 2 * 2 * 2 * 32, "clap": 2 * 2 * 2 * 2 * 16}.get(name, 0)
    assert total - sum(counted.values()) == own / 2
    big = [module.name for module in found.modules if module.kind.endswith(("encoder", "decoder"))]
    assert all(counted[module] > 0 for module in big)


def test_a_bfloat16_model_in_several_files_is_cut_and_checked(tmp_path):
    model = build("llava").to(torch.bfloat16)
    save(model, tmp_path / "sharded", max_shard_size="40KB")
    assert len(list((tmp_path / "sharded").glob("*.safetensors"))) > 1
    found = cut(load_checkpoint(str(tmp_path / "sharded")), FAMILIES)
    assert {module.dtypes for module in found.modules} == {("BF16",)}
    assert check(found, FAMILIES).agrees


def test_a_families_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="families"):
        load_families(tmp_path)


def test_the_page_shows_a_familys_file_as_it_is():
    page = (ROOT / "docs" / "your-own-models.md").read_text()
    shown = page.partition("```yaml\nschema: splitshare.family/1")[2].partition("```")[0]
    assert f"schema: splitshare.family/1{shown}" == (DATA / "families" / "clip.yaml").read_text()
