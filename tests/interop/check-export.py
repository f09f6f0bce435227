"""The exported data set opens directly with `datasets`: splits, labels, audio; and its vectors with NumPy."""

import io
import json
import sys
import types

import numpy as np
import soundfile
from datasets import Audio, load_dataset

from support import equal, folder, run_pipeline, write_music_folder


def stand_in_for_torchcodec():
    """datasets requests torchcodec's encoder before it checks whether there is anything to encode. Here there is
    not, and torchcodec loads only where libraries of the right FFmpeg version are installed."""
    try:
        from torchcodec.encoders import AudioEncoder  # noqa: F401
    except (ImportError, OSError, RuntimeError):
        encoders = types.ModuleType("torchcodec.encoders")
        encoders.AudioEncoder = None
        sys.modules["torchcodec"] = types.ModuleType("torchcodec")
        sys.modules["torchcodec.encoders"] = encoders


# Names that `datasets` could take for sets.
LABELS = ["Ärzte", "Test Department", "The Train"]
SONGS, SEGMENTS = 5, 3


def data_folder(run):
    """The location of the run's data set: the folder that contains a README.md next to the data."""
    found = [path.parent for path in sorted(run.rglob("README.md")) if (path.parent / "data").is_dir()]
    if not found:
        raise SystemExit(f"no data set under {run}: {sorted(run.iterdir())}")
    return found[0]


stand_in_for_torchcodec()
with folder() as work:
    write_music_folder(work / "music", LABELS, songs=SONGS, seconds=5)
    root = data_folder(run_pipeline(work, "exported", "export", count=SEGMENTS))
    data = load_dataset("audiofolder", data_dir=str(root), cache_dir=str(work / "cache"))
    data = data.cast_column("audio", Audio(decode=False))
    equal("sets", sorted(data), ["test", "train", "validation"])
    equal("segments", sum(len(part) for part in data.values()), len(LABELS) * SONGS * SEGMENTS)
    seen = set()
    for name, part in data.items():
        label = part.features["label"]
        for row in part:
            text = label.int2str(row["label"]) if hasattr(label, "int2str") else row["label"]
            seen.add(text)
            audio = row["audio"]
            source = io.BytesIO(audio["bytes"]) if audio["bytes"] else audio["path"]
            samples, rate = soundfile.read(source, dtype="float32")
            equal("rate", rate, 16000)
            equal("samples", samples.shape, (16000,))
            if not np.abs(samples).max() > 0.1:
                raise SystemExit(f"{audio['path']} is silent")
    equal("labels", sorted(seen), sorted(LABELS))
    print("  " + ", ".join(f"{name}: {len(part)} segments" for name, part in sorted(data.items())))

    root = data_folder(run_pipeline(work, "vectors", "export", "{ metadata: true }", count=SEGMENTS,
                                    before="  - { use: embed, with: { encoders: [statistics] } }\n"))
    arrays = {str(path.relative_to(root / "data")): np.load(path) for path in (root / "data").rglob("*.npy")}
    equal("songs", len(arrays), len(LABELS) * SONGS)
    for name, array in arrays.items():
        equal(f"shape of {name}", (array.dtype, array.shape[0], array.ndim), (np.float32, SEGMENTS, 2))
        if not np.isfinite(array).all() or not array.any():
            raise SystemExit(f"{name} has no features")
    rows = [(path.parent.name, json.loads(line)) for path in (root / "data").rglob("metadata.jsonl")
            for line in path.read_text(encoding="utf-8").splitlines()]
    equal("rows", sorted((f"{name}/{row['file_name']}", row["row"]) for name, row in rows),
          sorted((name, i) for name in arrays for i in range(SEGMENTS)))
    print(f"  vectors: {len(arrays)} songs, {sum(map(len, arrays.values()))} segments")
