"""mel-cnn: a folder trained by segue, computed by torch from its files alone, compared with `segue predict`."""

import json

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from support import close, equal, folder, music, predictions, run_pipeline, write_music_folder, write_wav

LABELS = ["Ærø", "Mika", "Zoë"]
MODELS = {
    "defaults": "mel-cnn",
    "other": "{ use: mel-cnn, channels: [5, 40, 9], bands: 40, window: 30, hop: 11, low: 60, high: 7000, "
    "scale: slaney, standardise: segment, pool: mean, floor: -50 }",
}
EPS = 1e-5


def mel(scale, hz):
    if scale == "htk":
        return 2595 * np.log10(1 + hz / 700)
    return np.where(hz < 1000, 3 * hz / 200, 15 + 27 * np.log(np.maximum(hz, 1) / 1000) / np.log(6.4))


def log_mel(config, samples):
    window = torch.hann_window(config["window_length"], periodic=True, dtype=torch.float64)
    frames = samples.unfold(1, config["window_length"], config["hop_length"]) * (2 * window / window.sum())
    power = torch.fft.rfft(frames, n=config["n_fft"]).abs() ** 2
    # The scale's inverse by interpolation on a grid much finer than the bins.
    grid = np.linspace(0, config["sampling_rate"] / 2, 2_000_001)
    low, high = (float(mel(config["mel_scale"], np.array(config[key]))) for key in ("min_frequency", "max_frequency"))
    edges = np.interp(np.linspace(low, high, config["num_mel_bins"] + 2), mel(config["mel_scale"], grid), grid)
    bins = np.arange(config["n_fft"] // 2 + 1) * config["sampling_rate"] / config["n_fft"]
    left, centre, right = (edges[i : len(edges) - 2 + i, None] for i in range(3))
    bank = np.maximum(0, np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre)))
    return torch.log(config["mel_floor"] + power @ torch.from_numpy(bank).T)


def probabilities(path, samples):
    """[batch, labels] for samples [batch, length], in double."""
    config = json.loads((path / "config.json").read_text())
    w = {name: tensor.double() for name, tensor in load_file(path / "model.safetensors").items()}
    x = log_mel(config, torch.from_numpy(samples.astype(np.float64)))
    if config["standardise"] == "band":
        x = (x - w["frames.running_mean"]) / torch.sqrt(w["frames.running_var"] + EPS)
    else:
        variance = x.var((1, 2), unbiased=False, keepdim=True)
        x = (x - x.mean((1, 2), keepdim=True)) / torch.sqrt(variance + EPS)
    x = x[:, None]
    for i in range(len(config["channels"])):
        block = f"blocks.{i}."
        x = F.conv2d(x, w[block + "conv.weight"], padding=1)
        norm = [w[block + "norm." + name] for name in ("running_mean", "running_var", "weight", "bias")]
        x = torch.relu(F.batch_norm(x, *norm, eps=EPS))
        x = F.max_pool2d(x, 2) if config["pool"] == "max" else F.avg_pool2d(x, 2)
    x = x.mean(3)
    features = torch.cat([x.mean(2), x.amax(2)], 1)
    logits = features @ w["head.weight"].T + w["head.bias"]
    labels = [config["id2label"][str(i)] for i in range(len(config["id2label"]))]
    equal("label2id", config["label2id"], {label: i for i, label in enumerate(labels)})
    return labels, torch.softmax(logits, 1).numpy()


def check(work, name, model):
    path = run_pipeline(work, name, "train", f"{{ model: {model}, epochs: 2, batch: 4 }}") / "model"
    audio = write_wav(work / "song.wav", 0.5 * music(4, 7))
    found, = predictions(path, work / "song.wav")
    starts = [round(segment["start"] * 16000) for segment in found["segments"]]
    labels, expected = probabilities(path, np.stack([audio[at : at + 16000] for at in starts]))
    equal("labels", labels, sorted(LABELS))
    rows = [[segment["probabilities"][label] for label in labels] for segment in found["segments"]]
    close(f"{name}: {len(rows)} segments", rows, expected)


with folder() as work:
    write_music_folder(work / "music", LABELS, 5, 6)
    for name, model in MODELS.items():
        check(work, name, model)
