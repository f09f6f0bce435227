"""segue serve under test: the built command, a model trained in seconds, and plain sockets."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

# It is ignored where this runs in the background, and would be in child processes.
signal.signal(signal.SIGINT, signal.default_int_handler)

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
BUILD = os.environ.get("SEGUE_BUILD_ROOT") or os.path.abspath(os.environ.get("BUILD", "build"))
SEGUE = os.path.join(BUILD, "pipeline", "cli", "segue")
SANITIZED = "SEGUE_SANITIZED" in os.environ
ARTISTS, SONGS = 3, 6


def environment(**changes):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("SEGUE_", "HF_"))}
    env.update(SEGUE_PLUGIN_PATH=os.path.join(BUILD, "plugins"),
               SEGUE_WORKER=os.path.join(BUILD, "pipeline", "worker", "segue-worker"),
               SEGUE_SERVE=os.path.join(BUILD, "pipeline", "serve", "segue-serve"),
               SEGUE_PRESET_PATH=os.path.join(SOURCE, "examples", "presets"),
               OPENBLAS_NUM_THREADS="1", LC_ALL="C.UTF-8",
               # GStreamer's own table of types, in workers, is not a leak.
               ASAN_OPTIONS="detect_leaks=0:abort_on_error=1")
    env.update(changes)
    return {k: v for k, v in env.items() if v is not None}


class Failure(Exception):
    pass


def check(true, what):
    if not true:
        raise Failure(what)


class Place:
    """A folder with music, a trained model, and a place for files that servers leave (none)."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="segue-serve-")
        self.music = os.path.join(self.folder, "music")
        self.spool = os.path.join(self.folder, "tmp")
        os.makedirs(self.spool)
        subprocess.run([os.path.join(BUILD, "tests", "e2e", "make-music"), self.music, str(ARTISTS), str(SONGS)],
                       check=True)
        self.run("run", "--preset", "artist-cnn", self.music, "--set", "segment.count=6", "--set",
                 "train.epochs=12", "--set", "train.batch=4", "--set", "train.model.channels=[8,16]")

    def run(self, *arguments):
        subprocess.run([SEGUE, *arguments], check=True, cwd=self.folder, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL,
                       env=environment(SEGUE_CACHE=os.path.join(self.folder, "cache")))

    def song(self, artist, song):
        path = os.path.join(self.music, f"Artist {artist}", f"Album {song % 2}", f"Song {song}.wav")
        with open(path, "rb") as file:
            return file.read()

    def remove(self):
        shutil.rmtree(self.folder)


class Server:
    started = 0

    def __init__(self, place, *more, model="runs/artist-cnn/latest", leaks=False, **changes):
        self.place = place
        self.log = os.path.join(place.folder, "serve.log")
        # LeakSanitizer checks at its end; workers end without notice.
        options = "detect_leaks=1:abort_on_error=1:quarantine_size_mb=16" if leaks else None
        # Present in the environment of every process that it starts.
        Server.started += 1
        mark = f"{place.folder}:{Server.started}"
        self.mark = f"SEGUE_TEST_SERVER={mark}\0".encode()
        changes = {"TMPDIR": place.spool, "SEGUE_TEST_SERVER": mark, "SEGUE_WORKER_ENV": "SEGUE_TEST_SERVER", **({"ASAN_OPTIONS": options} if options else {}), **changes}
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [SEGUE, "serve", "--model", model, "--port", "0", *more], cwd=place.folder, stdout=subprocess.PIPE,
                stderr=log, text=True, env=environment(**changes), start_new_session=True)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"http://([^/]+):(\d+)/(?:\?token=([\w.~-]+))?\n", line)
        check(found, f"the server printed {line!r}: {self.said()}")
        self.host, self.port, self.token = found[1].strip("[]"), int(found[2]), found[3]
        self.access = f"Authorization: Bearer {self.token}\r\n" if self.token else ""

    def said(self):
        with open(self.log, errors="replace") as file:
            return file.read()

    def stop(self, how=signal.SIGINT, seconds=60):
        """The exit status, and the duration in seconds."""
        began = time.monotonic()
        self.process.send_signal(how)
        try:
            status = self.process.wait(seconds)
        finally:
            self.process.stdout.close()
        return status, time.monotonic() - began

    def connect(self, timeout=30):
        return socket.create_connection((self.host, self.port), timeout)

    def workers(self):
        """Remaining processes of this server, including itself."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if self.mark in file.read() + b"\0":
                        found.append(int(pid))
            except OSError:
                pass
        return found

    def status_number(self, name):
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(rf"^{name}:\s+(\d+)", file.read(), re.M)[1])

    # One request, one response.

    def raw(self, data, timeout=30):
        """Sends bytes, reads until the server closes (on request, or after a complete response)."""
        with self.connect(timeout) as sock:
            try:
                sock.sendall(data)
            except OSError:
                pass  # it may have responded before it had received everything
            return Answer(sock)

    def ask(self, method, path, body=None, headers=(), host=None, version="1.1", access=None):
        """access: another header than the one with the token."""
        lines = [f"{method} {path} HTTP/{version}", f"Host: {host or self.host + ':' + str(self.port)}",
                 "Connection: close", *(self.access if access is None else access).split("\r\n")[:-1], *headers]
        if body is not None and not any(h.lower().startswith(("content-length", "transfer-encoding")) for h in headers):
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join(lines) + "\r\n\r\n"
        return self.raw(head.encode("latin-1") + (body or b""), timeout=120 if SANITIZED else 60)

    def get(self, path, *headers, **more):
        return self.ask("GET", path, headers=headers, **more)

    def post(self, body, name="song.wav", *headers, query="", **more):
        return self.ask("POST", f"/api/songs?name={name}{query}", body, headers, **more)

    def wait_until_idle(self, seconds=120):
        end = time.monotonic() + seconds
        while True:
            counts = self.get("/api/health").json()
            if counts["songs"]["in_hand"] == 0 and counts["connections"] <= 1:
                return
            check(time.monotonic() < end, f"still in flight: {counts}")
            time.sleep(0.05)


class Answer:
    """The response read from a socket; status 0: none."""

    def __init__(self, sock):
        self.data = b""
        try:
            while not self.is_whole():
                block = sock.recv(65536)
                if not block:
                    break
                self.data += block
        except ConnectionResetError:
            pass
        head, _, self.body = self.data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        found = re.match(r"HTTP/1\.[01] (\d+)", lines[0])
        self.status = int(found[1]) if found else 0
        self.headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        if self.headers.get("transfer-encoding") == "chunked":
            self.body = self.unchunk(self.body)

    def is_whole(self):
        head, end, body = self.data.partition(b"\r\n\r\n")
        found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        return bool(end and found and len(body) >= int(found[1]))

    @staticmethod
    def unchunk(data):
        out = b""
        while data:
            size, _, rest = data.partition(b"\r\n")
            n = int(size, 16)
            if n == 0:
                break
            out, data = out + rest[:n], rest[n + 2:]
        return out

    def json(self):
        return json.loads(self.body)

    def lines(self):
        return [json.loads(line) for line in self.body.splitlines()]

    def code(self):
        try:
            return self.json()["error"]["code"]
        except (ValueError, KeyError, TypeError):
            return None

    def __repr__(self):
        return f"<{self.status} {self.data[:400]!r}>"


def expect(answer, status, code=None):
    check(answer.status == status and (code is None or answer.code() == code),
          f"expected {status} {code or ''}, got {answer}")
    return answer


class Tap:
    """Output for meson."""

    def __init__(self):
        self.n = self.failed = 0

    def case(self, name, function, *arguments):
        self.n += 1
        try:
            note = function(*arguments)
        except (Failure, subprocess.SubprocessError, OSError, ValueError, KeyError) as problem:
            self.failed += 1
            print(f"# {name}: {type(problem).__name__}: {problem}".replace("\n", "\n# "))
            print(f"not ok {self.n} - {name}", flush=True)
            return
        if note:
            print(f"# {note}")
        print(f"ok {self.n} - {name}", flush=True)

    def end(self):
        print(f"1..{self.n}", flush=True)
        sys.exit(1 if self.failed else 0)
