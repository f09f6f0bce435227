"""Materials for measurements, made once in a folder: a DistilHuBERT of full size, the same as ONNX models,
segments of the libre music set, and a song of four minutes.

  python3 tests/bench/materials.py FOLDER MUSIC BUILD

  model/           trained for some hundred steps, so that its predictions differ
  song-model/      the same, for 20 segments of 10 s per song
  onnx/            float32, int8-dynamic, int8-static
  segments.f32     16 segments of 10 s: for timing passes
  answers.f32      100 segments of songs that the model was not trained on: for comparing predictions
  song.mp3         four minutes"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))

import numpy as np

RATE, SECONDS = 16000, 10
PER_ARTIST = 10
N_TIMED = 16
SONG = [{"use": "decode", "with": {"rate": RATE}},
        {"use": "segment", "with": {"length": SECONDS, "count": 20}}]


def ffmpeg(*words):
    return subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, words)], check=True,
                          stdout=subprocess.PIPE).stdout


def segment(song, start):
    data = ffmpeg("-ss", start, "-t", SECONDS, "-i", song, "-ac", 1, "-af",
                  f"aresample={RATE}:resampler=soxr", "-f", "f32le", "-")
    samples = np.frombuffer(data, np.float32)[:RATE * SECONDS]
    return samples if len(samples) == RATE * SECONDS else None


def segments(songs, n):
    """From each song in order, at later and later positions, until there are n."""
    found = []
    for start in range(20, 20 + 7 * n, 7):
        for song in songs:
            samples = segment(song, start) if len(found) < n else None
            if samples is not None:
                found.append(samples)
    if len(found) < n:
        sys.exit(f"{songs[0].parent} has no {n} segments")
    return np.stack(found)


def songs_by_artist(music):
    return {folder.name: sorted(p for p in folder.rglob("*") if p.suffix in (".ogg", ".opus"))
            for folder in sorted(Path(music).iterdir()) if folder.is_dir()}


def make_model(folder, artists, build):
    """Random weights, then some hundred steps on half of the songs: a random model predicts nearly the same for
    everything, and the slightest noise would change the prediction."""
    import models
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        scratch = Path(scratch)
        models.save_random(scratch / "random", 1, list(artists), **models.DISTILHUBERT)
        for artist, songs in artists.items():
            (scratch / "music" / artist / "Album").mkdir(parents=True)
            for song in songs[::2]:
                shutil.copy(song, scratch / "music" / artist / "Album")
        env = {**os.environ, "SEGUE_PLUGIN_PATH": f"{build}/plugins", "SEGUE_CACHE": f"{scratch}/cache",
               "SEGUE_WORKER": f"{build}/pipeline/worker/segue-worker"}
        subprocess.run([f"{build}/pipeline/cli/segue", "run", HERE / "model.yaml", scratch / "music", "--set",
                        f"weights={scratch}/random", "--out", scratch / "runs"], check=True, env=env,
                       stdout=subprocess.DEVNULL)
        shutil.copytree(scratch / "runs" / "model" / "latest" / "model", folder)
    (folder / "segue.json").unlink()  # the segmentation of these songs is irrelevant here


def make_song_model(folder, model):
    shutil.copytree(model, folder)
    text = {"segue": 1, "model": "distilhubert", "preparation": SONG}
    (folder / "segue.json").write_text(json.dumps(text))


def make_segments(path, artists, per_artist):
    rows = np.concatenate([segments(songs[1::2], per_artist) for songs in artists.values()])
    rows.tofile(path)


def make_song(path, artists):
    """From songs that are long enough together."""
    list_file = path.with_suffix(".txt")
    songs = max(artists.values(), key=len)[:8]
    quoted = [str(song).replace("'", r"'\''") for song in songs]
    list_file.write_text("".join(f"file '{song}'\n" for song in quoted))
    ffmpeg("-f", "concat", "-safe", 0, "-i", list_file, "-t", 240, "-vn", "-ar", 44100, "-ac", 2,
           "-b:a", "192k", path)
    list_file.unlink()


def make_onnx(folder, model_folder, samples):
    import onnxruntime.quantization as quantization
    import torch
    import transformers
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Logits(torch.nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, samples):
            return self.model(samples).logits

    class Calibration(quantization.CalibrationDataReader):
        def __init__(self):
            self.rows = iter(samples[:8])

        def get_next(self):
            row = next(self.rows, None)
            return None if row is None else {"samples": row[None]}

    folder.mkdir()
    model = transformers.HubertForSequenceClassification.from_pretrained(model_folder).eval()
    with torch.no_grad():
        torch.onnx.export(Logits(model), (torch.from_numpy(samples[:2]),), folder / "float32.onnx",
                          input_names=["samples"], output_names=["logits"], dynamo=False,
                          dynamic_axes={"samples": {0: "batch"}, "logits": {0: "batch"}})
    prepared = folder / "prepared.onnx"
    quant_pre_process(folder / "float32.onnx", prepared, skip_symbolic_shape=True)
    quantization.quantize_dynamic(prepared, folder / "int8-dynamic.onnx", per_channel=True,
                                  op_types_to_quantize=["MatMul", "Gemm"])
    quantization.quantize_static(prepared, folder / "int8-static.onnx", Calibration(),
                                 per_channel=True, op_types_to_quantize=["Conv", "MatMul", "Gemm"],
                                 weight_type=quantization.QuantType.QInt8,
                                 activation_type=quantization.QuantType.QUInt8)
    prepared.unlink()


def make(path, function, *arguments):
    """Written completely or not at all."""
    if path.exists():
        return
    print(f"making {path.name}", file=sys.stderr)
    begun = path.with_name("begun-" + path.name)
    shutil.rmtree(begun) if begun.is_dir() else begun.unlink(missing_ok=True)
    function(begun, *arguments)
    begun.rename(path)


def main():
    folder, music, build = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    artists = songs_by_artist(music)
    make(folder / "model", make_model, artists, build)
    make(folder / "song-model", make_song_model, folder / "model")
    make(folder / "answers.f32", make_segments, artists, PER_ARTIST)
    answers = np.fromfile(folder / "answers.f32", np.float32).reshape(-1, RATE * SECONDS)
    make(folder / "segments.f32", lambda path: answers[:: len(answers) // N_TIMED][:N_TIMED].tofile(path))
    make(folder / "song.mp3", make_song, artists)
    make(folder / "onnx", make_onnx, folder / "model", answers)


main()
