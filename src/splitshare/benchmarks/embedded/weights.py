"""Trained weights on disk: a safetensors file a module, and how the training went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save_file

from splitshare.benchmarks.embedded.log import TrainingLog
from splitshare.benchmarks.embedded.training import Recipe, Trained
from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Model
from splitshare.errors import InputError
from splitshare.files import atomic_path
from splitshare.modules.base import SplitModule
from splitshare.modules.build import build_module


def write_trained(trained: Trained, models: Sequence[Model], recipe: Recipe, data_sha256: str, folder: Path) -> None:
    """Write ``<module>.safetensors`` for each module, then ``training-<first model>.json``, into ``folder``."""
    for name, module in trained.modules.items():
        with atomic_path(weights_file(folder, name)) as temporary:
            save_file({key: tensor.contiguous() for key, tensor in module.state_dict().items()}, temporary)
    TrainingLog(
        schema_="splitshare.embedded-training/1",
        models=tuple(model.name for model in models),
        data_sha256=data_sha256,
        seed=recipe.seed,
        epochs=recipe.epochs,
        threads=recipe.threads,
        torch_device=recipe.torch_device,
        loss=trained.loss,
        seconds=trained.seconds,
    ).write(log_file(folder, models))


def read_trained(catalog: Catalog, models: Sequence[Model], folder: Path) -> Mapping[str, SplitModule]:
    """The modules of ``models`` with the weights that ``write_trained`` left in ``folder``, for inference.

    Raises:
        InputError: a file is missing or is not one of this module's weights.
    """
    modules = {}
    for name in catalog.modules(model.name for model in models):
        path = weights_file(folder, name)
        module = build_module(catalog.module(name))
        try:
            module.load_state_dict(load(path.read_bytes()))
        except FileNotFoundError:
            raise InputError(path, "", "no such file; train with `splitshare embedded train`") from None
        except (SafetensorError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(path, "", f"not the weights of {name}: {reason}; train again") from None
        modules[name] = module
    return modules


def weights_file(folder: Path, module: str) -> Path:
    """Where a module's weights lie."""
    return folder / f"{module}.safetensors"


def log_file(folder: Path, models: Sequence[Model]) -> Path:
    """Where the log of models that were trained together lies."""
    return folder / f"training-{models[0].name}.json"


def read_log(models: Sequence[Model], folder: Path) -> TrainingLog:
    """How the training of ``models`` went.

    Raises:
        InputError: the log is missing or malformed.
    """
    return TrainingLog.read(log_file(folder, models))
