"""segue serve under load: many clients at once, most of them bad, for a while.

  python3 tests/torture/serve.py

Each round twenty clients connect at once: songs, damaged songs, songs that are too large, and clients that
disconnect in the middle. Every good song gets the right answer, every bad one a clear 4xx. The server's
resources (memory, descriptors, processes, files) don't grow from round to round, nor with the size of uploads; and
when it is killed in the middle, nothing is left."""
import contextlib
import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e", "serve"))
import serving  # noqa: E402
import torture  # noqa: E402
from serving import check, expect  # noqa: E402

USERS, MAX_SONG = 20, 40
ROUNDS = torture.amount(4, 6, 100)
KILLS = torture.amount(2, 5, 100)
# The server; for each of its two threads and of the three decoders a fork server, and its worker in reserve.
PROCESSES = 1 + 2 * 3 * 2
# Of resident memory, beyond the first round: memory that an allocator keeps, for other sizes.
SLACK_KB = 60_000 if serving.SANITIZED else 24_000


def damaged(song, chance):
    song = bytearray(song[:chance.randrange(1000, len(song))])
    for _ in range(2000):
        song[chance.randrange(0, 44 if chance.random() < 0.02 else len(song))] = chance.randrange(256)
    return bytes(song)


@contextlib.contextmanager
def serving_at(place, *options, **more):
    """A server that ends with a failed check."""
    server = serving.Server(place, *options, **more)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop(signal.SIGKILL)


class Users:
    """Twenty at once."""

    def __init__(self, server, place):
        self.server, self.place = server, place
        self.counts, self.problems = {}, []
        self.alone = {}  # (artist, song) → its label, while the server had nothing else to do
        self.lock = threading.Lock()

    def note(self, what, problem=None):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1
            if problem:
                self.problems.append(problem)

    def post(self, body, name, *headers):
        """Retries while the server is busy."""
        while True:
            answer = self.server.post(body, name, *headers)
            if answer.code() != "busy":
                return answer
            self.note("busy")
            time.sleep(0.1)

    def ask_alone(self):
        for artist in range(serving.ARTISTS):
            for song in range(serving.SONGS):
                answer = expect(self.server.post(self.place.song(artist, song), "alone"), 200)
                self.alone[artist, song] = answer.json()["label"]
        right = sum(label == f"Artist {artist}" for (artist, _), label in self.alone.items())
        check(2 * right > len(self.alone), f"{right} of {len(self.alone)} right")

    def good(self, i, chance):
        artist, song = i % serving.ARTISTS, chance.randrange(serving.SONGS)
        stream = chance.random() < 0.5
        answer = self.post(self.place.song(artist, song), f"song-{i}", *(["Accept: application/x-ndjson"] if stream else []))
        expect(answer, 200)
        label = (answer.lines()[-1] if stream else answer.json())["label"]
        alone = self.alone.get((artist, song), label)
        check(label == alone, f"Artist {artist}, song {song}: {label}, without load {alone}")

    def noise(self, i, chance):
        expect(self.post(chance.randbytes(chance.randrange(1, 200000)), f"noise-{i}"), 422, "not-a-song")

    def broken(self, i, chance):
        answer = self.post(damaged(self.place.song(i % serving.ARTISTS, 0), chance), f"broken-{i}")
        check(answer.status in (200, 422), answer)  # the damage may be inaudible

    def large(self, i, chance):
        expect(self.post(bytes(MAX_SONG * 1000000 + 1), f"large-{i}"), 413, "too-large")

    def gone(self, i, chance):
        song = self.place.song(i % serving.ARTISTS, 0)
        head = f"POST /api/songs?name=gone HTTP/1.1\r\nHost: localhost\r\n{self.server.access}Content-Length: {len(song)}\r\n\r\n".encode()
        with self.server.connect() as sock:
            try:
                sock.sendall((head + song)[:chance.choice([5, len(head) + 50000, len(head) + len(song)])])
            except OSError:
                pass
            time.sleep(chance.random() * 0.3)

    def one(self, i, seed):
        kind = ("good", "noise", "good", "broken", "large", "good", "gone")[i % 7]
        try:
            getattr(self, kind)(i, random.Random(seed))
            self.note(kind)
        except Exception as problem:  # whatever the error, it is reported
            self.note(kind, f"{kind} {i}: {type(problem).__name__}: {problem}")

    def round(self, seed):
        threads = [threading.Thread(target=self.one, args=(i, seed * 1000 + i)) for i in range(USERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def few_descriptors(server, most):
    """Connections being closed, or lingering for a client that closes late, end by themselves."""
    end = time.monotonic() + 60
    while descriptors(server) > most:
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def few_processes(server):
    """A worker whose song is done ends a moment later than its answer."""
    end = time.monotonic() + 60
    while len(server.workers()) > PROCESSES:
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def test_load(place):
    with serving_at(place, "--max-song", str(MAX_SONG), "--songs", "12", "-j", "2", leaks=serving.SANITIZED) as server:
        users = Users(server, place)
        users.ask_alone()
        # Its idle resources vary (waiting workers, the querying connection): their maximum.
        files = 0
        for seed in range(2):
            users.round(seed)
            server.wait_until_idle(60)
            files = max(files, descriptors(server))
        memory = server.status_number("VmHWM")
        for seed in range(2, ROUNDS):
            users.round(seed)
        server.wait_until_idle(60)
        check(not users.problems, "\n".join(users.problems[:5]))
        grown = server.status_number("VmHWM") - memory
        check(grown < SLACK_KB, f"memory grew by {grown} kB over {ROUNDS} rounds, from {memory} kB")
        check(few_descriptors(server, files), f"{descriptors(server)} descriptors, after two rounds {files}")
        check(few_processes(server), f"processes: {server.workers()}")
        check(not os.listdir(place.spool), os.listdir(place.spool))
        status, seconds = server.stop()
        check(status == 130, f"exit status {status}: {server.said()[-3000:]}")
        return (f"{ROUNDS} rounds of {USERS}: {users.counts}; memory at most {memory + grown} kB, after two rounds {memory}; "
                f"ended in {seconds:.2f} s")


def test_large(place):
    """Uploads are on disk, not in memory."""
    with serving_at(place, "--max-song", "300", "-j", "1") as server:
        expect(server.post(place.song(0, 0)), 200)
        before = server.status_number("VmHWM")
        expect(server.post(os.urandom(1000) + bytes(250_000_000)), 422, "not-a-song")
        grown = server.status_number("VmHWM") - before
        check(grown < SLACK_KB, f"memory grew by {grown} kB for 250 MB")
        server.stop()
        return f"250 MB took {grown} kB"


def test_kills(place):
    """kill -9 during uploads and classification."""
    for trial in range(KILLS):
        chance = random.Random(trial)
        with serving_at(place, "-j", "2") as server:
            users = Users(server, place)
            thread = threading.Thread(target=users.round, args=(trial,), daemon=True)
            thread.start()
            time.sleep(chance.random())
            server.stop(signal.SIGKILL)
            end = time.monotonic() + 60
            while server.workers():
                check(time.monotonic() < end, f"trial {trial}: left: {server.workers()}")
                time.sleep(0.01)
            check(not os.listdir(place.spool), f"trial {trial}: left: {os.listdir(place.spool)}")
            thread.join(60)
    return f"{KILLS} kills"


def main():
    tap = serving.Tap()
    place = serving.Place()
    for test in (test_load, test_large, test_kills):
        tap.case(test.__name__, test, place)
    if not tap.failed:
        place.remove()
    tap.end()


main()
