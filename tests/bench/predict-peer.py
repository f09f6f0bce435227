"""A program with transformers that does the same as `segue predict` with song-model (materials.py): the same
segments, with PyTorch's best settings.

  python3 tests/bench/predict-peer.py MODEL SONG"""
import json
import os
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import numpy as np
import soundfile
import soxr
import torch
from transformers import HubertForSequenceClassification

RATE, LENGTH, COUNT, BATCH = 16000, 160000, 20, 4

folder, song = sys.argv[1:]
torch.set_num_threads(2)
torch.set_flush_denormal(True)
samples, rate = soundfile.read(song, dtype="float32", always_2d=True)
samples = soxr.resample(samples.mean(1), rate, RATE)
starts = np.linspace(0, len(samples) - LENGTH, COUNT).round().astype(int)
rows = torch.from_numpy(np.stack([samples[start:start + LENGTH] for start in starts]))
model = HubertForSequenceClassification.from_pretrained(folder, attn_implementation="sdpa").eval()
with torch.inference_mode():
    logits = torch.cat([model(part).logits for part in rows.split(BATCH)])
probabilities = logits.softmax(-1).mean(0)
names = [model.config.id2label[i] for i in range(model.config.num_labels)]
print(json.dumps({"label": names[int(probabilities.argmax())],
                  "probabilities": dict(zip(names, probabilities.tolist()))}))
