"""A model of DistilHuBERT's own size whose weights come from a formula, so that both sides generate the same 23.7
million numbers and none is stored.

Number i of the tensor with index t (tensors sorted by name, names as in current transformers) is
(h >> 8) / 2^23 - 1, in [-1, 1), with h = mix (mix (t + 1) xor i) and mix the 32-bit finaliser below: exact in
float32. It is multiplied by a scale that depends on the tensor's role and shape, in float32.
"""

import numpy as np
import torch
from safetensors.numpy import save_file
from transformers import HubertForSequenceClassification

import reference

SETTINGS = dict(
    hidden_size=768, num_hidden_layers=2, num_attention_heads=12, intermediate_size=3072,
    conv_dim=[512] * 7, conv_kernel=[10, 3, 3, 3, 3, 2, 2], conv_stride=[5, 2, 2, 2, 2, 2, 2],
    num_conv_pos_embeddings=128, num_conv_pos_embedding_groups=16, feat_proj_layer_norm=False,
    classifier_proj_size=256,
)
LABELS = [f"artist {i}" for i in range(10)]
BATCH = 2
LENGTH = 24000
SAMPLED = 64  # numbers of each gradient and hidden state stored in the fixture


def mix(x):
    x = np.asarray(x, np.uint32)
    with np.errstate(over="ignore"):
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
        x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def numbers(index, count):
    h = mix(mix(index + 1) ^ np.arange(count, dtype=np.uint32))
    return (h >> np.uint32(8)).astype(np.float32) / np.float32(1 << 23) - np.float32(1)


def tensor(index, name, shape):
    u = numbers(index, int(np.prod(shape))).reshape(shape)
    if name.endswith("original0"):
        return np.float32(2) + np.float32(0.5) * u
    if "layer_norm" in name and name.endswith(".weight"):
        return np.float32(1) + np.float32(0.25) * u
    if len(shape) < 2:
        return np.float32(0.25) * u
    return np.float32(np.sqrt(3.0 / np.prod(shape[1:]))) * u


def samples():
    """Noise under a slow triangle, from the same numbers."""
    u = numbers(1000, BATCH * LENGTH).reshape(BATCH, LENGTH)
    ramp = (np.abs(np.arange(LENGTH) % 2000 - 1000) / np.float32(1000)).astype(np.float32)
    return (u * ramp * np.float32(0.5)).astype(np.float32)


def make_model(config):
    model = HubertForSequenceClassification._from_config(config, attn_implementation="eager")
    state = model.state_dict()
    made = {
        name: torch.from_numpy(tensor(i, name, tuple(state[name].shape)))
        for i, name in enumerate(sorted(state))
    }
    model.load_state_dict(made, strict=True)
    return model


def pick(values):
    """At most SAMPLED numbers at equal distances, the first among them."""
    flat = values.reshape(-1)
    return flat[:: max(len(flat) // SAMPLED, 1)][:SAMPLED].copy()


def compute(config):
    model = make_model(config).double().eval()
    values = torch.from_numpy(samples()).double()
    labels = torch.arange(BATCH) * 7 % len(LABELS)
    result = {}
    for name, value in reference.forward(model, values).items():
        result[name] = value if name == "logits" else pick(value)
        result["norm." + name] = np.array([np.linalg.norm(value.astype(np.float64))], np.float32)
    loss, grads = reference.gradients(model, values, labels)
    for name, value in grads.items():
        result[name] = pick(value)
        result["norm." + name] = np.array([np.linalg.norm(value.astype(np.float64))], np.float32)
    result["loss"] = np.array([loss], np.float32)
    result["labels"] = labels.numpy().astype(np.int32)
    return result


def make_full_size(folder, make_config, write_folder):
    config = make_config(SETTINGS, LABELS)
    write_folder(folder, config, None, False)
    golden = compute(config)
    save_file(golden, folder / "golden.safetensors")
    return golden
