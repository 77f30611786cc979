"""The architectures of the perception zoo, as ``transformers`` has them: true shapes, random weights, no download.

Each builder takes what one model's definition says and gives a module that takes ``pixels`` of the shape (batch, 3,
height, width) and returns tensors. Shapes follow the configurations that the models' authors published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from splitshare.onloading.perception_heads import HEADS, Trunk

COCO_CLASSES, ADE_CLASSES, PANOPTIC_CLASSES = 80, 150, 133
DETR_LABELS = 91
"""DETR counts COCO's labels with their gaps; its panoptic models have 250."""


class Outputs(nn.Module):
    """A model of ``transformers`` that returns the tensors of its answer alone."""

    def __init__(self, model: nn.Module, fields: tuple[str, ...], **given: Tensor) -> None:
        super().__init__()
        self.model, self.fields = model, fields
        for name, tensor in given.items():
            self.register_buffer(name, tensor)
        self.given = tuple(given)

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """The fields of the answer for a batch of images."""
        given = {
            name: getattr(self, name).expand(len(pixels), *getattr(self, name).shape[1:]).contiguous()
            for name in self.given
        }
        said = self.model(pixel_values=pixels, **given)
        return tuple(getattr(said, field) for field in self.fields)


def trunk(config: Mapping[str, Any]) -> nn.Module:
    """DINOv2's backbone (Oquab et al. 2023), frozen: what its heads are put on."""
    return Trunk(
        transformers.Dinov2Model(transformers.Dinov2Config(image_size=518, patch_size=14, **config["shape"])),
        config["layers"],
    )


def head(config: Mapping[str, Any]) -> nn.Module:
    """A light head on DINOv2's features."""
    return HEADS[config["head"]](config["dim"])


def classifier(config: Mapping[str, Any]) -> nn.Module:
    """A classifier of images, by its family in ``transformers``."""
    family = config["family"]
    said = getattr(transformers, f"{family}Config")(num_labels=1000, **config["shape"])
    return Outputs(getattr(transformers, f"{family}ForImageClassification")(said), ("logits",))


def segformer(config: Mapping[str, Any]) -> nn.Module:
    """SegFormer (Xie et al. 2021) for ADE20k."""
    said = transformers.SegformerConfig(num_labels=ADE_CLASSES, **config["shape"])
    return Outputs(transformers.SegformerForSemanticSegmentation(said), ("logits",))


def depth_anything(config: Mapping[str, Any]) -> nn.Module:
    """Depth Anything (Yang et al. 2024)."""
    shape = dict(config["shape"])
    backbone = transformers.Dinov2Config(
        image_size=518, patch_size=14, reshape_hidden_states=False, apply_layernorm=True, **shape.pop("backbone")
    )
    said = transformers.DepthAnythingConfig(backbone_config=backbone, **shape)
    return Outputs(transformers.DepthAnythingForDepthEstimation(said), ("predicted_depth",))


def zoedepth(config: Mapping[str, Any]) -> nn.Module:
    """ZoeDepth (Bhat et al. 2023) for NYU Depth v2, on BEiT-384 large, as ``transformers`` has it by default."""
    said = transformers.ZoeDepthConfig(**config["shape"])
    return Outputs(transformers.ZoeDepthForDepthEstimation(said), ("predicted_depth",))


def d_fine(config: Mapping[str, Any]) -> nn.Module:
    """D-FINE (Peng et al. 2024)."""
    shape = dict(config["shape"])
    said = transformers.DFineConfig(
        num_labels=COCO_CLASSES,
        backbone_config=transformers.HGNetV2Config(
            layer_type="basic",
            embedding_size=32,
            out_features=["stage2", "stage3", "stage4"],
            return_idx=[1, 2, 3],
            **shape.pop("backbone"),
        ),
        **shape,
    )
    return Outputs(transformers.DFineForObjectDetection(said), ("logits", "pred_boxes"))


def detr(config: Mapping[str, Any]) -> nn.Module:
    """DETR (Carion et al. 2020), for objects or panoptic: boxes, and masks beside them."""
    panoptic = config["panoptic"]
    backbone = transformers.ResNetConfig(depths=config["depths"], out_features=["stage4"])
    if panoptic:
        backbone.out_features = ["stage1", "stage2", "stage3", "stage4"]
    said = transformers.DetrConfig(
        use_timm_backbone=False,
        use_pretrained_backbone=False,
        backbone=None,
        backbone_config=backbone,
        num_labels=250 if panoptic else DETR_LABELS,
    )
    if panoptic:
        return Outputs(transformers.DetrForSegmentation(said), ("logits", "pred_boxes", "pred_masks"))
    return Outputs(transformers.DetrForObjectDetection(said), ("logits", "pred_boxes"))


def mask2former(config: Mapping[str, Any]) -> nn.Module:
    """Mask2Former (Cheng et al. 2022), trained for panoptic segmentation of COCO."""
    said = transformers.Mask2FormerConfig(
        backbone_config=_pyramid(config["backbone"]), num_labels=PANOPTIC_CLASSES, num_queries=config["queries"]
    )
    return Outputs(
        transformers.Mask2FormerForUniversalSegmentation(said), ("class_queries_logits", "masks_queries_logits")
    )


def oneformer(config: Mapping[str, Any]) -> nn.Module:
    """OneFormer (Jain et al. 2023); the task is a token of its input, so each task is a pass of its own."""
    said = transformers.OneFormerConfig(
        backbone_config=_pyramid(config["backbone"]),
        num_labels=PANOPTIC_CLASSES,
        num_queries=config["queries"],
        is_training=False,
    )
    return Outputs(
        transformers.OneFormerForUniversalSegmentation(said),
        ("class_queries_logits", "masks_queries_logits"),
        task_inputs=torch.zeros(1, said.task_seq_len, dtype=torch.int64),
    )


def _pyramid(backbone: Mapping[str, Any]) -> Any:
    """A backbone that gives its four stages."""
    shape = dict(backbone)
    kind = shape.pop("kind")
    return getattr(transformers, f"{kind}Config")(out_features=["stage1", "stage2", "stage3", "stage4"], **shape)


BUILDERS: dict[str, Callable[[Mapping[str, Any]], nn.Module]] = {
    "trunk": trunk,
    "head": head,
    "classifier": classifier,
    "segformer": segformer,
    "depth-anything": depth_anything,
    "zoedepth": zoedepth,
    "d-fine": d_fine,
    "detr": detr,
    "mask2former": mask2former,
    "oneformer": oneformer,
}
"""Builders by the name that a definition has them under."""
