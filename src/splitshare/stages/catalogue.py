"""Write the entries of a catalogue for models of one's own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import typer
import yaml

from splitshare.catalog.loader import load_catalog
from splitshare.checkpoints.chain import in_parts
from splitshare.checkpoints.cut import Cut, cut
from splitshare.checkpoints.decoding import answers_in_words
from splitshare.checkpoints.digest import DigestCache, module_digest
from splitshare.checkpoints.entries import ALL, Asked, CatalogueWriter, Lengths, model_name
from splitshare.checkpoints.families import Family, load_families
from splitshare.checkpoints.observing import observe
from splitshare.checkpoints.proof import Proof, prove
from splitshare.checkpoints.records import CheckpointsFile
from splitshare.checkpoints.sharing import Shared, pairs, shared_modules, with_similar
from splitshare.checkpoints.sizes import bytes_in_words
from splitshare.checkpoints.source import load_checkpoint, quiet_library
from splitshare.commands.catalogue import Options
from splitshare.errors import InputError, WorkError
from splitshare.files import write_text
from splitshare.modules.hub_pins import Pins
from splitshare.progress import track
from splitshare.stages.catalogue_benchmarks import chosen, files, fitting

_COMMENTS: Mapping[str, str] = {
    "tasks": """\
# Tasks of one's own models, and what stands for a request of each. Rename them as you like.
""",
    "architectures": """\
# Encoders and heads of checkpoints: `entry` is one of checkpoints.yaml, `identity` the digest of that.
""",
    "models": """\
# Models of one's own. What may be changed: tasks, `items` of a text encoder (texts of a request), `prompt_tokens`,
# `new_tokens`, `result_bytes`. Other `items` are what the model is made for.
""",
    "workloads": """\
# Models that run side by side, each asked equally often. Add others as you like.
""",
    "checkpoints": """\
# Where the checkpoints lie, and how their encoders and heads are called, which was found by asking each model. What may
# be changed: where they lie, under `models`.
""",
}


@dataclass(frozen=True)
class Written:
    """What was written."""

    directory: Path
    proofs: tuple[tuple[str, Proof], ...]
    """By model; one that was given another one's module answers otherwise."""
    notes: tuple[str, ...]
    whole_bytes: int
    shared_bytes: int


def run(options: Options) -> Written:
    """Cut the models, find what they share, ask each, write their entries, and hold them against the models.

    Raises:
        InputError: there is no such model, two have one name, files are wrong, or there is a catalogue already.
        WorkError: a model cannot be split, or its modules answer otherwise than the whole.
    """
    quiet_library()
    for part in ("catalogue", "families"):
        if (options.output / part).exists():
            raise InputError(options.output / part, "", "is there already; give another directory, or move it away")
    families = load_families(options.catalog_root)
    benchmarks = chosen(options.benchmarks, options.catalog_root)
    cuts = _cuts(options, families)
    cache = DigestCache(options.cache)
    try:
        shared = shared_modules([module for found in cuts for module in found.modules], cache)
        if options.share_similar:
            shared = with_similar(shared, pairs(shared, cache))
    finally:
        cache.save()
    writer = CatalogueWriter(shared, families, cache, Lengths(options.texts, options.prompt_tokens, options.new_tokens))
    asked: list[Asked] = []
    notes: list[str] = []
    for found, where in track(list(zip(cuts, options.models, strict=True)), "asking", total=len(cuts)):
        one = _asked(found, where, options, families)
        task = families[str(found.checkpoint.config.model_type)].task
        fit, why = fitting(one.seen, task, one.decodes, benchmarks)
        notes += why
        asked.append(replace(one, benchmarks=fit))
        writer.add(asked[-1])
    judged = {each.name: benchmarks[each.name] for one in asked for each in one.benchmarks}
    notes += [f"no model is judged on {name}" for name in benchmarks if name not in judged]
    made = writer.entries()
    used = {families[str(found.checkpoint.config.model_type)].name for found in cuts}
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.output, prefix=".catalogue-") as scratch:
        root = Path(scratch)
        _write({**made.files, **files(judged, options.catalog_root)}, made.checkpoints, root / "catalogue")
        (root / "families").mkdir()
        for family in used:
            shutil.copyfile(options.catalog_root / "families" / f"{family}.yaml", root / "families" / f"{family}.yaml")
        proofs = _proofs(root, asked, shared, cache)
        for part in ("families", "catalogue"):
            (root / part).rename(options.output / part)
    one_pass = (
        f"{each.name} writes answers in a way of its own: a request of it is one pass, to the first token"
        for each in asked
        if each.seen.last and not each.decodes
    )
    return Written(options.output, tuple(proofs), (*made.apart, *one_pass, *notes), made.whole_bytes, made.shared_bytes)


def _cuts(options: Options, families: Mapping[str, Family]) -> list[Cut]:
    """The models, cut.

    Raises:
        InputError: two would have one name.
    """
    pins = Pins(options.pins)
    cuts: list[Cut] = []
    names = [ALL]
    for model in options.models:
        cuts.append(cut(load_checkpoint(model, pins), families))
        name = model_name(cuts[-1].checkpoint.name)
        if name in names:
            raise InputError(model, "", f"something else is called {name} already; rename the folder")
        names.append(name)
    return cuts


def _asked(found: Cut, where: str, options: Options, families: Mapping[str, Family]) -> Asked:
    """A model, after its seeded requests; its weights are let go."""
    model = in_parts(found)
    seen = observe(found, model, families, options.text_tokens)
    commit = found.checkpoint.commit
    place = f"{found.checkpoint.name}@{commit}" if commit else str(Path(where).resolve())
    return Asked(seen, answers_in_words(seen, model, options.catalog_root), place)


def _write(contents: Mapping[str, Any], checkpoints: CheckpointsFile, directory: Path) -> None:
    said = checkpoints.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for name, content in {**contents, "checkpoints": said}.items():
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)
        write_text(directory / f"{name}.yaml", _COMMENTS.get(name, "") + text)


def _proofs(
    root: Path, asked: Sequence[Asked], shared: Sequence[Shared], cache: DigestCache
) -> list[tuple[str, Proof]]:
    """Every model's modules, built from the entries, against the whole.

    Raises:
        WorkError: one answers otherwise, and was not given another one's module.
    """
    catalog = load_catalog(root)
    families = load_families(root)
    given = {id(m) for each in shared for m in each.members if module_digest(m, cache) != each.digest}
    proofs: list[tuple[str, Proof]] = []
    for each, model in track(list(zip(asked, catalog.models.values(), strict=True)), "proving", total=len(asked)):
        proof = prove(catalog, model, each, families)
        if not proof.holds and not any(id(module) in given for module in each.seen.found.modules):
            told = f"up to {proof.distance:.3g} (relative) from the whole, {proof.batch_distance:.3g} in batches"
            raise WorkError(f"{model.name}: its modules answer otherwise than the whole: {told}; nothing was written")
        proofs.append((model.name, proof))
    return proofs


def show(written: Written) -> None:
    """Say what was written, and what comes next."""
    for name, proof in written.proofs:
        told = f"equal bit for bit to the whole; two requests at once {proof.batch_distance:.1g} (relative) from that"
        if not proof.equal:
            told = f"answers {proof.distance:.2g} (relative) from the whole's, since it has another model's module"
        typer.echo(f"{name}: {told}")
    for note in written.notes:
        typer.echo(note)
    saved = written.whole_bytes - written.shared_bytes
    models = "1 model" if len(written.proofs) == 1 else f"{len(written.proofs)} models"
    typer.echo(
        f"{models} of {bytes_in_words(written.whole_bytes)}: sharing saves {bytes_in_words(saved)} "
        f"({saved / written.whole_bytes:.1%})"
    )
    typer.echo(f"Written to {written.directory}. Next: splitshare describe --data {written.directory} -o modules.json")
