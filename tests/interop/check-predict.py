"""`segue predict --json` on folders saved by transformers, compared with transformers on the same samples."""

import numpy as np
import torch

import models
from support import close, equal, folder, music, predictions, write_wav

LABELS = ["Björk", "Mika", "Muse", "a/b"]
SECONDS = 10


def softmax(logits):
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def check(work, do_normalize):
    path = work / f"normalize-{do_normalize}"
    model = models.save_random(path, 2, LABELS, do_normalize, scale=20.0, **models.SMALL)
    audio = write_wav(work / "song.wav", 0.5 * music(3 * SECONDS, 7) + 0.1)
    found, = predictions(path, work / "song.wav")
    segments = found["segments"]
    if not segments:
        raise SystemExit("no segments")
    rows, expected = [], []
    for segment in segments:
        start = round(segment["start"] * 16000)
        samples = audio[start : start + round(segment["duration"] * 16000)]
        equal("samples of a segment", len(samples), SECONDS * 16000)
        if do_normalize:
            samples = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
        expected.append(softmax(models.logits(model, samples[None].astype(np.float32))[0]))
        equal("labels", sorted(segment["probabilities"]), sorted(LABELS))
        rows.append([segment["probabilities"][label] for label in LABELS])
    # Probabilities are at most 1: absolute differences.
    difference = np.abs(np.array(rows) - np.array(expected)).max()
    if difference > 1e-4:
        raise SystemExit(f"do_normalize {do_normalize}: probabilities differ by {difference:.3g}")
    spread = np.ptp(np.array(expected), axis=1).min()
    print(f"  do_normalize {do_normalize}: {len(rows)} segments, largest difference {difference:.2g} "
          f"(probabilities spread over {spread:.2g})")
    mean = np.mean(expected, axis=0)
    song = [found["probabilities"][label] for label in LABELS]
    close("the song's probabilities", song, mean)
    equal("the song's label", found["label"], LABELS[int(mean.argmax())])


with folder() as work:
    for do_normalize in (False, True):
        check(work, do_normalize)
