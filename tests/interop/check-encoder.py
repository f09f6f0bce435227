"""As an encoder, segue computes the hidden states of transformers' AutoModel: of a folder without a classifier, and of
the same weights with one."""

import numpy as np
import torch
from transformers import AutoModel

import models
from support import close, equal, folder, music, our_layers

VARIANTS = {
    "distil": models.DISTILHUBERT,
    "base": dict(num_hidden_layers=3),
    "stable": dict(num_hidden_layers=3, do_stable_layer_norm=True, feat_extract_norm="layer", conv_bias=True),
}


def their_layers(model, samples):
    with torch.no_grad():
        values = torch.from_numpy(samples)
        output = model(values, output_hidden_states=True)
        features = model.feature_extractor(values).transpose(1, 2)
    return [*output.hidden_states[:-1], output.last_hidden_state, features]


with folder() as work:
    samples = np.stack([music(1, seed) for seed in range(3)])
    for name, settings in VARIANTS.items():
        whole, bare = work / f"{name}-classifier", work / name
        models.save_random(whole, 7, ["a", "b"], **{**models.SMALL, **settings})
        model = AutoModel.from_pretrained(whole).eval()
        model.save_pretrained(bare)
        (bare / "preprocessor_config.json").write_bytes((whole / "preprocessor_config.json").read_bytes())
        found, expected = our_layers(bare, samples), their_layers(model, samples)
        equal(f"{name}: layers", len(found), len(expected))
        for i, (ours, theirs) in enumerate(zip(found, expected)):
            close(f"{name}, layer {i}", ours, theirs.numpy())
        for i, (ours, headed) in enumerate(zip(found, our_layers(whole, samples))):
            equal(f"{name}, layer {i} of the classifier", headed.tobytes(), ours.tobytes())
