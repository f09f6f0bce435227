"""How long one pass of a DistilHuBERT folder takes in PyTorch and in ONNX Runtime, with their best settings: the
counterpart of model-bench.c, with the same options, the same segments and the same output.

  python3 tests/bench/peers.py torch|torch-compiled|onnxruntime FOLDER SEGMENTS [--what train] …

An onnxruntime FOLDER contains the models that materials.py exports, by precision."""
import argparse
import json
import os
import sys
import time
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
warnings.filterwarnings("ignore")

import numpy as np


def load_torch(folder, options):
    import torch
    import transformers

    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    transformers.utils.logging.disable_progress_bar()
    model = transformers.HubertForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="sdpa")
    return torch, model, f"torch {torch.__version__}, transformers {transformers.__version__}"


def torch_pass(options):
    """A function from samples [batch, length] to logits, and its components."""
    torch, model, library = load_torch(options.folder, options)
    if options.precision not in ("float32", "bfloat16"):
        sys.exit(f"PyTorch is not measured in {options.precision}")

    def precision():
        return torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bfloat16")

    if options.what == "frozen":
        model.freeze_feature_encoder()
    model.train(options.what != "forward")
    called = torch.compile(model) if options.program == "torch-compiled" else model
    optimiser = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=5e-5, weight_decay=0, fused=True)

    def forward(samples, labels):
        with torch.inference_mode(), precision():
            return called(torch.from_numpy(samples)).logits.float().numpy()

    def train(samples, labels):
        with precision():
            result = called(torch.from_numpy(samples), labels=torch.from_numpy(labels))
        result.loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        return result.logits.detach().float().numpy()

    return forward if options.what == "forward" else train, library, model.config.num_labels


def onnxruntime_pass(options):
    import onnxruntime

    if options.what != "forward":
        sys.exit("ONNX Runtime does inference only")
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(
        os.path.join(options.folder, f"{options.precision}.onnx"), settings,
        providers=["CPUExecutionProvider"])

    def forward(samples, labels):
        return session.run(["logits"], {"samples": samples})[0]

    return forward, f"onnxruntime {onnxruntime.__version__}", session.get_outputs()[0].shape[1]


def peak_kib():
    """Of this program's own memory: ru_maxrss would include its parent's memory."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))


def turns(options):
    if options.turns:
        yield from sys.stdin
    else:
        yield from range(options.repeat)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", choices=["torch", "torch-compiled", "onnxruntime"])
    parser.add_argument("folder")
    parser.add_argument("segments")
    parser.add_argument("--what", choices=["forward", "train", "frozen"], default="forward")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--length", type=int, default=160000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--warm-up", type=int, default=1)
    parser.add_argument("--part", type=int, help="segments at once, of a forward pass")
    parser.add_argument("--turns", action="store_true", help="a pass for each line of input")
    parser.add_argument("--logits", action="store_true", help="report those of the last pass")
    options = parser.parse_args()

    rows = np.fromfile(options.segments, np.float32).reshape(-1, options.length)
    make = onnxruntime_pass if options.program == "onnxruntime" else torch_pass
    run, library, n_labels = make(options)
    part = options.part or options.batch
    n_passes = 0

    def one_pass():
        nonlocal n_passes
        items = (n_passes * options.batch + np.arange(options.batch)) % len(rows)
        n_passes += 1
        samples, labels = rows[items], items % n_labels
        return np.concatenate([run(samples[i:i + part], labels[i:i + part])
                               for i in range(0, options.batch, part)])

    for _ in range(options.warm_up):
        one_pass()
    print("ready", flush=True)
    times, logits = [], None
    for _ in turns(options):
        begin = time.perf_counter()
        logits = one_pass()
        times.append(time.perf_counter() - begin)
        print(f"{times[-1]:.6f}", flush=True)
    result = {"program": options.program, "library": library, "what": options.what,
              "precision": options.precision, "batch": options.batch, "part": part,
              "length": options.length, "threads": options.threads, "times": times,
              "median": float(np.median(times)) if times else 0, "peak_kib": peak_kib()}
    if options.logits:
        result["logits"] = logits.tolist()
    print(json.dumps(result))


main()
