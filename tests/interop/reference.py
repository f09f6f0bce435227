"""The reference side of the golden fixtures: the results of transformers for a model folder.

Everything is computed in float64 with dropout off, so that the numbers are exact up to their storage as float32,
and a difference is the other side's rounding.
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from transformers import (
    HubertConfig,
    HubertForSequenceClassification,
    Wav2Vec2FeatureExtractor,
    get_linear_schedule_with_warmup,
)

STEPS = 10
WARMUP_STEPS = 2
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 1.0  # large, so that a wrong decay is visible in the losses
CLIP = 1.0

# All randomness in training: with these a training pass is a function of its input.
DETERMINISTIC = {
    "hidden_dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
    "feat_proj_dropout": 0.0,
    "final_dropout": 0.0,
    "layerdrop": 0.0,
    "apply_spec_augment": False,
}


def modern_name(name):
    """The current transformers name of a tensor, from any name that a file may contain."""
    name = name.replace("conv.weight_g", "conv.parametrizations.weight.original0")
    name = name.replace("conv.weight_v", "conv.parametrizations.weight.original1")
    head = ("hubert.", "projector.", "classifier.", "layer_weights")
    return name if name.startswith(head) else "hubert." + name


def load_model(folder, dtype=torch.float64):
    """The model in `folder`, every tensor must be used and every parameter must be present."""
    config = HubertConfig.from_pretrained(folder)
    model = HubertForSequenceClassification._from_config(config, attn_implementation="eager")
    tensors = load_file(Path(folder) / "model.safetensors")
    state = {modern_name(name): torch.from_numpy(value) for name, value in tensors.items()}
    model.load_state_dict(state, strict=True)
    return model.to(dtype).eval()


def prepare(folder, samples):
    """The model's input for raw samples [batch, length], from the folder's own preprocessor."""
    extractor = Wav2Vec2FeatureExtractor.from_pretrained(folder)
    rows = [np.asarray(row, np.float64) for row in samples]
    if extractor.do_normalize:
        rows = Wav2Vec2FeatureExtractor.zero_mean_unit_var_norm(rows, None)
    return torch.from_numpy(np.stack(rows))


def decays(name):
    """Weight decay applies to everything but biases and norms."""
    return not name.endswith(".bias") and "layer_norm" not in name


def forward(model, values):
    """Logits, the conv encoder's output and all hidden states, as a dict of float32 arrays."""
    with torch.no_grad():
        output = model(values, output_hidden_states=True)
        features = model.hubert.feature_extractor(values).transpose(1, 2)
        last = model.hubert(values).last_hidden_state
    result = {"logits": output.logits, "features": features, "last_hidden_state": last}
    for i, state in enumerate(output.hidden_states):
        result[f"hidden_states.{i}"] = state
    return {name: value.float().contiguous().numpy() for name, value in result.items()}


def gradients(model, values, labels):
    """The loss and the gradient of every parameter (zero where the loss does not depend on it)."""
    model.zero_grad()
    loss = model(values, labels=labels).loss
    loss.backward()
    grads = {
        "gradient." + name: (torch.zeros_like(p) if p.grad is None else p.grad).float().numpy()
        for name, p in model.named_parameters()
    }
    return loss.item(), grads


def training_losses(model, values, labels):
    """Losses of STEPS steps of AdamW on one batch: the loss before each step."""
    groups = [
        {"params": [p for n, p in model.named_parameters() if decays(n)], "weight_decay": WEIGHT_DECAY},
        {"params": [p for n, p in model.named_parameters() if not decays(n)], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8)
    schedule = get_linear_schedule_with_warmup(optimiser, WARMUP_STEPS, STEPS)
    losses = []
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss = model(values, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def compute(folder, samples, labels):
    """Everything in a fixture besides its input, as float32 arrays."""
    model = load_model(folder)
    values = prepare(folder, samples)
    targets = torch.from_numpy(np.asarray(labels, np.int64))
    result = forward(model, values)
    loss, grads = gradients(model, values, targets)
    result["loss"] = np.array([loss], np.float32)
    result.update(grads)
    result["losses"] = np.array(training_losses(model, values, targets), np.float32)
    return result


def label_names(folder):
    config = json.loads((Path(folder) / "config.json").read_text())
    return [config["id2label"][str(i)] for i in range(len(config["id2label"]))]
