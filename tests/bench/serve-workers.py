"""The cost of a worker per song in segue serve: two installed versions classify the same songs in turns.

  python3 tests/bench/serve-workers.py PREFIX_BEFORE PREFIX_NOW MODEL SONG... [--use NAME[,NAME]]

Both servers run all the time; a round is 100 songs from 10 clients, first to one and then to the other, so that
other load affects both. MODEL: a folder that both versions can read.  --use: the stage type that decodes,
in the first and the second version, so that both decode alike. Prints songs per second, the latency of a song that
comes alone, and of the first song after the start, each with the ratio or difference of the medians."""
import argparse
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

DECODERS = ("decode", "decode-libav", "decode-gstreamer", "decode-sndfile")


class Failure(Exception):
    pass


class Server:
    """segue serve of one version, with a copy of the model that names @decoder."""

    def __init__(self, prefix, model, decoder, threads, scratch):
        self.folder = scratch
        copy = scratch / "model"
        shutil.copytree(model, copy)
        preparation = json.loads((copy / "segue.json").read_text())
        for stage in preparation["preparation"]:
            if decoder and stage["use"] in DECODERS:
                stage["use"] = decoder
        (copy / "segue.json").write_text(json.dumps(preparation))
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SEGUE_")}
        environment.update(SEGUE_CACHE=str(scratch / "cache"), OPENBLAS_NUM_THREADS="1")
        libraries = sorted(prefix.glob("lib*/**/libsegue.so*"))
        if libraries:
            environment["LD_LIBRARY_PATH"] = str(libraries[0].parent)
        begin = time.perf_counter()
        self.process = subprocess.Popen(
            [str(prefix / "bin" / "segue"), "serve", "--model", str(copy), "--port", "0", "-j", str(threads)],
            stdout=subprocess.PIPE, stderr=(scratch / "log").open("w"), env=environment, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"http://[^:/]+:(\d+)/", line)
        if not found:
            raise Failure(f"{prefix}: no server: {line}{(scratch / 'log').read_text()}")
        self.port = int(found[1])
        token = re.search(r"token=([\w-]+)", line)
        self.headers = {"Authorization": f"Bearer {token[1]}"} if token else {}
        self.started = time.perf_counter() - begin

    def post(self, song):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        begin = time.perf_counter()
        connection.request("POST", "/api/songs?name=song", song, self.headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status != 200:
            raise Failure(f"status {answer.status}: {text[:300]!r}")
        return time.perf_counter() - begin

    def round(self, songs, n, clients):
        """Songs per second."""
        left, lock, failures = iter([songs[i % len(songs)] for i in range(n)]), threading.Lock(), []

        def client():
            try:
                while True:
                    with lock:
                        song = next(left, None)
                    if song is None:
                        return
                    self.post(song)
            except (Failure, OSError) as problem:
                failures.append(problem)

        threads = [threading.Thread(target=client) for _ in range(clients)]
        begin = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        return n / (time.perf_counter() - begin)

    def alone(self, song, pause):
        time.sleep(pause)
        return self.post(song)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def compare(name, unit, before, now):
    a, b = statistics.median(before), statistics.median(now)
    print(f"{name:28s} {a:8.1f} {b:8.1f} {unit:9s} {b - a:+7.1f} {unit} {100 * (b / a - 1):+6.1f} %", flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("before", type=pathlib.Path)
    options.add_argument("now", type=pathlib.Path)
    options.add_argument("model", type=pathlib.Path)
    options.add_argument("songs", nargs="+", type=pathlib.Path)
    options.add_argument("--use", default="", metavar="NAME[,NAME]")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--number", type=int, default=100, help="songs a round")
    options.add_argument("--clients", type=int, default=10)
    options.add_argument("--alone", type=int, default=5, help="songs alone, a round")
    options.add_argument("-j", type=int, default=2, dest="threads")
    options = options.parse_args()
    songs = [path.read_bytes() for path in options.songs]
    uses = (options.use.split(",") * 2)[:2]
    servers = []
    with tempfile.TemporaryDirectory(prefix="segue-workers-") as scratch:
        try:
            for i, prefix in enumerate((options.before, options.now)):
                folder = pathlib.Path(scratch) / str(i)
                folder.mkdir()
                servers.append(Server(prefix.resolve(), options.model, uses[i], options.threads, folder))
            first = [[server.post(songs[0]) * 1000] for server in servers]
            rates, alone = ([], []), ([], [])
            for number in range(options.rounds + 1):
                for i in (0, 1) if number % 2 else (1, 0):
                    rate = servers[i].round(songs, options.number if number else options.number // 4, options.clients)
                    if number:
                        rates[i].append(rate)
                        alone[i].extend(servers[i].alone(songs[k % len(songs)], 0.1) * 1000
                                        for k in range(options.alone))
        finally:
            for server in servers:
                server.stop()
    print(f"{'':28s} {'before':>8s} {'now':>8s}")
    compare("throughput", "songs/s", *rates)
    compare("a song alone", "ms", *alone)
    compare("first song after the start", "ms", *first)


if __name__ == "__main__":
    try:
        main()
    except Failure as problem:
        sys.exit(str(problem))
