"""Models that segue saves and trains open in transformers: every weight used, labels in order, the same
outputs."""

import numpy as np
import torch
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

import models
from support import close, equal, fixtures_of, folder, music, our_logits, run_pipeline, write_music_folder
from reference import label_names

# A model defined by a pipeline: with the options that DistilHuBERT does not use.
NEW = (
    "{ use: distilhubert, hidden_size: 24, num_attention_heads: 3, intermediate_size: 40, "
    "conv_dim: [16, 16, 16], conv_kernel: [10, 8, 4], conv_stride: [5, 4, 4], conv_bias: true, "
    "feat_extract_norm: layer, do_stable_layer_norm: true, feat_proj_layer_norm: true, "
    "num_conv_pos_embeddings: 7, num_conv_pos_embedding_groups: 4, classifier_proj_size: 12, "
    "apply_spec_augment: true, do_normalize: true }"
)
LABELS = ["Ärzte", "Mika", "Zoë"]


def open_in_transformers(path, samples, expected):
    """Opens the folder, which must be complete and contain nothing else, and compares the outputs."""
    model, info = AutoModelForAudioClassification.from_pretrained(path, output_loading_info=True)
    for key in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
        equal(f"{path.name}: {key}", sorted(info.get(key, [])), [])
    extractor = AutoFeatureExtractor.from_pretrained(path)
    values = extractor(list(samples), sampling_rate=16000, return_tensors="np").input_values
    close(f"{path.name}: logits", expected, models.logits(model.eval(), values))
    equal(f"{path.name}: class", type(model).__name__, "HubertForSequenceClassification")
    return model


def train(work, name, model, more=""):
    config = f"{{ model: {model}, epochs: 2, batch: 4, learning_rate: 1.0e-3{more} }}"
    return run_pipeline(work, name, "train", config) / "model"


with folder() as work:
    samples = np.stack([music(1, seed) for seed in range(2)])
    for fixture in fixtures_of("hubert"):
        if not (fixture / "model.safetensors").exists():
            continue
        saved = work / fixture.name
        expected = our_logits(fixture, samples, saved)
        model = open_in_transformers(saved, samples, expected)
        labels = [model.config.id2label[i] for i in range(model.config.num_labels)]
        equal(f"{fixture.name}: labels", labels, label_names(fixture))

    write_music_folder(work / "music", LABELS, songs=5, seconds=6)
    models.save_random(work / "pretrained", 3, ["yes", "no"], **models.SMALL)
    for path in (train(work, "new", NEW),
                 train(work, "tuned", "distilhubert", f", init: {work / 'pretrained'}")):
        model = open_in_transformers(path, samples, our_logits(path, samples))
        labels = [model.config.id2label[i] for i in range(model.config.num_labels)]
        equal("labels of the trained model", labels, sorted(LABELS))
