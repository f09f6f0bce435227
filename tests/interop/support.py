"""Shared by the checks: the programs under test, audio, comparisons."""

import json
import os
import subprocess
import sys
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing here needs the network
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
warnings.filterwarnings("ignore")

import numpy as np
import soundfile
from safetensors.numpy import load_file, save_file

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SEGUE_BUILD", SOURCE / "build-test")).resolve()
FIXTURES = SOURCE / "tests" / "golden" / "fixtures"
RATE = 16000
LIMIT = 1e-4


def fixtures_of(model_type):
    """The golden fixtures of one kind of model, sorted by name."""
    def is_one(folder):
        return json.loads((folder / "config.json").read_text())["model_type"] == model_type
    return [folder for folder in sorted(FIXTURES.iterdir()) if is_one(folder)]


@contextmanager
def folder():
    """A temporary folder."""
    with tempfile.TemporaryDirectory(prefix="segue-interop-") as path:
        yield Path(path)


def run(*command, cwd=None):
    """Runs a program of the build and returns its output; its errors end the check."""
    environment = dict(
        os.environ,
        SEGUE_PLUGIN_PATH=str(BUILD / "plugins"),
        SEGUE_WORKER=str(BUILD / "pipeline" / "worker" / "segue-worker"),
        SEGUE_PRESET_PATH=str(SOURCE / "examples" / "presets"),
    )
    if cwd is not None:
        environment["SEGUE_CACHE"] = str(cwd / "cache")
    words = [str(word) for word in command]
    result = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(words)}: exit {result.returncode}\n{result.stderr}")
    return result.stdout


def segue(*words, cwd=None):
    return run(BUILD / "pipeline" / "cli" / "segue", *words, cwd=cwd)


PREPARED = """\
segue: 1
name: {name}
seed: 5
vars: {{ music: music }}
stages:
  - id: songs
    use: scan
    with: {{ root: "${{music}}", layout: "{{artist}}/{{album}}/{{title}}", label: artist }}
  - use: decode
    with: {{ rate: 16000, channels: mono }}
  - use: segment
    with: {{ length: 1, count: {count} }}
{before}  - use: split
    with: {{ by: song, test: 0.2, validation: 0.2 }}
  - use: {stage}
    with: {config}
"""


def run_pipeline(work, name, stage, config="{}", count=4, before=""):
    """Songs of WORK/music, `count` segments of 1 s each, split into sets, then the stage; returns the run's
    folder. @before: stages before the split, as YAML."""
    text = PREPARED.format(name=name, stage=stage, config=config, count=count, before=before)
    (work / f"{name}.yaml").write_text(text)
    segue("run", f"{name}.yaml", cwd=work)
    return (work / "runs" / name / "latest").resolve()


def our_logits(model, samples, saved=None):
    """Logits of the model folder for samples [batch, length]; the model as saved by segue goes to `saved`."""
    with folder() as work:
        save_file({"samples": np.ascontiguousarray(samples, np.float32)}, work / "in.safetensors")
        if saved is not None:
            saved.mkdir()
        run(BUILD / "tests" / "golden" / "run-model", model, work / "in.safetensors",
            work / "out.safetensors", *([saved] if saved is not None else []))
        return load_file(work / "out.safetensors")["logits"]


def our_layers(model, samples):
    """All layers of the model folder as an encoder, [batch, frames, width] each."""
    with folder() as work:
        save_file({"samples": np.ascontiguousarray(samples, np.float32)}, work / "in.safetensors")
        run(BUILD / "tests" / "golden" / "run-model", "--layers", model, work / "in.safetensors",
            work / "out.safetensors")
        found = load_file(work / "out.safetensors")
        return [found[f"layers.{i}"] for i in range(len(found))]


def predictions(model, *files):
    lines = segue("predict", "--json", "--precision", "float32", "--model", model, *files).splitlines()
    return [json.loads(line) for line in lines]


def music(seconds, seed):
    """Something with a spectrum that changes: a few gliding tones and noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    audio = 0.02 * rng.standard_normal(len(time))
    for _ in range(4):
        low, rate = rng.uniform(80, 2000), rng.uniform(0.1, 2)
        audio += 0.1 * np.sin(2 * np.pi * low * time + 20 * np.sin(2 * np.pi * rate * time))
    return audio.astype(np.float32)


def write_wav(path, audio):
    """As 16-bit PCM; returns the samples that a reader of the file gets."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, RATE, subtype="PCM_16")
    return soundfile.read(path, dtype="float32")[0]


def write_music_folder(root, labels, songs, seconds):
    """ROOT/<label>/<album>/<song>.wav, each label with its own sound."""
    for i, label in enumerate(labels):
        for song in range(songs):
            time = np.arange(int(seconds * RATE)) / RATE
            tone = 0.3 * np.sin(2 * np.pi * (300 + 900 * i + 20 * song) * time)
            audio = tone + 0.2 * music(seconds, 100 * i + song)
            write_wav(root / label / f"Album {song % 2}" / f"Song {song}.wav", audio)


def close(what, found, expected, limit=LIMIT):
    """max |found − expected| relative to max |expected|."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    if found.shape != expected.shape:
        sys.exit(f"{what}: shape {found.shape}, expected {expected.shape}")
    difference = np.abs(found - expected).max() / np.abs(expected).max()
    if not difference <= limit:
        sys.exit(f"{what}: largest difference {difference:.3g}, allowed are {limit:g}")
    print(f"  {what}: largest difference {difference:.2g}")


def equal(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: {found!r}, expected {expected!r}")
