"""DistilHuBERT at its own size, random weights as transformers initialises and saves them, 10 s of audio."""

import numpy as np

import models
from support import close, folder, music, our_logits

with folder() as work:
    labels = [f"artist {i}" for i in range(10)]
    model = models.save_random(work / "model", 1, labels, **models.DISTILHUBERT)
    samples = np.stack([music(10, seed) for seed in range(2)])
    close("logits of 10 s", our_logits(work / "model", samples), models.logits(model, samples))
    short = samples[:, :3001]
    close("logits of 3001 samples", our_logits(work / "model", short), models.logits(model, short))
