"""How long musicnn takes in PyTorch: the counterpart of musicnn-bench.c, with the same options, the same kind of
segments and the same output.

  python3 tests/bench/musicnn-peer.py FOLDER [--threads N] [--precision bfloat16] [--compile] …"""
import argparse
import json
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "interop"))
import musicnn


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--length", type=int, default=160000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--turns", action="store_true", help="a pass for each line of input")
    options = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[options.precision]
    log_mel, network, _ = musicnn.load(options.folder, dtype)
    log_mel = log_mel.float()
    if options.channels_last:
        network = network.to(memory_format=torch.channels_last)
    called = torch.compile(network) if options.compile else network
    samples = torch.rand(options.batch, options.length) - 0.5

    @torch.inference_mode()
    def one_pass():
        return called(log_mel(samples).to(dtype))

    for _ in range(3 if options.compile else 1):
        one_pass()
    print("ready", flush=True)
    cpu = []
    for _ in sys.stdin if options.turns else range(options.repeat):
        begin, cpu_begin = time.perf_counter(), time.process_time()
        one_pass()
        cpu.append(time.process_time() - cpu_begin)
        print(f"{time.perf_counter() - begin:.6f}", flush=True)
    print(json.dumps({"program": "torch", "library": f"torch {torch.__version__}", "cpu": cpu}))


main()
