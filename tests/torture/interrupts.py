"""Signals at any moment: the first stops a run soon, with exit status 128 + its number and all finished work kept,
and the same command resumes to the bytes of an undisturbed run.

  python3 tests/torture/interrupts.py [--seed S]

In full, also during the slowest operations: a training step of a large model, its evaluation, a long song, a huge
file, a server that does not respond."""
import argparse
import http.server
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import threading
import time

import torture

# The guaranteed times. A machine that runs other tests at the same time, with sanitizers, may take longer.
LIMIT = 2.0 if torture.FULL else 60.0
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def stop(process, number):
    """Sends the signal like a terminal: to the whole group. Returns the seconds until the end."""
    began = time.monotonic()
    os.killpg(process.pid, number)
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise torture.Failure("it did not stop within a minute") from None
    return time.monotonic() - began


def check_stopped(place, process, seconds, number):
    if process.returncode != 128 + number:
        raise torture.Failure(f"exit status {process.returncode}: {torture.tail(place.log)}")
    if seconds > LIMIT:
        raise torture.Failure(f"it took {seconds:.2f} s to stop")
    if not place.wait_until_alone():
        raise torture.Failure(f"still running: {place.processes()}")
    report = os.path.join(place.latest(), "run.json")
    if os.path.exists(report):
        with open(report) as file:
            said = json.load(file)
        # An interruption is not an error.
        if said["state"] != "stopped" or said["quarantined"]:
            raise torture.Failure(f"{report}: {said['state']}, {said['quarantined']}")


# ---- The small pipeline, at random moments

def state_of(place):
    """The newest run's run.json; None: not written yet."""
    try:
        with open(os.path.join(place.latest(), "run.json")) as file:
            return json.load(file)["state"]
    except OSError:
        return None


def at_random_moments(scratch, music, reference, length, seed, trials):
    draw = random.Random(seed)
    slowest, stopped = 0, 0
    for i in range(trials):
        number = SIGNALS[i % len(SIGNALS)]
        place = torture.Place(scratch, f"moment-{i}", music)
        process = place.start()
        moment = draw.uniform(0.1, length)
        time.sleep(moment)
        if process.poll() is None:
            seconds = stop(process, number)
            # Before the handler is installed, and after its last output, a signal has its default effect.
            early_or_late = process.returncode == -number and state_of(place) in (None, "finished")
            if process.returncode != 0 and not early_or_late:
                check_stopped(place, process, seconds, number)
                slowest, stopped = max(slowest, seconds), stopped + 1
        place.run()
        torture.check_same(place, reference)
        shutil.rmtree(place.folder)
    if stopped == 0:
        raise torture.Failure("no run was stopped on the way")
    return f"{stopped} of {trials} stopped on the way, the slowest in {slowest:.2f} s"


def closed_pipe(scratch, music, reference, which):
    place = torture.Place(scratch, f"closed-{which}", music)
    read, write = os.pipe()
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, which: write}
    process = subprocess.Popen(place.command(), cwd=place.folder, stdin=subprocess.DEVNULL,
                               env=torture.environment(SEGUE_CACHE=place.cache), **streams)
    os.close(write)
    os.close(read)
    status = process.wait(timeout=300)
    # Lost output is a separate error; the run is complete.
    if status not in (0, 74):
        raise torture.Failure(f"exit status {status}")
    torture.check_same(place, reference)
    shutil.rmtree(place.folder)


def frozen(scratch, music, reference, seconds):
    """Everything stops for longer than a song may take, as on a machine that is suspended."""
    place = torture.Place(scratch, "frozen", music)
    process = place.start("--set", f"decode.time_limit={seconds * 0.75}")
    naps = 0
    while process.poll() is None and naps < torture.amount(1, 2, 4):
        time.sleep(0.15)
        torture.signal_place(place, signal.SIGSTOP)
        time.sleep(seconds)
        torture.signal_place(place, signal.SIGCONT)
        naps += 1
    if process.wait(timeout=300) != 0:
        raise torture.Failure(f"exit status {process.returncode}: {torture.tail(place.log)}")
    torture.check_same(place, reference)
    shutil.rmtree(place.folder)
    return f"{naps} naps of {seconds} s"


# ---- The slowest moments

HEAVY = """
segue: 1
name: torture
seed: 1
vars: {{ music: {music} }}
stages:
  - id: songs
    use: scan
    with: {{ root: "${{music}}", layout: "{{artist}}/{{album}}/{{title}}", label: artist }}
{stages}
"""
SHORT = """
  - use: decode
    with: { rate: 16000, channels: mono, max_duration: 86400 }
  - use: segment
    with: { length: 1, count: 20 }
"""
SEGMENTS = """
  - use: decode
    with: { rate: 16000, channels: mono }
  - use: segment
    with: { length: 10, count: 8 }
  - use: split
    with: { by: song, test: 0.3, validation: 0.2 }
"""
EMBED = """
  - use: decode
    with: { rate: 16000 }
  - use: segment
    with: { length: 10, count: 8 }
  - use: embed
    with: { encoders: [distilhubert] }
"""
TRAIN = """
  - use: train
    with: { model: { use: distilhubert, freeze: %s }, epochs: %d, batch: 8 }
"""
EVALUATE = """
  - use: evaluate
"""
EXPORT = """
  - use: export
"""


class Heavy(torture.Place):
    def __init__(self, scratch, name, music, stages):
        super().__init__(scratch, name, music)
        self.pipeline = os.path.join(self.folder, "pipeline.yaml")
        with open(self.pipeline, "w") as file:
            file.write(HEAVY.format(music=json.dumps(music), stages=stages))

    def command(self, *more):
        return [torture.SEGUE, "run", self.pipeline, "--out", os.path.join(self.folder, "runs"),
                *more]


def write_wav(path, seconds, rate=16000, channels=1, sparse=False):
    """A tone, or a hole where there are no samples."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    size = int(seconds * rate) * channels * 2
    with open(path, "wb") as file:
        file.write(struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size & 0xffffffff, b"WAVE",
                               b"fmt ", 16, 1, channels, rate, 2 * channels * rate, 2 * channels,
                               16, b"data", size & 0xffffffff))
        if sparse:
            file.truncate(44 + size)
        else:
            step = 100 + sum(path.encode()) % 400
            file.write(b"".join(struct.pack("<h", i * step % 20000 - 10000)
                                for i in range(int(seconds * rate))))


def wait_for_stage(place, process, stage, more):
    end = time.monotonic() + 400
    while torture.stage_reached(place) != stage:
        if process.poll() is not None:
            raise torture.Failure(f"it ended before {stage}: {torture.tail(place.log)}")
        if time.monotonic() > end:
            raise torture.Failure(f"it never came to {stage}")
        time.sleep(0.02)
    time.sleep(more)


def at_stage(scratch, name, music, stages, stage, delays):
    place = Heavy(scratch, name, music, stages)
    times = []
    for delay in delays:
        process = place.start()
        wait_for_stage(place, process, stage, delay)
        if process.poll() is not None:
            return f"it ended within {delay} s of {stage}: nothing to stop"
        seconds = stop(process, signal.SIGINT)
        times.append(seconds)
        check_stopped(place, process, seconds, signal.SIGINT)
    shutil.rmtree(place.folder)
    return f"stopped in {', '.join(f'{t:.2f}' for t in times)} s"


def second_signal(scratch, music):
    """In the middle of a large model's step, where the first signal has to wait."""
    place = Heavy(scratch, "second", music, SEGMENTS + TRAIN % ("none", 1))
    process = place.start()
    wait_for_stage(place, process, "train", 4)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.25)
    if process.poll() is not None:
        return "the first one was quicker"
    seconds = stop(process, signal.SIGINT)
    if process.returncode not in (-signal.SIGINT, 130) or torture.FULL and seconds > 0.2:
        raise torture.Failure(f"exit status {process.returncode} after {seconds:.2f} s")
    shutil.rmtree(place.folder)
    return f"{seconds:.3f} s"


class Silence(http.server.BaseHTTPRequestHandler):
    """Accepts a request and does not respond."""

    asked = threading.Event()

    def do_GET(self):
        self.asked.set()
        time.sleep(120)

    do_HEAD = do_GET

    def log_message(self, *arguments):
        pass


def fetch(scratch):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silence)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    env = torture.environment(HF_ENDPOINT=endpoint, HF_HUB_CACHE=os.path.join(scratch, "hub"),
                              no_proxy="127.0.0.1")
    process = subprocess.Popen([torture.SEGUE, "fetch", "some/model"], env=env,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True)
    if not Silence.asked.wait(60):
        raise torture.Failure("it asked for nothing")
    seconds = stop(process, signal.SIGINT)
    if process.returncode != 130 or seconds > LIMIT:
        raise torture.Failure(f"exit status {process.returncode} after {seconds:.2f} s")
    return f"stopped in {seconds:.2f} s"


def slow_moments(tap, scratch):
    music = os.path.join(scratch, "songs")
    for artist in "AB":
        for song in range(5):
            write_wav(f"{music}/{artist}/x/{song}.wav", 85)
    long = os.path.join(scratch, "music-long")
    write_wav(f"{long}/A/x/long.wav", 3 * 3600, 44100, 2, sparse=True)
    huge = os.path.join(scratch, "music-huge")
    write_wav(f"{huge}/A/x/huge.wav", 20 * 3600, 48000, 2, sparse=True)

    def case(name, function, *arguments):
        tap.case(name, function, scratch, *arguments)

    case("decoding three hours", at_stage, "long", long, SHORT, "decode, segment", [0.7, 1.5, 2.5])
    case("hashing 14 GB", at_stage, "huge", huge, SHORT, "decode, segment", [0.5, 2.0])
    case("training steps of a large model", at_stage, "train", music,
         SEGMENTS + TRAIN % ("none", 3), "train", [1.0, 3.3, 5.9, 9.4, 14.7])
    case("encoding with a large model", at_stage, "embed", music,
         EMBED, "decode, segment, embed", [1.0, 2.7, 4.1])
    case("evaluating a large model", at_stage, "evaluate", music,
         SEGMENTS + TRAIN % ("base", 1) + EVALUATE, "evaluate", [0.8, 2.2, 3.7])
    case("exporting", at_stage, "export", music, SEGMENTS.replace("count: 8", "count: 1000") + EXPORT,
         "export", [0.02, 0.1])
    case("a second signal", second_signal, music)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    # A shell that starts this in the background ignores it, also for child processes.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    scratch = torture.make_scratch()
    music = torture.make_music(scratch)
    reference = torture.Place(scratch, "reference", music)
    reference.run()
    length = torture.Place(scratch, "length", music).run()

    tap = torture.Tap()
    tap.case("signals at random moments", at_random_moments, scratch, music, reference, length,
             options.seed, torture.amount(3, 9, 150))
    for which in ["stdout", "stderr"]:
        tap.case(f"{which} is closed", closed_pipe, scratch, music, reference, which)
    tap.case("a machine that sleeps", frozen, scratch, music, reference, 6)
    tap.case("a server that says nothing", fetch, scratch)
    if torture.FULL:
        slow_moments(tap, scratch)
    torture.keep_or_remove(scratch, tap.failed)
    tap.end()


if __name__ == "__main__":
    main()
