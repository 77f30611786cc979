"""A catalogue made of checkpoints: its modules are the models', shared ones once, and everything that takes a catalogue
takes it."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode
from transformers import GenerationConfig, GenerationMixin, PreTrainedModel

from splitshare.catalog.loader import Catalog, load_catalog
from splitshare.checkpoints.inputs import seeded_inputs
from splitshare.checkpoints.split_module import CheckpointDecoder, CheckpointEncoder
from splitshare.commands.catalogue import Options
from splitshare.errors import InputError, WorkError
from splitshare.modules.build import build_module, encode, example_inputs
from splitshare.profiling.describe import describe_module
from splitshare.stages import catalogue
from splitshare.stages.catalogue import Written
from tests.checkpoints.tiny import MODELS, build, save

NO_ENCODER = {"gpt2", "decoders"}
WITH_ENCODERS = [name for name in MODELS if name not in NO_ENCODER]
WRITE = ["captioning", "llava", "llava-next", "llava-onevision", "paligemma", "qwen2-vl", "smolvlm", "whisper"]
"""Models that write their answers as transformers' own ``generate`` does; BLIP and BLIP-2 have a way of their own."""
TOKENS, NEW = 16, 4


def options(models: list[Path], output: Path, **more) -> Options:
    given = {"text_tokens": TOKENS, "prompt_tokens": 6, "new_tokens": NEW, "texts": 3} | more
    return Options([str(model) for model in models], output, cache=output.parent / "digests", **given)


def written(models: list[Path], output: Path, **more) -> tuple[Catalog, Written]:
    said = catalogue.run(options(models, output, **more))
    return load_catalog(output), said


@pytest.fixture(scope="module")
def all_families(saved, tmp_path_factory) -> tuple[Catalog, Written]:
    return written([saved[name] for name in WITH_ENCODERS], tmp_path_factory.mktemp("catalogue") / "data")


def test_every_model_answers_as_its_whole_does(all_families):
    proofs = dict(all_families[1].proofs)
    assert list(proofs) == WITH_ENCODERS
    assert all(found.equal and found.batch_distance < 1e-5 for found in proofs.values())


@pytest.mark.parametrize("name", WITH_ENCODERS)
def test_modules_have_the_models_parameters(all_families, name):
    catalog, _ = all_families
    wanted = {id(p): p.numel() for p in build(name).parameters()}
    modules = [build_module(catalog.module(ref.module)) for ref in catalog.model(name).modules().values()]
    assert sum(p.numel() for module in modules for p in module.parameters()) == sum(wanted.values())


@pytest.mark.parametrize("name", WITH_ENCODERS)
def test_operations_are_those_of_the_real_modules(all_families, name):
    """Counted without storage, against the real module's with its attention written out in products."""
    catalog, _ = all_families
    for ref in catalog.model(name).modules().values():
        shared = catalog.module(ref.module)
        described = describe_module(shared, [1])
        module = build_module(shared)
        for part in module.modules():
            if isinstance(part, PreTrainedModel):
                part.set_attn_implementation("eager")
        inputs = example_inputs(shared, module, 1)
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            output = module(inputs)
        assert described.at(1).flops == counter.get_total_flops() > 0
        assert described.at(1).output_bytes == output.nbytes
        assert described.parameter_bytes == sum(p.nbytes for p in module.parameters())


@pytest.mark.parametrize("name", WRITE)
def test_answers_in_words_are_those_that_transformers_writes(all_families, name):
    catalog, _ = all_families
    model = catalog.model(name)
    head = build_module(catalog.module(model.head.module))
    assert isinstance(head, CheckpointDecoder)
    whole = build(name).eval().requires_grad_(False)
    checkpoint, family = head._head.checkpoint, head._head.family
    given = seeded_inputs(checkpoint, family, 5, requests=2)
    greedy = GenerationConfig(max_new_tokens=NEW, do_sample=False, eos_token_id=None, pad_token_id=0)
    with torch.inference_mode():
        expected = GenerationMixin.generate(whole, **given, generation_config=greedy)
        prompt = given["input_ids"] if "input_ids" in given else expected[:, :-NEW]
        if family.image_tokens is not None:
            prompt = prompt[prompt != whole.config.image_token_id].reshape(2, -1)
        encoder = build_module(catalog.module(model.encoders[0].module))
        items = given["pixel_values" if "pixel_values" in given else "input_features"]
        assert isinstance(encoder, CheckpointEncoder)
        shape = encoder.entry.input_shape
        sent = encoder({model.encoders[0].role: items.reshape(-1, *shape)})
        answer = head({model.encoders[0].role: sent, "prompt": prompt.int()})
    assert torch.equal(answer.long(), expected[:, -NEW:])


def test_what_models_share_is_one_module(tmp_path):
    clip, llava, tuned = build("clip"), build("llava", 1), build("clip", 2)
    llava.model.vision_tower.load_state_dict(clip.vision_model.state_dict())
    tuned.vision_model.load_state_dict(clip.vision_model.state_dict())
    folders = [save(clip, tmp_path / "clip"), save(llava, tmp_path / "llava"), save(tuned, tmp_path / "tuned")]
    shutil.copytree(tmp_path / "clip", tmp_path / "copy of clip")
    catalog, said = written([*folders, tmp_path / "copy of clip"], tmp_path / "data")
    used = {name: list(model.modules().values()) for name, model in catalog.models.items()}
    towers = {name: refs[0].module for name, refs in used.items()}
    assert len(set(towers.values())) == 1
    assert [ref.module for ref in used["copy-of-clip"]] == [ref.module for ref in used["clip"]]
    assert catalog.model("llava").encoders[0].output == "patches"
    assert len(catalog.modules()) == 1 + 2 + 2 + 1  # a tower; CLIP's text and head, the tuned one's, LLaVA's head
    assert all(found.equal for _, found in said.proofs)
    own = {name: sum(p.nbytes for p in model.parameters()) for name, model in [("c", clip), ("l", llava), ("t", tuned)]}
    assert said.whole_bytes == 2 * own["c"] + own["l"] + own["t"]
    tower = sum(t.nbytes for t in clip.vision_model.state_dict().values())
    assert said.whole_bytes - said.shared_bytes == own["c"] + 2 * tower
    assert catalog.workload("all-models").models == tuple(used)


def test_a_third_tensor_of_one_tower_is_a_tower_of_its_own(tmp_path):
    clip = build("clip")
    folders = [save(clip, tmp_path / "clip")]
    for layer in (-2, -1):
        llava = build("llava", 1)
        llava.model.vision_tower.load_state_dict(clip.vision_model.state_dict())
        llava.config.vision_feature_layer = layer
        folders.append(save(llava, tmp_path / f"llava{layer}"))
    catalog, said = written(folders, tmp_path / "data")
    assert ["third tensor" in note for note in said.notes] == [True]
    assert [model.encoders[0].architecture for model in catalog.models.values()] == [
        "clip.vision",
        "clip.vision",
        "llava-1.vision",
    ]


def test_similar_modules_are_shared_on_demand(tmp_path, capsys):
    clip, tuned = build("clip"), build("clip")
    with torch.no_grad():
        for parameter in tuned.vision_model.parameters():
            parameter.add_(0.01 * parameter.std(correction=0) * torch.randn(parameter.shape))
    folders = [save(clip, tmp_path / "clip"), save(tuned, tmp_path / "tuned")]
    alone, _ = written(folders, tmp_path / "alone")
    together, said = written(folders, tmp_path / "together", share_similar=True)
    assert alone.model("tuned").encoders[0].module != alone.model("clip").encoders[0].module
    assert together.model("tuned").encoders[0].module == together.model("clip").encoders[0].module
    proofs = dict(said.proofs)
    assert proofs["clip"].equal
    assert not proofs["tuned"].equal
    assert 0 < proofs["tuned"].distance < 0.5
    catalogue.show(said)
    assert "since it has another model's module" in capsys.readouterr().out


def test_a_bfloat16_model_computes_in_it_and_in_other_types_where_a_device_wants(tmp_path):
    folder = save(build("llava").to(torch.bfloat16), tmp_path / "llava")
    catalog, said = written([folder], tmp_path / "data")
    ((_, found),) = said.proofs
    assert found.equal
    for name in catalog.modules():
        assert {p.dtype for p in build_module(catalog.module(name)).parameters()} == {torch.bfloat16}
    shared = catalog.at_precision("float32").module(catalog.model("llava").head.module)
    module = build_module(shared)
    assert {p.dtype for p in module.parameters()} == {torch.float32}
    assert module(example_inputs(shared, module, 2)).shape == (2, NEW)


def test_a_module_that_computes_otherwise_is_no_entry(saved, tmp_path, monkeypatch):
    monkeypatch.setattr("splitshare.checkpoints.proof.encode", lambda *given: encode(*given) + 1e-3)
    with pytest.raises(WorkError, match="vit: its modules answer otherwise than the whole"):
        catalogue.run(options([saved["vit"]], tmp_path / "data"))
    assert not list((tmp_path / "data").iterdir())


@pytest.mark.parametrize("name", sorted(NO_ENCODER))
def test_a_model_without_an_encoder_is_refused(saved, tmp_path, name):
    with pytest.raises(WorkError, match=f"{name} has no encoder that could stand apart"):
        catalogue.run(options([saved[name]], tmp_path / "data"))
    assert not (tmp_path / "data").exists()


def test_longer_texts_than_a_model_reads_are_cut_to_its_length(saved, tmp_path):
    catalog, _ = written([saved["siglip"]], tmp_path / "data", text_tokens=1000)
    text = build_module(catalog.module(catalog.model("siglip").encoders[1].module))
    assert isinstance(text, CheckpointEncoder)
    assert text.entry.input_shape == (build("siglip").config.text_config.max_position_embeddings,)


def test_texts_that_a_model_does_not_take_are_told(saved, tmp_path):
    """CLAP's first positions are not used, which its configuration does not say."""
    with pytest.raises(WorkError, match="try fewer --text-tokens"):
        catalogue.run(options([saved["clap"]], tmp_path / "data", text_tokens=40))


@pytest.fixture
def of_vit(saved, tmp_path) -> Path:
    shutil.copytree(saved["vit"], tmp_path / "models" / "vit")
    catalogue.run(options([tmp_path / "models" / "vit"], tmp_path / "data"))
    made: Path = tmp_path / "data"
    return made


def test_a_catalogue_is_never_written_over(of_vit):
    with pytest.raises(InputError, match="catalogue: is there already"):
        catalogue.run(options([of_vit.parent / "models" / "vit"], of_vit))


def test_two_models_of_one_name_are_refused(saved, tmp_path):
    with pytest.raises(InputError, match="something else is called vit already"):
        catalogue.run(options([saved["vit"], saved["vit"]], tmp_path / "data"))


def test_models_may_be_moved(of_vit):
    before = load_catalog(of_vit)
    (of_vit.parent / "models").rename(of_vit.parent / "elsewhere")
    with pytest.raises(InputError, match="is no folder with a model"):
        build_module(before.module(before.model("vit").head.module))
    path = of_vit / "catalogue" / "checkpoints.yaml"
    path.write_text(path.read_text().replace("/models/", "/elsewhere/"))
    build_module(before.module(before.model("vit").head.module))


def test_other_weights_than_the_catalogues_are_told(of_vit):
    save(build("vit", 1), of_vit.parent / "models" / "vit")
    catalog = load_catalog(of_vit)
    with pytest.raises(InputError, match=r"checkpoints.yaml: models.vit: vit has other weights than the catalogue"):
        build_module(catalog.module(catalog.model("vit").head.module))


def test_an_entry_that_was_changed_is_told(of_vit):
    path = of_vit / "catalogue" / "checkpoints.yaml"
    said = yaml.safe_load(path.read_text())
    said["encoders"]["vit.vision"]["pooled"]["path"] = ["pooler_output"]
    path.write_text(json.dumps(said))
    catalog = load_catalog(of_vit)
    with pytest.raises(InputError, match=r"encoders.vit.vision: is not what architectures.yaml was written with"):
        build_module(catalog.module(catalog.model("vit").encoders[0].module))


def test_a_catalogue_without_its_checkpoints_file_is_told(of_vit):
    (of_vit / "catalogue" / "checkpoints.yaml").unlink()
    catalog = load_catalog(of_vit)
    with pytest.raises(InputError, match=r"checkpoints\.yaml: no such file"):
        build_module(catalog.module(catalog.model("vit").head.module))


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["clip", "llava-next", "qwen2-vl", "whisper", "vit"])
def test_modules_compute_on_a_gpu_what_they_compute_on_the_cpu(all_families, name):
    catalog, _ = all_families
    for ref in catalog.model(name).modules().values():
        shared = catalog.module(ref.module)
        module = build_module(shared)
        inputs = example_inputs(shared, module, 2)
        with torch.inference_mode():
            expected = module.scores(inputs)
            there = module.to("cuda").scores({role: tensor.to("cuda") for role, tensor in inputs.items()})
        assert there.device.type == "cuda"
        torch.testing.assert_close(there.cpu(), expected, rtol=1e-3, atol=1e-3)
