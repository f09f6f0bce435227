#!/usr/bin/env python3
"""Makes fixtures.safetensors: the features of synthetic segments, computed by numpy, scipy and librosa in double.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install numpy scipy librosa==0.11.0 safetensors
    /tmp/venv/bin/python plugins/statistics/make-fixtures.py

The definitions are those of segment-features.h, written independently of the C code: librosa's mel filters and STFT,
numpy's FFT, sort and deviations. test-features.c makes the same segments from integers, so that no sample differs.
"""

from pathlib import Path

import librosa
import numpy as np
import scipy.signal
from safetensors.numpy import save_file

# name: rate, sample frames, channels, bands, f_min, f_max, stereo_f_max
CASES = {
    "ten-seconds": (44100, 441000, 2, 128, 20, 22050, 22050),
    "robust": (44100, 441000, 2, 128, 20, 16000, 15500),
    "mono": (44100, 100000, 1, 128, 20, 22050, 22050),
    "short": (44100, 11264, 2, 64, 20, 22050, 22050),
    "studio": (48000, 230000, 2, 128, 20, 22050, 22050),
    "half": (22050, 140003, 2, 40, 50, 11025, 11000),
    "narrow-bands": (44100, 60000, 2, 400, 20, 22050, 22050),
}


def segment(length, channels):
    """Saws with a tremolo, noise that comes and goes, one quiet stretch; float32 [length, channels]."""
    t = np.arange(length, dtype=np.int64)
    out = np.empty((length, channels), np.float32)
    for c in range(channels):
        state, noise = 12345 + c, np.empty(length, np.int64)
        for i in range(length):
            state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
            noise[i] = (state >> 16) - 32768
        saw = (t * (331 + 7 * c)) % 65536 - 32768
        common = (t * 1117) % 65536 - 32768
        tremolo = np.abs(t * 5 % 65536 - 32768)
        swell = np.abs(t * 3 % 131072 - 65536) // 2
        value = (saw * tremolo // 4 + common * 8192 + noise * swell // (8 << c)) // 65536
        value[(t >= 5000) & (t < 9000)] //= 4096
        out[:, c] = value / np.float32(32768)
    return out


def fast_length(window):
    """The next even length without prime factors above 13."""
    n = window + window % 2
    while True:
        rest = n
        for p in (2, 3, 5, 7, 11, 13):
            while rest % p == 0:
                rest //= p
        if rest == 1:
            return n
        n += 2


def spectra(x, rate):
    """Frames of one channel: complex [frames, bins], and the hop and length of the FFT."""
    window, hop = round(rate * 2048 / 44100), round(rate * 1024 / 44100)
    fft = fast_length(window)
    hann = scipy.signal.get_window("hann", window, fftbins=True)
    hann = hann * 2 / hann.sum()
    frames = librosa.util.frame(x, frame_length=window, hop_length=hop, axis=0)
    out = np.fft.rfft(frames * hann, n=fft, axis=1)
    if window == fft:
        again = librosa.stft(x, n_fft=fft, hop_length=hop, window=hann, center=False, dtype=complex)
        np.testing.assert_allclose(out, again.T, atol=1e-12)
    return out, hop, fft


def mel_filters(rate, fft, n, low, high):
    f = librosa.filters.mel(
        sr=rate, n_fft=fft, n_mels=n, fmin=low, fmax=high, htk=True, norm=None, dtype=np.float64
    )
    centres = librosa.mel_frequencies(n + 2, fmin=low, fmax=high, htk=True)[1:-1]
    for m in np.flatnonzero(f.sum(axis=1) == 0):
        f[m, int(round(centres[m] * fft / rate))] = 1
    return f


def statistics(v):
    n = len(v)
    ordered = np.sort(v, axis=0)
    quantiles = [ordered[(n - 1) * q // 10] for q in (1, 5, 9)]
    return np.concatenate([v.mean(0), v.std(0), np.abs(np.diff(v, axis=0)).mean(0), *quantiles])


def modulation(v, frame_rate):
    n = len(v)
    while max((p for p in range(2, n + 1) if n % p == 0 and all(p % q for q in range(2, p))), default=2) > 13:
        n -= 1
    v = v[:n]
    magnitudes = np.abs(np.fft.rfft(v - v.mean(0), axis=0)) * np.sqrt(429 / n)
    groups = np.log(0.001 + magnitudes.reshape(len(magnitudes), -1, 4).mean(2))
    hz = np.arange(len(groups)) * frame_rate / n
    ends = np.array([0.5, 4.5, 10.5, 20.5, 40.5, 80.5, 128.5]) * (44100 / 1024) / 429
    out = []
    for low, high in zip(ends[:-1], ends[1:]):
        bins = np.flatnonzero((hz >= low) & (hz < high))
        if len(bins) == 0:
            bins = 1 + np.array([np.argmin(np.abs(hz[1:] - (low + high) / 2))])
        out.append(groups[bins].mean(0))
    return np.stack(out, axis=1).ravel()


def stereo(left, right, rate, fft, limit):
    ends = librosa.mel_frequencies(34, fmin=20, fmax=22050, htk=True)
    used = np.flatnonzero(ends[2:] <= limit + 1e-6)
    filters = mel_filters(rate, fft, len(used), 20, ends[used[-1] + 2])
    power = lambda x: (np.abs(x) ** 2) @ filters.T
    both = (left * right.conj()).real @ filters.T
    l, r = power(left), power(right)
    middle, side = (l + r + 2 * both) / 4, (l + r - 2 * both) / 4
    e = 1e-11
    ratio = np.log((np.maximum(side, 0) + e) / (middle + e))
    balance = np.abs(np.log((l + e) / (r + e)))
    correlation = (both + e) / np.sqrt((l + e) * (r + e))
    return np.concatenate([ratio.mean(0), ratio.std(0), balance.mean(0), correlation.mean(0)])


tensors = {}
for name, (rate, length, channels, bands, low, high, limit) in CASES.items():
    x = segment(length, channels).astype(np.float64)
    left, right = x[:, 0], x[:, -1]
    middle, hop, fft = spectra((left + right) / 2, rate)
    v = np.log(np.abs(middle) ** 2 @ mel_filters(rate, fft, bands, low, high).T + 10**-11.4)
    image = stereo(spectra(left, rate)[0][::2], spectra(right, rate)[0][::2], rate, fft, limit)
    tensors[f"{name}.config"] = np.array([rate, length, channels, bands, low, high, limit], np.float64)
    tensors[f"{name}.features"] = np.concatenate([statistics(v), modulation(v, rate / hop), image]).astype(np.float32)
    tensors[f"{name}.samples"] = x.astype(np.float32)[-4:].ravel()
    print(name, len(v), "frames,", len(tensors[f"{name}.features"]), "numbers")
assert len(tensors["ten-seconds.features"]) == 960 + 128
assert len(tensors["robust.features"]) == 960 + 4 * 28
save_file(tensors, Path(__file__).with_name("fixtures.safetensors"))
