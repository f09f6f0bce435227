"""A program with librosa and scikit-learn that does what the preset artist-small does: the same segments, copies,
features and classifier, in as many processes as there are processors.

    python3 tests/bench/small-peer.py MUSIC

MUSIC has a folder for each artist. Needs librosa, scikit-learn, soundfile and soxr. Prints the accuracy on the test
songs, by segment and by song; the split is its own."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import multiprocessing
import sys
from pathlib import Path

import librosa
import numpy as np
import soxr
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import StandardScaler

RATE, LENGTH, COUNT, EDGE, COPIES = 44100, 441000, 10, 10, 2
WINDOW, HOP, BANDS = 2048, 1024, 128
MEL = librosa.filters.mel(sr=RATE, n_fft=WINDOW, n_mels=BANDS, fmin=20, fmax=RATE / 2, htk=True, norm=None)
STEREO = librosa.filters.mel(sr=RATE, n_fft=WINDOW, n_mels=32, fmin=20, fmax=RATE / 2, htk=True, norm=None)[:28]
SCALE = 2 / librosa.filters.get_window("hann", WINDOW).sum()


def spectrum(x, hop):
    return librosa.stft(x, n_fft=WINDOW, hop_length=hop, center=False) * SCALE


def statistics(x):
    v = np.log(MEL @ np.abs(spectrum(x, HOP)) ** 2 + 10**-11.4)
    ordered = np.sort(v, axis=1)
    levels = [ordered[:, int(q * (v.shape[1] - 1))] for q in (0.1, 0.5, 0.9)]
    changes = np.abs(np.fft.rfft(v - v.mean(1, keepdims=True), axis=1))[:, :129]
    groups = np.log(0.001 + changes.reshape(-1, 4, changes.shape[1]).mean(1))
    ranges = [groups[:, a:b].mean(1) for a, b in ((1, 5), (5, 11), (11, 21), (21, 41), (41, 81), (81, 129))]
    return [v.mean(1), v.std(1), np.abs(np.diff(v, axis=1)).mean(1), *levels, *ranges]


def stereo(left, right):
    a, b = spectrum(left, WINDOW), spectrum(right, WINDOW)
    l, r, both = STEREO @ np.abs(a) ** 2, STEREO @ np.abs(b) ** 2, STEREO @ (a * b.conj()).real
    ratio = np.log((np.maximum(l + r - 2 * both, 0) / 4 + 1e-11) / ((l + r + 2 * both) / 4 + 1e-11))
    return [ratio.mean(1), ratio.std(1), np.abs(np.log((l + 1e-11) / (r + 1e-11))).mean(1),
            ((both + 1e-11) / np.sqrt((l + 1e-11) * (r + 1e-11))).mean(1)]


def features(x):
    return np.concatenate([*statistics(x.mean(0)), *stereo(*x)])


def change(x, random):
    if random.random() < 0.75:
        rate = 200 * random.integers(110, 170)
        low = soxr.resample(x.T, RATE, rate)
        x = soxr.resample(low, rate, RATE)[:LENGTH].T
        x = np.pad(x, ((0, 0), (0, LENGTH - x.shape[1])))
    return np.repeat(x.mean(0, keepdims=True), 2, axis=0) if random.random() < 0.4 else x


def embed(path):
    """[segments, 1 + COPIES, features]"""
    x, _ = librosa.load(path, sr=RATE, mono=False)
    x = np.atleast_2d(x)[:, EDGE * RATE:-EDGE * RATE]
    x = np.repeat(x, 2, axis=0) if len(x) == 1 else x[:2]
    random = np.random.default_rng(len(x[0]))
    rows = []
    for start in np.linspace(0, x.shape[1] - LENGTH, COUNT).round().astype(int):
        segment = x[:, start:start + LENGTH]
        rows.append([features(segment), *(features(change(segment, random)) for _ in range(COPIES))])
    return np.array(rows, np.float32)


def main():
    songs = [(path, path.relative_to(sys.argv[1]).parts[0]) for path in sorted(Path(sys.argv[1]).rglob("*"))
             if path.suffix in (".ogg", ".opus", ".mp3", ".flac", ".wav")]
    with multiprocessing.Pool(os.cpu_count()) as pool:
        rows = pool.map(embed, [path for path, _ in songs], chunksize=1)
    random, sets = np.random.default_rng(1), np.zeros(len(songs), int)
    for artist in {artist for _, artist in songs}:
        own = random.permutation([i for i, song in enumerate(songs) if song[1] == artist])
        sets[own[:max(1, round(0.2 * len(own)))]] = 1
    train, test = np.flatnonzero(sets == 0), np.flatnonzero(sets == 1)
    x = np.concatenate([rows[i].reshape(-1, rows[i].shape[-1]) for i in train])
    y = np.concatenate([np.repeat(songs[i][1], COUNT * (1 + COPIES)) for i in train])
    scaler = StandardScaler().fit(x)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(scaler.transform(x), y)
    answers = [model.predict_proba(scaler.transform(rows[i][:, 0])) for i in test]
    segments = np.concatenate([model.classes_[p.argmax(1)] == songs[i][1] for i, p in zip(test, answers)])
    right = [model.classes_[p.mean(0).argmax()] == songs[i][1] for i, p in zip(test, answers)]
    print(f"test: {segments.mean():.3f} by segment, {np.mean(right):.3f} by song")


if __name__ == "__main__":
    main()
