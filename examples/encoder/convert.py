"""convert.py PACKAGE MODEL FOLDER: a musicnn model as a model folder that segue loads.

PACKAGE is the unpacked wheel of musicnn 0.1.0; MODEL is msd or mtt; FOLDER must not exist. Only the standard library
is needed, and nothing of the package is run.
"""

import argparse
import array
import ast
import glob
import json
import math
import os
import shutil
import struct
import sys

from checkpoint import Checkpoint, Damaged

# The architecture (Pons et al. 2018) and its names in segue; sizes are those of both published models.
BANDS = 96
TIMBRE_FRAMES = 7
TIMBRE_BANDS = (38, 67)
TIMBRE_CHANNELS = 204
TEMPO_FRAMES = (128, 64, 32)
TEMPO_CHANNELS = 51
MIDDLE_FRAMES = 7
MIDDLE_LAYERS = 3
MIDDLE_CHANNELS = 64
HIDDEN = 200
NORM = (("weight", "gamma"), ("bias", "beta"), ("running_mean", "moving_mean"), ("running_var", "moving_variance"))


def numbered(name, i):
    return name if i == 0 else f"{name}_{i}"


def convolutions():
    """(name, frames, bands, input channels, output channels), in TensorFlow's order."""
    for i, bands in enumerate(TIMBRE_BANDS):
        yield f"timbre.{i}", TIMBRE_FRAMES, bands, 1, TIMBRE_CHANNELS
    for i, frames in enumerate(TEMPO_FRAMES):
        yield f"tempo.{i}", frames, 1, 1, TEMPO_CHANNELS
    front = len(TIMBRE_BANDS) * TIMBRE_CHANNELS + len(TEMPO_FRAMES) * TEMPO_CHANNELS
    for i in range(MIDDLE_LAYERS):
        # TensorFlow convolves over [time, channels] of one channel; it is one-dimensional with as many channels.
        yield f"middle.{i}", MIDDLE_FRAMES, front if i == 0 else MIDDLE_CHANNELS, 1, MIDDLE_CHANNELS


def transposed(values, rows, columns):
    """[columns, rows] from [rows, columns]."""
    result = array.array("f", bytes(4 * rows * columns))
    for column in range(columns):
        result[column * rows : (column + 1) * rows] = values[column::columns]
    return result


def read_norm(checkpoint, name, i, channels):
    for ours, theirs in NORM:
        yield f"{name}.{ours}", (channels,), checkpoint.read(f"{numbered('batch_normalization', i)}/{theirs}", (channels,))


def read_convolution(checkpoint, name, i, shape):
    frames, bands, _, out = shape
    kernel = transposed(checkpoint.read(f"{numbered('conv2d', i)}/kernel", shape), frames * bands, out)
    if name.startswith("middle"):  # [out, channels, frames], as in torch.nn.Conv1d
        kernel = array.array("f", (value for o in range(out) for value in
                                   transposed(kernel[o * frames * bands : (o + 1) * frames * bands], frames, bands)))
        yield f"{name}.conv.weight", (out, bands, frames), kernel
    else:  # [out, 1, frames, bands], as in torch.nn.Conv2d
        yield f"{name}.conv.weight", (out, 1, frames, bands), kernel
    yield f"{name}.conv.bias", (out,), checkpoint.read(f"{numbered('conv2d', i)}/bias", (out,))


def read_dense(checkpoint, name, i, inputs, outputs):
    kernel = checkpoint.read(f"{numbered('dense', i)}/kernel", (inputs, outputs))
    yield f"{name}.weight", (outputs, inputs), transposed(kernel, inputs, outputs)
    yield f"{name}.bias", (outputs,), checkpoint.read(f"{numbered('dense', i)}/bias", (outputs,))


def read_tensors(checkpoint, n_labels):
    """(name, shape, values) in segue's names, with the shapes that torch's modules have."""
    channels = 0
    yield from read_norm(checkpoint, "norm", 0, 1)
    norm = 1
    for i, (name, *shape) in enumerate(convolutions()):
        yield from read_convolution(checkpoint, name, i, tuple(shape))
        yield from read_norm(checkpoint, f"{name}.norm", norm, shape[-1])
        norm += 1
        channels += shape[-1]
    yield from read_norm(checkpoint, "pooled.norm", norm, 2 * channels)
    yield from read_dense(checkpoint, "penultimate", 0, 2 * channels, HIDDEN)
    yield from read_norm(checkpoint, "penultimate.norm", norm + 1, HIDDEN)
    yield from read_dense(checkpoint, "tags", 1, HIDDEN, n_labels)


def write(path, data):
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_json(path, value):
    write(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def write_safetensors(path, tensors):
    header, data = {"__metadata__": {"format": "pt"}}, bytearray()
    for name, shape, values in sorted(tensors):
        if sys.byteorder == "big":
            values.byteswap()
        begin = len(data)
        data += values.tobytes()
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [begin, len(data)]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    write(path, struct.pack("<Q", len(text)) + text + bytes(data))


def config(labels):
    return {
        "model_type": "musicnn",
        "architectures": ["Musicnn"],
        "timbre_frames": TIMBRE_FRAMES,
        "timbre_bands": TIMBRE_BANDS,
        "timbre_channels": TIMBRE_CHANNELS,
        "tempo_frames": TEMPO_FRAMES,
        "tempo_channels": TEMPO_CHANNELS,
        "middle_frames": MIDDLE_FRAMES,
        "middle_layers": MIDDLE_LAYERS,
        "middle_channels": MIDDLE_CHANNELS,
        "hidden_size": HIDDEN,
        "norm_eps": 1e-3,
        "id2label": {str(i): label for i, label in enumerate(labels)},
        "label2id": {label: i for i, label in enumerate(labels)},
    }


PREPROCESSOR = {
    "sampling_rate": 16000,
    "n_fft": 512,
    "hop_length": 256,
    "num_mel_bins": BANDS,
    "min_frequency": 0,
    "max_frequency": 8000,
    "mel_scale": "slaney",
    "mel_norm": "slaney",
    "log_factor": 10000,
}


def read_labels(path, name):
    """The list of strings that is assigned to `name` in a Python file."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in tree.body:
        if isinstance(node, ast.Assign) and [getattr(target, "id", None) for target in node.targets] == [name]:
            labels = ast.literal_eval(node.value)
            if isinstance(labels, list) and all(isinstance(label, str) for label in labels):
                return labels
    raise Damaged(f"{path} has no list {name}")


def convert(package, model, folder):
    """Returns the number of weights. Raises Damaged, OSError, ValueError, SyntaxError."""
    model = model.upper()
    licences = glob.glob(os.path.join(glob.escape(package), "musicnn-*.dist-info", "LICENSE*"))
    if not licences:
        raise Damaged("the package has no licence")
    labels = read_labels(os.path.join(package, "musicnn", "configuration.py"), f"{model}_LABELS")
    checkpoint = Checkpoint(os.path.join(package, "musicnn", f"{model}_musicnn", ""))
    tensors = list(read_tensors(checkpoint, len(labels)))
    os.mkdir(folder)
    write_json(os.path.join(folder, "config.json"), config(labels))
    write_json(os.path.join(folder, "preprocessor_config.json"), PREPROCESSOR)
    write_safetensors(os.path.join(folder, "model.safetensors"), tensors)
    shutil.copyfile(licences[0], os.path.join(folder, "LICENSE"))
    return sum(math.prod(shape) for _, shape, _ in tensors)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split(": ", 1)[1].split("\n")[0])
    parser.add_argument("package", help="the unpacked wheel of musicnn 0.1.0")
    parser.add_argument("model", choices=["msd", "mtt"])
    parser.add_argument("folder", help="the model folder; must not exist")
    options = parser.parse_args()
    try:
        n = convert(options.package, options.model, options.folder)
    except (Damaged, OSError, ValueError, SyntaxError) as problem:
        sys.exit(f"convert.py: {options.model}: {problem}")
    print(f"  {n:,} numbers")


if __name__ == "__main__":
    main()
