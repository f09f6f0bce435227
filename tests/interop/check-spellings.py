"""Model files of every origin: with and without the prefix, both namings of weight norm, half precision."""

import shutil

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import HubertForSequenceClassification

import models
from support import FIXTURES, close, equal, folder, music, our_logits

NEW = ("parametrizations.weight.original0", "parametrizations.weight.original1")
OLD = ("weight_g", "weight_v")


def rename(tensors, spelling, prefix):
    result = {}
    for name, value in tensors.items():
        for new, old, wanted in zip(NEW, OLD, spelling):
            name = name.replace(new, wanted).replace("conv." + old, "conv." + wanted)
        result[name if prefix else name.removeprefix("hubert.")] = value
    return result


def old_torch_spelling():
    """The tensor names of torch's own older weight_norm."""
    conv = torch.nn.utils.weight_norm(torch.nn.Conv1d(4, 4, 3), name="weight", dim=2)
    return {name for name, _ in conv.named_parameters()} - {"bias"}


equal("older torch's names", old_torch_spelling(), set(OLD))
with folder() as work:
    source = FIXTURES / "distil"
    tensors = load_file(source / "model.safetensors")
    samples = np.stack([music(0.4, seed) for seed in range(3)])
    expected = our_logits(source, samples)
    reference = HubertForSequenceClassification.from_pretrained(source).eval()
    close("the fixture itself", expected, models.logits(reference, samples))
    for spelling in (NEW, OLD):
        for prefix in (True, False):
            target = work / f"{spelling[0]}-{prefix}"
            shutil.copytree(source, target)
            save_file(rename(tensors, spelling, prefix), target / "model.safetensors", {"format": "pt"})
            found = our_logits(target, samples)
            equal(f"{spelling[0]}, prefix {prefix}", found.tolist(), expected.tolist())
            print(f"  {spelling[0]}, {'with' if prefix else 'without'} prefix: the same bits")
    for dtype in (torch.float16, torch.bfloat16):
        target = work / str(dtype)
        shutil.copytree(source, target)
        half = {name: value.to(dtype) for name, value in tensors.items()}
        save_file(half, target / "model.safetensors", {"format": "pt"})
        model = HubertForSequenceClassification.from_pretrained(target, dtype=torch.float32).eval()
        close(str(dtype), our_logits(target, samples), models.logits(model, samples))
