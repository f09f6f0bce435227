"""musicnn with its published weights, which examples/encoder.sh brings: log-mel frames against librosa, the network
against TensorFlow's own results and against torch. Needs the network once."""

import os
import subprocess
import sys
from pathlib import Path

import librosa
import numpy as np
import torch
from safetensors.numpy import load_file, save_file

import musicnn
from support import BUILD, RATE, SOURCE, close, folder, music, run

HERE = SOURCE / "tests" / "interop"
MODELS = ("msd", "mtt")
LIMIT = 2e-5


def install():
    """The folder of installed models, in the user's cache."""
    data = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "segue" / "interop-models"
    data.mkdir(parents=True, exist_ok=True)
    # With the pip of this environment: the system may have none.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(["sh", SOURCE / "examples" / "encoder.sh"], check=True,
                   env=dict(os.environ, XDG_DATA_HOME=str(data), PATH=path))
    return data / "segue" / "models"


def ours(model, **tensors):
    with folder() as work:
        save_file({name: np.ascontiguousarray(value, np.float32) for name, value in tensors.items()},
                  work / "in.safetensors")
        run(BUILD / "tests" / "golden" / "run-musicnn", model, work / "in.safetensors", work / "out.safetensors")
        return load_file(work / "out.safetensors")


def check_frames(log_mel, samples):
    """The reference's log-mel frames, which the fixtures contain, are librosa's."""
    for row in samples:
        mel = librosa.feature.melspectrogram(y=row.astype(np.float64), sr=RATE, n_fft=512, hop_length=256, n_mels=96,
                                             pad_mode="reflect", dtype=np.float64)
        found, expected = log_mel(torch.from_numpy(row[None]).double())[0], np.log10(1 + 10000 * mel).T
        close("torch's frames and librosa's", found[:-1], expected[:-1], 1e-9)
        close("the last frame", found[-1:], expected[-1:], 3e-5)  # librosa computes the end less exactly


def check(model, name, samples, tensorflow):
    log_mel, network, _ = musicnn.load(model)
    if name == "msd":
        check_frames(log_mel, samples)
    found = ours(model, frames=tensorflow["frames"])
    for what in ("penultimate", "tags"):
        close(f"{name}: {what}, TensorFlow", found[what], tensorflow[f"{name}.{what}"], LIMIT)
    with torch.no_grad():
        expected = network(log_mel(torch.from_numpy(samples).double()))
    found = ours(model, samples=samples)
    for what, values in zip(("penultimate", "tags"), expected):
        close(f"{name}: {what}, torch", found[what], values, LIMIT)


models = install()
samples = np.stack([music(10, seed) for seed in range(3)])
for name in MODELS:
    check(models / f"{name}-musicnn", name, samples, load_file(HERE / "musicnn-tensorflow.safetensors"))
