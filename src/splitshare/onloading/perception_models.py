"""The models of the perception zoo: published name, tasks, size of the images, and the shape of the architecture.

Chosen by rules that look at no placement: of the table of published scores every model that ``transformers`` has the
architecture of; of classifiers of ImageNet-1k, those with exactly as many parameters as the table says, and of these
the ones that no other beats in accuracy with no more parameters. What is left out stands in ``NOT_BUILT``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

CLASSIFICATION, SPECIES, SEGMENTATION, DEPTH, RETRIEVAL = (
    "image-classification",
    "fine-grained-classification",
    "semantic-segmentation",
    "depth-estimation",
    "image-retrieval",
)
DETECTION, INSTANCES, PANOPTIC, COCO_SEMANTIC, RELATIVE_DEPTH = (
    "object-detection",
    "instance-segmentation",
    "panoptic-segmentation",
    "semantic-segmentation-coco",
    "relative-depth",
)

Side = tuple[int, int]
"""Height and width in pixels."""
COCO_SIDE: Side = (800, 1088)
"""640 x 480 scaled to a short side of 800 and padded to multiples of 32."""


@dataclass(frozen=True)
class Module:
    """A module that is counted and timed by itself."""

    name: str
    builder: str
    """Key of ``perception_builders.BUILDERS``."""
    config: Mapping[str, Any] = field(hash=False)
    input_shape: tuple[int, ...] = (3, 224, 224)
    """Of one item."""

    @property
    def kind(self) -> Literal["head", "vision-encoder"]:
        """Its kind as profiles have it."""
        return "head" if self.builder == "head" else "vision-encoder"


@dataclass(frozen=True)
class Member:
    """A model of the zoo: the modules that a query passes, one after the other."""

    name: str
    published: str
    """Its name in the table of published scores."""
    tasks: tuple[str, ...]
    modules: tuple[Module, ...]
    backbone: str | None = None
    """The backbone whose weights it shares: then its first module is that."""


def _image(side: Side | int) -> tuple[int, int, int]:
    return (3, side, side) if isinstance(side, int) else (3, *side)


DINOV2: dict[str, dict[str, Any]] = {
    "small": {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6},
    "base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12},
    "large": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16},
    "giant": {"hidden_size": 1536, "num_hidden_layers": 40, "num_attention_heads": 24, "use_swiglu_ffn": True},
}
DINOV2_SIDES: dict[str, Side] = {
    CLASSIFICATION: (224, 224),
    SPECIES: (224, 224),
    SEGMENTATION: (644, 644),
    DEPTH: (490, 644),
    RETRIEVAL: (448, 448),
}
"""The evaluation's sizes (640 for ADE20k with several scales, 480 x 640 for NYU) at multiples of 14; retrieval's is
assumed."""


def _dinov2(size: str) -> list[Member]:
    shape = DINOV2[size]
    depth, dim = shape["num_hidden_layers"], shape["hidden_size"]
    last_four = (depth - 3, depth - 2, depth - 1, depth)
    evenly = tuple(depth * quarter // 4 for quarter in (1, 2, 3, 4))
    members = []
    for task, side in DINOV2_SIDES.items():
        layers = last_four if task == SEGMENTATION else evenly if task == DEPTH else (depth,)
        patches = side[0] // 14 * (side[1] // 14)
        members.append(
            Member(
                name=f"dinov2-{size}-{task}",
                published=f"dinov2-{size}",
                tasks=(task,),
                modules=(
                    Module(
                        f"dinov2-{size}@{side[0]}x{side[1]}-{'-'.join(map(str, layers))}",
                        "trunk",
                        {"shape": shape, "layers": layers},
                        _image(side),
                    ),
                    Module(
                        f"dinov2-{size}-{task}-head",
                        "head",
                        {"head": task, "dim": dim},
                        (len(layers), 1 + patches, dim),
                    ),
                ),
                backbone=f"dinov2-{size}",
            )
        )
    return members


def _whole(
    name: str,
    tasks: tuple[str, ...],
    builder: str,
    config: Mapping[str, Any],
    side: Side | int,
    published: str | None = None,
    like: str | None = None,
) -> Member:
    """A model that shares nothing; ``like`` names the one whose architecture it has, where it is another's."""
    return Member(name, published or name, tasks, (Module(like or name, builder, config, _image(side)),))


SEGFORMER: dict[str, tuple[list[int], int, int]] = {
    "b0": ([2, 2, 2, 2], 32, 256),
    "b1": ([2, 2, 2, 2], 64, 256),
    "b2": ([3, 4, 6, 3], 64, 768),
    "b3": ([3, 4, 18, 3], 64, 768),
    "b4": ([3, 8, 27, 3], 64, 768),
    "b5": ([3, 6, 40, 3], 64, 768),
}


def _segformer(size: str) -> Member:
    depths, width, decoder = SEGFORMER[size]
    hidden = [width, 2 * width, 5 * width, 8 * width]
    shape = {"depths": depths, "hidden_sizes": hidden, "decoder_hidden_size": decoder}
    return _whole(f"segformer-{size}", (SEGMENTATION,), "segformer", {"shape": shape}, 512)


DEPTH_ANYTHING: dict[str, dict[str, Any]] = {
    "small": {"reassemble_hidden_size": 384, "neck_hidden_sizes": [48, 96, 192, 384], "fusion_hidden_size": 64},
    "base": {"reassemble_hidden_size": 768, "neck_hidden_sizes": [96, 192, 384, 768], "fusion_hidden_size": 128},
    "large": {"reassemble_hidden_size": 1024, "neck_hidden_sizes": [256, 512, 1024, 1024], "fusion_hidden_size": 256},
}


def _depth_anything(size: str) -> Member:
    depth = DINOV2[size]["num_hidden_layers"]
    backbone = DINOV2[size] | {"out_indices": [depth - 3, depth - 2, depth - 1, depth]}
    config = {"shape": DEPTH_ANYTHING[size] | {"backbone": backbone}}
    return _whole(f"depth-anything-{size}", (RELATIVE_DEPTH,), "depth-anything", config, (518, 686))


def _hgnet(
    stem: list[int], mid: int, out: list[int], blocks: list[int], layers: int, *, affine: bool
) -> dict[str, Any]:
    return {
        "hidden_sizes": out,
        "stem_channels": stem,
        "stage_in_channels": [stem[-1], *out[:-1]],
        "stage_mid_channels": [mid, 2 * mid, 4 * mid, 8 * mid],
        "stage_out_channels": out,
        "stage_num_blocks": blocks,
        "stage_downsample": [False, True, True, True],
        "stage_light_block": [False, False, True, True],
        "stage_kernel_size": [3, 3, 5, 5],
        "stage_numb_of_layers": [layers] * 4,
        "use_learnable_affine_block": affine,
    }


D_FINE: dict[str, dict[str, Any]] = {
    "s": {
        "backbone": _hgnet([3, 16, 16], 16, [64, 256, 512, 1024], [1, 1, 2, 1], 3, affine=True),
        "decoder_layers": 3,
        "hidden_expansion": 0.5,
        "depth_mult": 0.34,
        "encoder_in_channels": [256, 512, 1024],
    },
    "m": {
        "backbone": _hgnet([3, 24, 32], 32, [96, 384, 768, 1536], [1, 1, 3, 1], 4, affine=True),
        "decoder_layers": 4,
        "hidden_expansion": 1.0,
        "depth_mult": 0.67,
        "encoder_in_channels": [384, 768, 1536],
    },
    "l": {
        "backbone": _hgnet([3, 32, 48], 48, [128, 512, 1024, 2048], [1, 1, 3, 1], 6, affine=False),
        "decoder_layers": 6,
        "hidden_expansion": 1.0,
        "encoder_ffn_dim": 1024,
        "encoder_in_channels": [512, 1024, 2048],
    },
    "x": {
        "backbone": _hgnet([3, 32, 64], 64, [128, 512, 1024, 2048], [1, 2, 5, 2], 6, affine=False),
        "decoder_layers": 6,
        "hidden_expansion": 1.0,
        "encoder_ffn_dim": 2048,
        "encoder_hidden_dim": 384,
        "encoder_in_channels": [512, 1024, 2048],
        "decoder_in_channels": [384, 384, 384],
    },
}
"""After the conversion of the authors' weights in ``transformers``."""


def _d_fine(size: str) -> Member:
    shape = D_FINE[size] | {"decoder_n_points": [3, 6, 3]}
    return _whole(f"d-fine-{size}", (DETECTION,), "d-fine", {"shape": shape}, 640)


RESNET = {"resnet50": [3, 4, 6, 3], "resnet101": [3, 4, 23, 3]}


def _detr(name: str, *, panoptic: bool) -> Member:
    tasks = (DETECTION, INSTANCES, PANOPTIC) if panoptic else (DETECTION,)
    config = {"depths": RESNET[name], "panoptic": panoptic}
    return _whole(f"detr-{name}{'-panoptic' if panoptic else ''}", tasks, "detr", config, COCO_SIDE)


SWIN: dict[str, dict[str, Any]] = {
    "swin-tiny": {"embed_dim": 96, "depths": [2, 2, 6, 2], "num_heads": [3, 6, 12, 24], "window_size": 7},
    "swin-small": {"embed_dim": 96, "depths": [2, 2, 18, 2], "num_heads": [3, 6, 12, 24], "window_size": 7},
    "swin-base": {"embed_dim": 128, "depths": [2, 2, 18, 2], "num_heads": [4, 8, 16, 32], "window_size": 12},
    "swin-large": {"embed_dim": 192, "depths": [2, 2, 18, 2], "num_heads": [6, 12, 24, 48], "window_size": 12},
}
UNIVERSAL = (INSTANCES, PANOPTIC, COCO_SEMANTIC)


def _universal(builder: str, backbone: str, queries: int, *, more: str = "") -> Member:
    shape: dict[str, Any] = (
        {"kind": "ResNet", "depths": RESNET[backbone]} if backbone in RESNET else {"kind": "Swin", **SWIN[backbone]}
    )
    config = {"backbone": shape, "queries": queries}
    name = f"{builder}-{backbone}"
    return _whole(f"{name}{more}", UNIVERSAL, builder, config, COCO_SIDE, like=name)


CONVNEXT: dict[str, tuple[list[int], int]] = {
    "tiny": ([3, 3, 9, 3], 96),
    "small": ([3, 3, 27, 3], 96),
    "base": ([3, 3, 27, 3], 128),
    "large": ([3, 3, 27, 3], 192),
}
EFFICIENTNET: tuple[tuple[float, float, int, int], ...] = (
    (1.0, 1.0, 224, 1280),
    (1.0, 1.1, 240, 1280),
    (1.1, 1.2, 288, 1408),
    (1.2, 1.4, 300, 1536),
    (1.4, 1.8, 380, 1792),
    (1.6, 2.2, 456, 2048),
    (1.8, 2.6, 528, 2304),
    (2.0, 3.1, 600, 2560),
)
"""Factor of width, factor of depth, side of the images and width of the last layer, from B0 to B7."""
REGNET_Y_16GF = {
    "depths": [2, 4, 11, 1],
    "hidden_sizes": [224, 448, 1232, 3024],
    "groups_width": 112,
    "layer_type": "y",
}
BASIC = {"layer_type": "basic", "depths": [2, 2, 2, 2], "hidden_sizes": [64, 128, 256, 512]}


def _classifier(published: str, family: str, shape: Mapping[str, Any], side: int) -> Member:
    architecture, weights = published.split(":")
    config = {"family": family, "shape": shape}
    name = f"{architecture.replace('_', '-')}-{weights.removeprefix('IMAGENET1K_').replace('_', '-').lower()}"
    return _whole(
        name, (CLASSIFICATION,), "classifier", config, side, published=published, like=f"{architecture}@{side}"
    )


def _classifiers() -> list[Member]:
    made = [
        _classifier("resnet18:IMAGENET1K_V1", "ResNet", BASIC, 224),
        *(_classifier(f"resnet50:IMAGENET1K_V{version}", "ResNet", {}, 224) for version in (1, 2)),
        *(_classifier(f"mobilenet_v2:IMAGENET1K_V{version}", "MobileNetV2", {}, 224) for version in (1, 2)),
        *(
            _classifier(f"regnet_y_16gf:IMAGENET1K_{weights}", "RegNet", REGNET_Y_16GF, side)
            for weights, side in (("V1", 224), ("V2", 224), ("SWAG_LINEAR_V1", 224), ("SWAG_E2E_V1", 384))
        ),
        *(
            _classifier(f"vit_b_16:IMAGENET1K_{weights}", "ViT", {"image_size": side}, side)
            for weights, side in (("V1", 224), ("SWAG_LINEAR_V1", 224), ("SWAG_E2E_V1", 384))
        ),
    ]
    for size, (depths, width) in CONVNEXT.items():
        shape = {"depths": depths, "hidden_sizes": [width * factor for factor in (1, 2, 4, 8)]}
        made.append(_classifier(f"convnext_{size}:IMAGENET1K_V1", "ConvNext", shape, 224))
    for number, (width_factor, depth_factor, side, hidden) in enumerate(EFFICIENTNET):
        shape_of = {
            "width_coefficient": width_factor,
            "depth_coefficient": depth_factor,
            "image_size": side,
            "hidden_dim": hidden,
        }
        weights = ("V1", "V2") if number == 1 else ("V1",)
        made += [
            _classifier(f"efficientnet_b{number}:IMAGENET1K_{version}", "EfficientNet", shape_of, side)
            for version in weights
        ]
    return made


CANDIDATES = tuple(_classifiers())
"""Classifiers of the table that ``transformers`` has with exactly as many parameters; some are not chosen."""
MEMBERS = (
    *(member for size in DINOV2 for member in _dinov2(size)),
    *(_segformer(size) for size in SEGFORMER),
    *(_depth_anything(size) for size in DEPTH_ANYTHING),
    _whole("zoedepth", (DEPTH,), "zoedepth", {"shape": {}}, (384, 512)),
    *(_d_fine(size) for size in D_FINE),
    *(_detr(backbone, panoptic=panoptic) for panoptic in (False, True) for backbone in RESNET),
    *(_universal("mask2former", backbone, 100) for backbone in (*RESNET, "swin-tiny", "swin-small", "swin-base")),
    _universal("mask2former", "swin-base", 100, more="-in21k"),
    _universal("mask2former", "swin-large", 200),
    _universal("oneformer", "swin-large", 150),
)
"""All others, by family."""

NOT_BUILT = {
    "swin_v2": "transformers' Swin v2 has other parameters than torchvision's",
    "mobilenet_v3": "not in transformers",
    "fasterrcnn, fcos, keypointrcnn, maskrcnn, retinanet, ssd, ssdlite": "not in transformers",
    "deeplabv3, fcn, lraspp": "not in transformers with these backbones",
    "mc3, mvit, r2plus1d, r3d, s3d, swin3d": "video classifiers of torchvision, not in transformers",
    "depth-anything-large-metric": "ZoeDepth's head on Depth Anything's encoder, not in transformers",
    "detr-dc5": "dilated backbones need timm",
}
"""Rows of the table that could not be built, and why: torchvision is no dependency of this package."""
