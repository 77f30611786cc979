"""Tiny data sets in the true schemas of the ten benchmarks, as files of a repository."""

import io
import tarfile
import wave
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Audio, ClassLabel, Features, Image, Value
from datasets import List as ListOf
from PIL import Image as PillowImage

ROWS_PER_GROUP = 4


def image_bytes(seed: int, kind: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    """A picture of random colours, in blocks so that it survives resizing."""
    blocks = np.random.default_rng(seed).integers(256, size=(3, 4, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    PillowImage.fromarray(blocks).resize(size, PillowImage.Resampling.NEAREST).save(buffer, kind)
    return buffer.getvalue()


def wav_bytes(seed: int, seconds: float = 0.3, rate: int = 44_100) -> bytes:
    """A tone with noise, 16 bit, mono."""
    draw = np.random.default_rng(seed)
    time = np.arange(int(seconds * rate)) / rate
    sound = 0.4 * np.sin(2 * np.pi * (200 + 100 * seed) * time) + 0.05 * draw.normal(size=len(time))
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def parquet(rows: list[dict[str, Any]], features: Features, rows_per_group: int = ROWS_PER_GROUP) -> bytes:
    """Rows as a Parquet file as `datasets` writes it, its features in the metadata."""
    table = pa.Table.from_pylist(rows, schema=features.arrow_schema)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=rows_per_group)
    return buffer.getvalue()


def card(config: str, *splits: str) -> dict[str, bytes]:
    """The front matter of a data set's card that gives its configuration a name."""
    files = "".join(f"  - split: {split}\n    path: data/{split}-*\n" for split in splits)
    return {"README.md": f"---\nconfigs:\n- config_name: {config}\n  data_files:\n{files}---\n".encode()}


def picture(seed: int) -> dict[str, Any]:
    return {"bytes": image_bytes(seed), "path": f"{seed}.png"}


def labelled(
    split: str,
    count: int,
    names: list[str],
    image: str = "image",
    label: str = "label",
    rows: int = ROWS_PER_GROUP,
    first_seed: int = 0,
    repeats: int = 1,
    **more: str,
) -> dict[str, bytes]:
    """A labelled image data set of two Parquet files; labels in each count from 0, each so often."""
    features = Features({image: Image(), label: ClassLabel(names=names)} | {k: Value("string") for k in more})
    half = count // 2
    made = [{image: picture(first_seed + i), label: i % half // repeats % len(names)} | more for i in range(count)]
    return {
        f"data/{split}-00000-of-00002.parquet": parquet(made[:half], features, rows),
        f"data/{split}-00001-of-00002.parquet": parquet(made[half:], features, rows),
    }


def vqav2(split: str, rows: int) -> dict[str, bytes]:
    features = Features(
        {
            "question_type": Value("string"),
            "multiple_choice_answer": Value("string"),
            "answers": ListOf(
                {"answer": Value("string"), "answer_confidence": Value("string"), "answer_id": Value("int64")}
            ),
            "image_id": Value("int64"),
            "answer_type": Value("string"),
            "question_id": Value("int64"),
            "question": Value("string"),
            "image": Image(),
        }
    )
    answers = ["yes", "no", "2"]
    made = [
        {
            "question_type": "is the",
            "multiple_choice_answer": answers[i % 3],
            "answers": [
                {"answer": answers[(i + (j > 7)) % 3], "answer_confidence": "yes", "answer_id": j + 1}
                for j in range(10)
            ],
            "image_id": i,
            "answer_type": "other",
            "question_id": 10 * i,
            "question": "is this a question ?" if i % 2 else "how many are there ?",
            "image": picture(i),
        }
        for i in range(rows)
    ]
    return {f"data/{split}-00000-of-00001.parquet": parquet(made, features)}


def textvqa(split: str, rows: int) -> dict[str, bytes]:
    features = Features(
        {
            "question": Value("string"),
            "answers": ListOf(Value("string")),
            "image": Image(),
            "question_id": Value("int32"),
        }
    )
    made = [
        {"question": "what does it say ?", "answers": ["stop"] * 8 + ["go"] * 2, "image": picture(i), "question_id": i}
        for i in range(rows)
    ]
    return {f"data/{split}-00000-of-00001.parquet": parquet(made, features)}


def esc50(rows: int, names: list[str]) -> dict[str, bytes]:
    features = Features(
        {
            "filename": Value("string"),
            "fold": Value("int64"),
            "target": Value("int64"),
            "category": Value("string"),
            "esc10": Value("bool"),
            "src_file": Value("int64"),
            "take": Value("string"),
            "audio": Audio(),
        }
    )
    made = [
        {
            "filename": f"{i}.wav",
            "fold": 1 + i % 5,
            "target": i // 5 % len(names),
            "category": names[i // 5 % len(names)],
            "esc10": False,
            "src_file": i,
            "take": "A",
            "audio": {"bytes": wav_bytes(i // 5 % len(names)), "path": f"{i}.wav"},
        }
        for i in range(rows)
    ]
    return {"data/train-00000-of-00001.parquet": parquet(made, features, 25)}


def flickr30k(rows: int) -> dict[str, bytes]:
    features = Features(
        {
            "image": Image(),
            "caption": ListOf(Value("string")),
            "sentids": ListOf(Value("string")),
            "img_id": Value("string"),
            "filename": Value("string"),
        }
    )
    made = [
        {
            "image": picture(i),
            "caption": [f"A dog number {i} runs.", "A dog runs on the grass."],
            "sentids": [str(2 * i), str(2 * i + 1)],
            "img_id": str(i),
            "filename": f"{i}.jpg",
        }
        for i in range(rows)
    ]
    return {"data/test-00000-of-00001.parquet": parquet(made, features)}


def webdataset(split: str, rows: int, names: list[str]) -> dict[str, bytes]:
    """Pictures and classes in a tar file, names of classes in a text file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for i in range(rows):
            for suffix, content in (("webp", image_bytes(i, "WEBP")), ("cls", str(i % len(names)).encode())):
                entry = tarfile.TarInfo(f"s{i:07d}.{suffix}")
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    return {f"{split}/0.tar": buffer.getvalue(), "classnames.txt": "\n".join(names).encode() + b"\n"}
