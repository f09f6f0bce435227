"""Songs to 16 kHz mono with librosa, in two processes: the counterpart of `segue run` with decode.yaml.

  python3 tests/bench/decode-peer.py FOLDER SONG…"""
import multiprocessing
import os
import sys

import librosa


def decode(task):
    number, song = task
    samples, _ = librosa.load(song, sr=16000, mono=True)
    samples.tofile(os.path.join(sys.argv[1], f"{number}.f32"))


if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        for _ in pool.imap_unordered(decode, enumerate(sys.argv[2:])):
            pass
