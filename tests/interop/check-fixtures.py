"""The committed fixtures equal the results of the installed transformers."""

import sys

import numpy as np
from transformers import HubertConfig

import formula
import reference
from support import equal, fixtures_of, load_file

LIMIT = 1e-5


def check(name, stored, made):
    given = {"samples", "labels"}
    equal(f"{name}: tensors", sorted(set(made) - given), sorted(set(stored) - given))
    gradients = [value for key, value in made.items() if key.startswith("gradient.")]
    # Where a gradient is exactly 0, each machine has its own rounding noise.
    noise = 1e-6 * max(np.abs(value).max() for value in gradients)
    worst = 0.0
    for key, value in made.items():
        difference = np.abs(value.astype(np.float64) - stored[key]).max()
        difference /= max(np.abs(stored[key]).max(), noise)
        if not difference <= LIMIT:
            sys.exit(f"{name}: {key} differs by {difference:.3g}")
        worst = max(worst, difference)
    print(f"  {name}: largest difference {worst:.2g}")


for folder in fixtures_of("hubert"):
    stored = load_file(folder / "golden.safetensors")
    if folder.name == "full-size":
        made = formula.compute(HubertConfig.from_pretrained(folder))
    else:
        made = reference.compute(folder, stored["samples"], stored["labels"])
    check(folder.name, stored, made)
