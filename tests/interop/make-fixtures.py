#!/usr/bin/env python3
"""Makes the golden fixtures: small random Hubert classifiers and transformers' results for them.

    make-fixtures.py [FOLDER]      (default: tests/golden/fixtures)

Each fixture is a model folder (config.json, model.safetensors, preprocessor_config.json) and a golden.safetensors
with inputs, labels, hidden states, logits, loss, all gradients and the losses of ten AdamW steps. Together they
cover every option of the architecture. full-size contains no weights: those of DistilHuBERT's own dimensions come
from a formula (see formula.py).
"""

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from transformers import HubertConfig, HubertForSequenceClassification

import formula
import reference

BASE = dict(
    hidden_size=24,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=40,
    conv_dim=[12, 12, 12],
    conv_kernel=[10, 3, 2],
    conv_stride=[5, 2, 2],
    num_conv_pos_embeddings=8,
    num_conv_pos_embedding_groups=4,
    classifier_proj_size=10,
)

# name: (config, labels, batch, samples, do_normalize, naming of the weights)
FIXTURES = {
    # A small DistilHuBERT.
    "distil": (
        dict(
            BASE,
            feat_proj_layer_norm=False,
            num_attention_heads=3,
            conv_dim=[16] * 7,
            conv_kernel=[10, 3, 3, 3, 3, 2, 2],
            conv_stride=[5, 2, 2, 2, 2, 2, 2],
        ),
        ["ABBA", "Mika", "Queen", "Röyksopp"], 2, 5200, False, "modern",
    ),
    # hubert-base: a norm before the projection; here also biases in the convolutions.
    "base": (
        dict(BASE, num_hidden_layers=3, conv_bias=True, feat_proj_layer_norm=True),
        ["a", "b", "c"], 3, 900, True, "weight-norm-1",
    ),
    # hubert-large: norms in every convolution and before attention.
    "stable": (
        dict(BASE, feat_extract_norm="layer", conv_bias=True, do_stable_layer_norm=True,
             feat_proj_layer_norm=True),
        ["x", "y"], 2, 800, True, "modern",
    ),
    "stable-weighted": (
        dict(BASE, feat_extract_norm="layer", do_stable_layer_norm=True, use_weighted_layer_sum=True,
             num_conv_pos_embeddings=5, num_hidden_layers=3, feat_proj_layer_norm=False),
        ["x", "y", "z"], 2, 700, False, "modern",
    ),
    "weighted": (
        dict(BASE, use_weighted_layer_sum=True, hidden_act="relu", num_conv_pos_embeddings=9),
        ["one", "two", "three", "four", "five"], 2, 760, False, "modern",
    ),
    # Sizes that are not multiples of block sizes, a stride of 1, other activations, another epsilon.
    "odd": (
        dict(BASE, hidden_size=21, num_attention_heads=3, intermediate_size=37, conv_dim=[10, 14, 13],
             conv_kernel=[7, 1, 4], conv_stride=[3, 1, 2], num_conv_pos_embeddings=3,
             num_conv_pos_embedding_groups=3, hidden_act="gelu_new", feat_extract_activation="relu",
             classifier_proj_size=7, layer_norm_eps=1e-3),
        ["p", "q"], 3, 301, False, "modern",
    ),
    # Kernels of more than two strides, strides past the kernel, groups of one channel.
    "strides": (
        dict(BASE, num_hidden_layers=1, num_attention_heads=1, hidden_size=16, conv_dim=[9, 11, 8],
             conv_kernel=[11, 2, 7], conv_stride=[3, 3, 2], num_conv_pos_embedding_groups=16,
             hidden_act="silu", feat_extract_activation="gelu_new", conv_bias=True),
        ["p", "q", "r"], 1, 640, True, "modern",
    ),
    "one-convolution": (
        dict(BASE, num_hidden_layers=1, conv_dim=[6], conv_kernel=[16], conv_stride=[16],
             num_conv_pos_embeddings=1, num_conv_pos_embedding_groups=1, hidden_act="quick_gelu",
             feat_extract_activation="tanh", feat_extract_norm="layer", feat_proj_layer_norm=True),
        ["p", "q"], 4, 330, False, "modern",
    ),
}


def make_config(settings, labels):
    return HubertConfig(
        **{**reference.DETERMINISTIC, **settings},
        architectures=["HubertForSequenceClassification"],
        id2label={i: name for i, name in enumerate(labels)},
        label2id={name: i for i, name in enumerate(labels)},
    )


def random_tensor(rng, name, shape):
    """Values of a magnitude as after training, not the small ones of initialisation: so that every tensor affects
    the result."""
    values = rng.standard_normal(shape)
    if "layer_norm" in name and name.endswith(".weight") or name.endswith("original0"):
        return 1.0 + 0.2 * values
    if len(shape) < 2:
        return 0.2 * values
    return values / np.sqrt(np.prod(shape[1:]))


def old_name(name):
    name = name.replace("parametrizations.weight.original0", "weight_g")
    return name.replace("parametrizations.weight.original1", "weight_v")


def write_folder(folder, config, state, do_normalize):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(config.to_json_string(use_diff=False))
    preprocessor = {
        "do_normalize": do_normalize,
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "feature_size": 1,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": False,
        "sampling_rate": 16000,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor, indent=2) + "\n")
    if state is not None:
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def make_small(root, seed, name, settings, labels, batch, length, do_normalize, spelling):
    rng = np.random.default_rng(seed)
    config = make_config(settings, labels)
    model = HubertForSequenceClassification(config)
    state = {
        key: random_tensor(rng, key, tuple(value.shape)).astype(np.float32)
        for key, value in sorted(model.state_dict().items())
    }
    if spelling == "weight-norm-1":
        state = {old_name(key): value for key, value in state.items()}
    folder = root / name
    write_folder(folder, config, state, do_normalize)

    time = np.arange(length) / 16000.0
    tones = np.sin(2 * np.pi * rng.uniform(80, 4000, (batch, 3, 1)) * time).sum(1)
    samples = (0.2 * tones + 0.1 * rng.standard_normal((batch, length)) + 0.05).astype(np.float32)
    targets = (np.arange(batch) % len(labels)).astype(np.int32)
    golden = reference.compute(folder, samples, targets)
    golden.update(samples=samples, labels=targets)
    save_file(golden, folder / "golden.safetensors")
    return golden


def main():
    here = Path(__file__).resolve().parent
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else here.parent / "golden" / "fixtures"
    for seed, (name, fixture) in enumerate(FIXTURES.items()):
        golden = make_small(root, seed, name, *fixture)
        print(f"{name}: loss {golden['losses'][0]:.4f} to {golden['losses'][-1]:.4f}")
    golden = formula.make_full_size(root / "full-size", make_config, write_folder)
    print(f"full-size: loss {golden['loss'][0]:.4f}")


if __name__ == "__main__":
    main()
