"""Tiny models with tokenisers, over what a test's server has."""

from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from tests.benchmarks.hub import datasets as tiny
from tests.benchmarks.hub.catalogue import FOODS, SOUNDS, pinned_catalogue
from tests.benchmarks.hub.server import Repository
from tests.modules.small import edit, small_catalogue

PETS = ["pug", "beagle", "bengal", "birman", "boxer"]
"""As many as the small probe has outputs."""
WORDS = """a photo of type food dish this is sound question how many are there what does it say ? . , USER
ASSISTANT :""".split()  # noqa: SIM905, a text is a sentence


SIZES = {"clip-vit-b16": 50, "clip-vit-b32": 50, "clip-rn50": 50, "vit-gpt2": 60, "llava-1.5-7b": 70}
"""Weights to the size of their vocabulary."""


def tiny_catalogue(root: Path) -> Path:
    """The catalogue with small architectures, and with sources that the tests' server has."""
    pinned_catalogue(root / "pinned")
    small_catalogue(root / "data")
    sources = (root / "pinned" / "catalogue" / "benchmarks.yaml").read_text()
    (root / "data" / "catalogue" / "benchmarks.yaml").write_text(sources)

    def widen(content):
        content["architectures"]["alignment-512"]["params"]["joint_embedding"] = 16  # as wide as the towers' space

    edit(root / "data", "architectures", widen)
    return root / "data"


def repositories() -> dict[str, Repository]:
    """A benchmark of each task."""
    return {
        "ethz/food101": Repository(tiny.labelled("validation", 24, FOODS, rows=6)),
        "lmms-lab/VQAv2": Repository(tiny.vqav2("validation", 9)),
        "Multimodal-Fatima/VQAv2_train": Repository(tiny.vqav2("train", 30)),
        "lmms-lab/textvqa": Repository(tiny.textvqa("validation", 3)),
        "ashraq/esc50": Repository(tiny.esc50(250, SOUNDS)),
        "lmms-lab/flickr30k": Repository(tiny.flickr30k(7)),
        "timm/oxford-iiit-pet": Repository(tiny.labelled("test", 20, PETS) | tiny.labelled("train", 20, PETS)),
    }


def write_tokenizers(directory: Path) -> Path:
    """A tokeniser of whole words for each vocabulary size; the last token ends a text, as in CLIP's and GPT-2's."""
    for weights, size in {
        "clip-vit-b16": 50,
        "clip-vit-b32": 50,
        "clip-rn50": 50,
        "vit-gpt2": 60,
        "llava-1.5-7b": 70,
    }.items():
        start, end = ("</s>", "</s>") if weights == "vit-gpt2" else ("<s>", "</s>")
        vocabulary = {"<unk>": 0} | {word: i + 1 for i, word in enumerate(WORDS)}
        vocabulary |= {f"w{i}": i for i in range(len(vocabulary), size - 2)} | {"<s>": size - 2, "</s>": size - 1}
        if weights.startswith("llava"):
            del vocabulary["w64"]
            vocabulary["<image>"] = 64
        tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        if weights.startswith("clip"):
            tokenizer.post_processor = processors.TemplateProcessing(
                single="<s> $A </s>", special_tokens=[("<s>", size - 2), ("</s>", size - 1)]
            )
        fast = PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, bos_token=start, eos_token=end, pad_token=end, unk_token="<unk>"
        )
        fast.save_pretrained(directory / weights)
    return directory
