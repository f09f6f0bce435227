"""Models made by transformers, for the checks."""

import torch
from transformers import HubertConfig, HubertForSequenceClassification, Wav2Vec2FeatureExtractor

DISTILHUBERT = dict(
    num_hidden_layers=2, feat_proj_layer_norm=False, layerdrop=0.0, final_dropout=0.0,
    apply_spec_augment=False,
)
SMALL = dict(
    hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96,
    conv_dim=[32] * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4,
    classifier_proj_size=24,
)


def save_random(folder, seed, labels, do_normalize=False, scale=1.0, **settings):
    """A random model as transformers saves it; returns it. Initial weights give nearly the same output for
    everything: `scale` enlarges the head's weights."""
    torch.manual_seed(seed)
    config = HubertConfig(
        **settings, id2label=dict(enumerate(labels)), label2id={n: i for i, n in enumerate(labels)},
    )
    model = HubertForSequenceClassification(config).eval()
    with torch.no_grad():
        model.classifier.weight *= scale
        model.projector.weight *= scale
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=do_normalize).save_pretrained(folder)
    return model


def logits(model, samples):
    with torch.no_grad():
        return model(torch.from_numpy(samples)).logits.numpy()
