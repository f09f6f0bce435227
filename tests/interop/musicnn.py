"""musicnn in torch, from a model folder: the reference of the fixtures, and the peer of the benchmark."""

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn


def mel_from_hz(hz):
    """Slaney's scale."""
    return np.where(hz < 1000, 3 * hz / 200, 15 + 27 * np.log(np.maximum(hz, 1000) / 1000) / np.log(6.4))


def hz_from_mel(mel):
    return np.where(mel < 15, 200 * mel / 3, 1000 * 6.4 ** ((mel - 15) / 27))


def filters(c):
    """[bands, bins], in float64."""
    ends = mel_from_hz(np.array([c["min_frequency"], c["max_frequency"]], float))
    edges = hz_from_mel(np.linspace(*ends, c["num_mel_bins"] + 2))
    bins = np.arange(c["n_fft"] // 2 + 1) * c["sampling_rate"] / c["n_fft"]
    left, centre, right = (edges[i : len(edges) - 2 + i, None] for i in range(3))
    height = np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre))
    return np.maximum(0, height) * 2 / (right - left)


class LogMel(nn.Module):
    """samples [batch, length] → [batch, frames, bands]."""

    def __init__(self, c):
        super().__init__()
        self.c = c
        self.register_buffer("window", torch.hann_window(c["n_fft"], dtype=torch.float64), persistent=False)
        self.register_buffer("filters", torch.from_numpy(filters(c)), persistent=False)

    def forward(self, samples):
        spectrum = torch.stft(samples, self.c["n_fft"], self.c["hop_length"], window=self.window, center=True,
                              pad_mode="reflect", return_complex=True)
        power = spectrum.real**2 + spectrum.imag**2
        return torch.log10(1 + self.c["log_factor"] * (self.filters @ power)).transpose(1, 2)


def same(kernel):
    """Padding before and after, as TensorFlow's "same"."""
    return (kernel - 1) // 2, kernel // 2


class Block(nn.Module):
    """Convolution, ReLU, batch norm."""

    def __init__(self, conv, norm):
        super().__init__()
        self.conv, self.norm = conv, norm

    def forward(self, x):
        return self.norm(F.relu(self.conv(x)))


class Musicnn(nn.Module):
    """Frames [batch, time, bands] → penultimate [batch, hidden], tags [batch, labels]."""

    def __init__(self, c):
        super().__init__()
        eps = c["norm_eps"]
        self.norm = nn.BatchNorm2d(1, eps)
        self.timbre_pad = same(c["timbre_frames"])
        self.timbre = nn.ModuleList(
            Block(nn.Conv2d(1, c["timbre_channels"], (c["timbre_frames"], width)),
                  nn.BatchNorm2d(c["timbre_channels"], eps)) for width in c["timbre_bands"])
        self.tempo = nn.ModuleList(
            Block(nn.Conv2d(1, c["tempo_channels"], (frames, 1)), nn.BatchNorm2d(c["tempo_channels"], eps))
            for frames in c["tempo_frames"])
        width = len(self.timbre) * c["timbre_channels"] + len(self.tempo) * c["tempo_channels"]
        middle = c["middle_channels"]
        self.middle_pad = same(c["middle_frames"])
        self.middle = nn.ModuleList(
            Block(nn.Conv1d(middle if i else width, middle, c["middle_frames"]), nn.BatchNorm1d(middle, eps))
            for i in range(c["middle_layers"]))
        pooled = 2 * (width + c["middle_layers"] * middle)
        self.pooled = nn.ModuleDict({"norm": nn.BatchNorm1d(pooled, eps)})
        self.penultimate = nn.Linear(pooled, c["hidden_size"])
        self.penultimate.norm = nn.BatchNorm1d(c["hidden_size"], eps)
        self.tags = nn.Linear(c["hidden_size"], len(c["id2label"]))

    def forward(self, frames):
        x = self.norm(frames[:, None])
        padded = F.pad(x, (0, 0, *self.timbre_pad))
        maps = [block(padded) for block in self.timbre]
        for block in self.tempo:
            maps.append(block(F.pad(x, (0, 0, *same(block.conv.kernel_size[0])))))
        features = [torch.cat([y.amax(3) for y in maps], 1)]
        for i, block in enumerate(self.middle):
            y = block(F.pad(features[-1], self.middle_pad))
            features.append(y + features[-1] if i else y)
        x = torch.cat(features, 1)
        x = torch.stack([x.amax(2), x.mean(2)], 2).flatten(1)
        x = self.penultimate.norm(F.relu(self.penultimate(self.pooled["norm"](x))))
        return x, self.tags(x)


def load(folder, dtype=torch.float64):
    """(log-mel, network, configuration), for inference."""
    folder = Path(folder)
    config = json.loads((folder / "config.json").read_text())
    preprocessor = json.loads((folder / "preprocessor_config.json").read_text())
    network = Musicnn(config)
    missing = network.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    assert all("num_batches_tracked" in name for name in missing.missing_keys) and not missing.unexpected_keys, missing
    return LogMel(preprocessor).eval(), network.to(dtype).eval(), config
