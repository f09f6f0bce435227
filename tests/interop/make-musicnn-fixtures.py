#!/usr/bin/env python3
"""Makes the fixtures of musicnn: small networks with random weights, and the results of torch for them in float64.

    make-musicnn-fixtures.py [FOLDER]      (default: tests/golden/fixtures)

Each is a model folder, and a golden.safetensors with samples, log-mel frames, penultimate values and tags."""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

import musicnn

BASE = dict(model_type="musicnn", architectures=["Musicnn"], timbre_frames=7, timbre_bands=[9, 16], timbre_channels=12,
            tempo_frames=[16, 8, 4], tempo_channels=5, middle_frames=7, middle_layers=3, middle_channels=8,
            hidden_size=10, norm_eps=1e-3)
FRONT = dict(sampling_rate=8000, n_fft=256, hop_length=100, num_mel_bins=24, min_frequency=0, max_frequency=4000,
             mel_scale="slaney", mel_norm="slaney", log_factor=10000)

# name: (config, preprocessor, labels, batch, samples)
FIXTURES = {
    # As the published models, only smaller.
    "musicnn": (BASE, FRONT, ["rock", "Björk", "piano", "quiet"], 3, 6000),
    # Even kernels, kernels over one frame and over all bands, fewer frames than a kernel has, one middle layer.
    "musicnn-odd": (
        dict(BASE, timbre_frames=4, timbre_bands=[5, 19, 20], timbre_channels=3, tempo_frames=[1, 34],
             tempo_channels=40, middle_frames=2, middle_layers=1, hidden_size=7, norm_eps=1e-5),
        dict(FRONT, hop_length=77, num_mel_bins=20, min_frequency=60, max_frequency=3500, log_factor=50),
        ["one"], 2, 1400,
    ),
}


def randomise(network, rng):
    """Norms with every sign of gamma, and statistics that are far from 0 and 1."""
    for name, tensor in network.state_dict().items():
        if not tensor.is_floating_point():
            continue
        values = rng.standard_normal(tensor.shape)
        if name.endswith("running_var"):
            values = rng.uniform(0.3, 3, tensor.shape)
        elif name.endswith("weight") and tensor.dim() > 1:
            values /= np.sqrt(tensor[0].numel())
        elif name == "norm.weight":
            values = 1 + 0 * values
        elif name.endswith("norm.weight"):
            values[::7] = 0
        tensor.copy_(torch.from_numpy(values.astype(np.float32)))


def make(folder, config, preprocessor, labels, batch, length, seed):
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    config = dict(config, id2label={str(i): label for i, label in enumerate(labels)},
                  label2id={label: i for i, label in enumerate(labels)})
    for name, value in (("config", config), ("preprocessor_config", preprocessor)):
        (folder / f"{name}.json").write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    network = musicnn.Musicnn(config)
    randomise(network, rng)
    weights = {name: tensor for name, tensor in network.state_dict().items() if tensor.is_floating_point()}
    save_file(weights, folder / "model.safetensors")
    time = np.arange(length) / preprocessor["sampling_rate"]
    samples = np.stack([0.3 * np.sin(2 * np.pi * (200 + 300 * i) * time * (1 + time)) for i in range(batch)])
    samples = (samples + 0.05 * rng.standard_normal(samples.shape)).astype(np.float32)
    log_mel, network, _ = musicnn.load(folder)
    with torch.no_grad():
        frames = log_mel(torch.from_numpy(samples).double())
        penultimate, tags = network(frames)
    save_file({"samples": torch.from_numpy(samples), "frames": frames.contiguous(), "penultimate": penultimate,
               "tags": tags}, folder / "golden.safetensors")


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "golden" / "fixtures"
    with torch.no_grad():
        for seed, (name, fixture) in enumerate(FIXTURES.items()):
            make(root / name, *fixture, seed)


main()
