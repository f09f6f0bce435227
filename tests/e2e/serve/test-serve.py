"""segue serve as seen by a client: answers, errors by code, limits, untrusted clients, and its end."""
import gzip
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time

import serving
from serving import check, expect

MAX_SONG = 3  # MB


def quoted(name):
    return "".join(f"%{b:02x}" for b in name.encode())


# ---- Answers ----

def test_answer(server, place):
    for artist in range(serving.ARTISTS):
        answer = expect(server.post(place.song(artist, 0)), 200).json()
        check(answer["label"] == f"Artist {artist}", answer["label"])
        check(answer["file"] == "song.wav" and len(answer["segments"]) == 6, answer)
        check(abs(sum(answer["probabilities"].values()) - 1) < 1e-4, answer["probabilities"])
        check(len(expect(server.post(place.song(artist, 0), query="&top=1"), 200).json()["probabilities"]) == 1, "top")


def test_same_as_predict(server, place):
    path = os.path.join(place.folder, "song.wav")
    with open(path, "wb") as file:
        file.write(place.song(1, 1))
    said = subprocess.run([serving.SEGUE, "predict", "--model", "runs/artist-cnn/latest", "song.wav", "--json",
                           "--top", "5"], cwd=place.folder, check=True, capture_output=True,
                          env=serving.environment()).stdout
    check(json.loads(said) == server.post(place.song(1, 1)).json(), said)


def test_stream(server, place):
    lines = expect(server.post(place.song(2, 0), "song.wav", "Accept: application/x-ndjson"), 200).lines()
    check([lines[0]["event"], lines[-1]["event"]] == ["begun", "answer"], lines)
    classified = [line for line in lines if line["event"] == "segments"]
    check(len(classified) > 1, "all segments came at once")
    check([line["first"] for line in classified] == [0, 4], classified)
    segments = [segment for line in classified for segment in line["segments"]]
    check([s["start"] for s in segments] == [s["start"] for s in lines[0]["segments"]], lines)
    check(lines[-1]["label"] == "Artist 2", lines[-1])


def test_combined(place):
    """A combined model: an answer as of `segue predict`, streamed as those of other models."""
    folder = os.path.join(place.folder, "both")
    for member in ("1", "2"):
        shutil.copytree(os.path.join(place.folder, "runs/artist-cnn/latest/model"), os.path.join(folder, "members", member))
    shutil.copy(os.path.join(folder, "members/1/config.json"), folder)
    with open(os.path.join(folder, "segue.json"), "w") as file:
        json.dump({"segue": 1, "model": "combined", "rule": "geometric", "members": [{"weight": 0.25}, {"weight": 0.75}]}, file)
    with open(os.path.join(place.folder, "song.wav"), "wb") as file:
        file.write(place.song(1, 1))
    said = subprocess.run([serving.SEGUE, "predict", "--model", "both", "song.wav", "--json"], cwd=place.folder, check=True,
                          capture_output=True, env=serving.environment()).stdout
    server = serving.Server(place, model="both")
    check(json.loads(said) == server.post(place.song(1, 1)).json(), said)
    lines = expect(server.post(place.song(1, 1), "song.wav", "Accept: application/x-ndjson"), 200).lines()
    check([line["first"] for line in lines if line["event"] == "segments"] == [0, 4], lines)
    check(lines[-1]["label"] == "Artist 1", lines[-1])
    server.stop()


def test_names(server, place):
    song = place.song(0, 1)
    for name in ("песня 歌 شعر.wav", "../../etc/passwd", "<script>alert(1)</script>", 'a"b\\c', "%s%n", "a\nb", " "):
        check(expect(server.post(song, quoted(name)), 200).json()["file"] == name, name)
    for name in ("%ff", "a%00b", "%ed%a0%80", "a" * 1001):
        expect(server.post(song, name), 400, "bad-name")
    for top in ("0", "101", "-1", "x", "", "99999999999999999999"):
        expect(server.post(song, query=f"&top={top}"), 400, "bad-request")


def test_not_songs(server, place):
    expect(server.post(b""), 400, "empty")
    expect(server.ask("POST", "/api/songs"), 400, "empty")
    song = place.song(0, 0)
    for body in (b"x", b"hello, I am a text\n" * 1000, os.urandom(50000), song[:44], song[:100000], b"OggS" + bytes(9000),
                 b"RIFF\xff\xff\xff\xffWAVEfmt " + bytes(100)):
        answer = expect(server.post(body, quoted("my ‘song’.mp3")), 422, "not-a-song")
        message = answer.json()["error"]["message"]
        check("my ‘song’.mp3" in message, message)
        check(not re.search(r"(^|[ (‘])/", message), f"a path of the machine? {message}")
        lines = server.post(body, "x", "Accept: application/x-ndjson")
        expect(lines, 422, "not-a-song")


def test_wrong_bodies(server, place):
    """Files that people send instead of a song, by mistake."""
    song = place.song(0, 0)
    form = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.wav"\r\n\r\n' + song[:9000] + b"\r\n--x--\r\n"
    for body, headers, words in (
            (form, ["Content-Type: multipart/form-data; boundary=x"], "--data-binary"), (form, [], "--data-binary"),
            (gzip.compress(song), [], "gzip"), (song, ["Content-Encoding: gzip"], "gzip"),
            (b"\n <!DOCTYPE HTML><html>404</html>", [], "web page"), (b"\xef\xbb\xbf<html>", [], "web page")):
        answer = expect(server.post(body, "a", *headers), 415, "wrong-body")
        check(words in answer.json()["error"]["message"], answer)
    for headers in (["Content-Type: application/x-www-form-urlencoded"], ["Content-Encoding: identity"], ["Content-Type: audio/wav"]):
        expect(server.post(song, "a", *headers), 200)


def test_sizes(server, place):
    head = f"POST /api/songs?name=a HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{server.access}"
    for length in (MAX_SONG * 1000000 + 1, 1 << 40, (1 << 64) - 2):
        # It responds without waiting for the announced body.
        expect(server.raw(f"{head}Content-Length: {length}\r\n\r\nabc".encode(), timeout=60), 413, "too-large")
    block = b"%x\r\n" % 65536 + bytes(65536) + b"\r\n"
    chunked = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode()
    expect(server.raw(chunked + block * 80 + b"0\r\n\r\n"), 413, "too-large")
    song = place.song(0, 0)
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (song[i:i + 5000] for i in range(0, len(song), 5000)))
    whole = server.raw(f"{head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode() + body + b"0\r\n\r\n")
    check(expect(whole, 200).json()["label"] == "Artist 0", whole)
    for length in ("-1", "abc", "1, 2", "+5", "18446744073709551617"):
        answer = server.raw(f"{head}Content-Length: {length}\r\n\r\nabc".encode(), timeout=60)
        check(answer.status in (0, 400, 413), f"Content-Length: {length}: {answer}")


def test_expect(server, place):
    song = place.song(1, 0)
    with server.connect() as sock:
        sock.sendall(f"POST /api/songs?name=a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                     f"{server.access}Content-Length: {len(song)}\r\n\r\n".encode())
        check(sock.recv(100).startswith(b"HTTP/1.1 100"), "no 100 Continue")
        sock.sendall(song)
        expect(serving.Answer(sock), 200)
    refused = server.raw(f"POST /api/songs?name=a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                         f"{server.access}Content-Length: 99999999\r\n\r\n".encode())
    expect(refused, 413, "too-large")


# ---- Untrusted clients ----

def test_methods(server, place):
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "GET", "X" * 50):
        answer = expect(server.ask(method, "/api/songs"), 405, "method-not-allowed")
        check(answer.headers["allow"] == "POST", answer)
    for path in ("/", "/api/health", "/api/runs", "/page.js", "/reports/a/b/c/index.html"):
        answer = expect(server.ask("POST", path, b"x"), 405, "method-not-allowed")
        check(answer.headers["allow"] == "GET, HEAD", answer)
    for path in ("/x", "/api", "/api/songs/", "/api/songs/1", "/page.css/", "//", "/page.html", "/favicon.ico"):
        expect(server.get(path), 404, "not-found")
    expect(server.get("/", "Content-Length: 5"), 400, "bad-request")
    head = server.ask("HEAD", "/")
    check(head.status == 200 and not head.body, head)


def test_hosts(server, place):
    for host in ("127.0.0.1", "localhost", "LOCALHOST:99", "[::1]", f"[::1]:{server.port}"):
        expect(server.get("/api/health", host=host), 200)
    for host in ("evil.example", f"evil.example:{server.port}", "localhost.evil.example", "127.0.0.1.evil.example",
                 "localhost:80@evil.example", "localhost:x", "[::1", "[::1]x", "10.0.0.1", "localhost.", "a b", "::1"):
        for path in ("/", "/api/health", "/api/runs"):
            expect(server.get(path, host=host), 403, "foreign-host")
        expect(server.post(b"x", host=host), 403, "foreign-host")
    expect(server.raw(b"GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n"), 403, "foreign-host")
    expect(server.raw(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"), 400, "bad-head")
    expect(server.raw(f"GET /api/health HTTP/1.0\r\n{server.access}\r\n".encode()), 200)


def test_origins(server, place):
    own = f"http://127.0.0.1:{server.port}"
    song = place.song(0, 0)
    expect(server.post(song, "a", f"Origin: {own}", "Sec-Fetch-Site: same-origin"), 200)
    for headers in (("Origin: http://evil.example",), ("Origin: null",), ("Origin: http://127.0.0.1",),
                    (f"Origin: http://127.0.0.1:{server.port}.evil.example",), (f"Origin: {own}/",), ("Origin:",),
                    ("Origin: file://",), ("Sec-Fetch-Site: cross-site",), ("Sec-Fetch-Site: same-site",),
                    (f"Origin: {own}", "Sec-Fetch-Site: cross-site"), (f"Origin: http://localhost:{server.port}",)):
        expect(server.post(song, "a", *headers), 403, "foreign-page")
        expect(server.get("/api/runs", *headers), 403, "foreign-page")
    # A link on another page may lead here.
    expect(server.get("/", "Sec-Fetch-Site: cross-site"), 200)


def test_policy(server, place):
    for path in ("/", "/page.css", "/page.js", "/access.js", "/card.js", "/icon.svg", "/api/model", "/api/runs", "/nothing"):
        answer = server.get(path)
        policy = answer.headers["content-security-policy"]
        check("default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy, policy)
        check(answer.headers["x-content-type-options"] == "nosniff", answer)
        check(answer.headers["referrer-policy"] == "no-referrer", answer)
        check("server" not in answer.headers and "access-control-allow-origin" not in answer.headers, answer)


# ---- Runs ----

def test_runs(server, place):
    runs = expect(server.get("/api/runs"), 200).json()
    check(runs["total"] == 1 and len(runs["runs"]) == 1, runs)
    run = runs["runs"][0]
    check(run["name"] == "artist-cnn" and run["state"] == "finished", run)
    check(re.fullmatch(rf"reports/[0-9a-f]{{32}}/artist-cnn/{run['id']}/report/index\.html", run["report"]), run)
    check(b"<html" in expect(server.get("/" + run["report"]), 200).body, "no page")
    check(0 <= run["test"]["song_accuracy"] <= 1 and run["seconds"] > 0, run)
    check(run["map"] is None and place.folder not in json.dumps(runs), "a path")
    model = expect(server.get("/api/model"), 200).json()
    check(model["name"] == "artist-cnn" and model["labels"] == ["Artist 0", "Artist 1", "Artist 2"], model)
    check(model["limits"]["song_bytes"] == MAX_SONG * 1000000, model)


def test_report(server, place):
    """A handmade one, with content that no report has."""
    run = os.path.join(place.folder, "runs", "hand", "20200101-000000")
    folder = os.path.join(run, "stages", "report", "report")
    os.makedirs(os.path.join(folder, "clips"))
    os.symlink("stages/report/report", os.path.join(run, "report"))
    for name, text in (("index.html", "<!doctype html>"), ("clips/a.ogg", "0123456789"), ("notes.xyz", "?"), (".hidden.txt", "?")):
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    os.symlink("/etc/passwd", os.path.join(folder, "passwd.txt"))
    os.symlink("../../../run.json", os.path.join(folder, "run.json"))
    os.symlink("/etc", os.path.join(folder, "etc"))
    os.mkfifo(os.path.join(folder, "fifo.txt"))
    os.makedirs(os.path.join(folder, "folder.txt"))
    listed = server.get("/api/runs").json()["runs"][1]
    check(listed["report"].endswith("/hand/20200101-000000/report/index.html") and listed["state"] is None, listed)
    base = "/" + listed["report"].removesuffix("/index.html")
    os.mkdir(os.path.join(run, "map"))
    with open(os.path.join(run, "map", "index.html"), "w") as file:
        file.write("a map")
    address = server.get("/api/runs").json()["runs"][1]["map"]
    check(address == listed["report"].replace("/report/", "/map/"), address)
    check(expect(server.get("/" + address), 200).body == b"a map", address)
    page = expect(server.get(f"{base}/index.html"), 200)
    policy = page.headers["content-security-policy"]
    # What its own buttons need (a list of corrections is a download), and no more.
    check(policy.split(";")[0].split() == ["sandbox", "allow-scripts", "allow-popups", "allow-downloads"], page)
    own = f"127.0.0.1:{server.port}/{listed['report'].split('/hand/')[0]}/"
    check(f"script-src {own} 'unsafe-inline';" in policy and "'self'" not in policy, page)
    with open(os.path.join(run, "run.json"), "w") as file:
        file.write("{")
    check(server.get("/api/runs").json()["runs"][1]["state"] == "unreadable", "a damaged run.json")
    with open(os.path.join(run, "run.json"), "w") as file:
        file.write('{"state": "running"}')
    check(server.get("/api/runs").json()["runs"][1]["state"] == "killed", "a run without a process")
    clip = f"{base}/clips/a.ogg"
    check(expect(server.get(clip), 200).body == b"0123456789", clip)
    for asked, status, body in (("bytes=2-4", 206, b"234"), ("bytes=7-", 206, b"789"), ("bytes=-3", 206, b"789"),
                                ("bytes=0-99", 206, b"0123456789"), ("bytes=10-", 200, None), ("bytes=5-2", 200, None),
                                ("bytes=-0", 200, None), ("bytes=1-2,4-5", 200, None), ("bytes=x-y", 200, None),
                                ("bytes=99999999999999999999-", 200, None), ("lines=1-2", 200, None)):
        answer = expect(server.get(clip, f"Range: {asked}"), status)
        check(answer.body == (body or b"0123456789"), f"{asked}: {answer}")
    for path in ("notes.xyz", ".hidden.txt", "passwd.txt", "run.json", "etc/passwd", "etc/hosts.txt", "fifo.txt",
                 "folder.txt", "clips", "", "clips/../index.html", "nothing.html", "a/b/c/d/e/f/g/h.html"):
        expect(server.get(f"{base}/{path}"), 404, "not-found")


def test_traversal(server, place):
    report = "/" + server.get("/api/runs").json()["runs"][0]["report"].removesuffix("/index.html")
    secret, run = report.split("/")[2], report.split("/")[-2]
    with open(os.path.join(place.folder, "secret.txt"), "w") as file:
        file.write("secret")
    ups = ("..", "%2e%2e", "%2E.", ".%2e", "..%2f..", "..%5c", "%252e%252e", "..;", "%c0%ae%c0%ae", "..%00", "...", ".")
    for up in ups:
        for n in (1, 3, 5):
            for path in (f"{report}/{'/'.join([up] * n)}/secret.txt",
                         f"/reports/{secret}/{'/'.join([up] * n)}/secret.txt", f"/reports/{secret}/artist-cnn/{up}/secret.txt",
                         f"/{'/'.join([up] * n)}/etc/passwd", f"/reports/{secret}/%2fetc/{up}/passwd.txt"):
                answer = server.get(path)
                check(answer.status in (400, 404) and b"secret" not in answer.body, f"{path}: {answer}")
    for path in (f"/reports/{secret}/artist-cnn/{run}/../run.json", f"/runs/artist-cnn/{run}/predictions.csv",
                 f"/reports/{secret}/artist-cnn/latest/report/index.html", f"{report}/../model/config.json",
                 f"/reports/{secret}/artist-cnn/{run}/predictions.csv", f"/reports/{secret}/artist-cnn/{run}/model/config.json",
                 f"/reports//{secret}/artist-cnn/{run}/report/index.html", "/reports/", "/reports"):
        expect(server.get(path), 404, "not-found")


def test_secret_addresses(server, place):
    """A report is only at the address that the API returns: not with another run's secret, nor without."""
    mine, other = (run["report"].split("/") for run in server.get("/api/runs").json()["runs"])
    expect(server.get("/" + "/".join(mine), access=""), 200)
    check(mine[1] != other[1], "one secret for two runs")
    for secret in ("", "0" * 32, other[1], mine[1][:-1], mine[1] + "0", mine[1].upper(), mine[1] + "%00"):
        if secret != mine[1]:
            expect(server.get("/".join(["/reports", secret, *mine[2:]])), 404, "not-found")
    for old in (f"/runs/{'/'.join(mine[2:4])}/report/index.html", f"/runs/{'/'.join(mine[2:4])}/report/data.js"):
        expect(server.get(old), 404, "not-found")


def test_token(server, place):
    """Clients with the printed token have access, by header or by argument; all others learn nothing."""
    song = place.song(0, 0)
    for access in (f"Authorization: token {server.token}\r\n", f"authorization: bearer {server.token}\r\n"):
        expect(server.get("/api/model", access=access), 200)
    expect(server.get(f"/api/model?token={server.token}", access=""), 200)
    expect(server.ask("POST", f"/api/songs?name=a&token={server.token}", song, access=""), 200)
    check(len(server.token) >= 32, server.token)
    wrong = ("", "Authorization: Bearer\r\n", "Authorization: Bearer \r\n", f"Authorization: Basic {server.token}\r\n",
             f"Authorization: {server.token}\r\n", f"Authorization: Bearer {server.token[:-1]}\r\n",
             f"Authorization: Bearer {server.token}x\r\n", f"Authorization: Bearer {server.token.swapcase()}\r\n",
             f"Cookie: token={server.token}\r\n", f"X-Token: {server.token}\r\n")
    for access in wrong:
        for path in ("/api/model", "/api/runs", "/api/health", "/api/model?token=", "/api/model?token=x"):
            answer = expect(server.get(path, access=access), 401, "no-token")
            check(answer.headers["www-authenticate"] == "Bearer" and "Artist" not in str(answer.body), answer)
        expect(server.ask("POST", "/api/songs?name=a", song, access=access), 401, "no-token")
    check(server.token.encode() not in server.get("/").body, "the page contains the token")


def test_descriptors(server, place):
    """No program that the server starts gets its sockets or files: each descriptor closes itself."""
    with socket.create_connection((server.host, server.port), 30):
        folder = f"/proc/{server.process.pid}/fdinfo"
        for number in os.listdir(folder):
            try:
                with open(f"{folder}/{number}") as f:
                    flags = int(next(line for line in f if line.startswith("flags:")).split()[1], 8)
                target = os.readlink(f"/proc/{server.process.pid}/fd/{number}")
            except FileNotFoundError:
                continue
            check(int(number) < 3 or flags & os.O_CLOEXEC, f"descriptor {number} stays open: {target}")


# ---- Misbehaving clients ----

def test_protocol(server, place):
    host = f"Host: 127.0.0.1:{server.port}\r\n{server.access}"
    two = server.raw(f"GET /api/health HTTP/1.1\r\n{host}\r\nGET /api/model HTTP/1.1\r\n{host}Connection: close\r\n\r\n".encode())
    check(two.status == 200, two)
    with server.connect() as sock:
        sock.sendall(f"GET /api/health HTTP/1.1\r\n{host}\r\n".encode() * 3 +
                     f"GET /api/model HTTP/1.1\r\n{host}Connection: close\r\n\r\n".encode())
        data = b""
        while block := sock.recv(65536):
            data += block
        # One request per connection: data after it is never treated as another.
        check(data.count(b"HTTP/1.1") == 1 and b"connection: close" in data.lower(), data)
    for raw in (b"\r\n\r\n", b"GET\r\n\r\n", b"GET /\r\n\r\n", b"\x00\x01\x02" * 100 + b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01" * 20,
                b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nHost localhost\r\n\r\n",
                b"GET " + b"/a" * 40000 + b" HTTP/1.1\r\n\r\n",
                f"GET / HTTP/1.1\r\n{host}X: {'a' * 70000}\r\n\r\n".encode(),
                f"GET / HTTP/1.1\r\n{host}{''.join(f'X{i}: y' + chr(13) + chr(10) for i in range(9000))}\r\n".encode(),
                f"POST /api/songs HTTP/1.1\r\n{host}Content-Length: 5\r\nContent-Length: 50\r\n\r\nabcde".encode(),
                f"POST /api/songs HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc".encode(),
                f"POST /api/songs HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc".encode()):
        # An incomplete request is aborted after ten seconds.
        with server.connect(60) as sock:
            try:
                sock.sendall(raw)
                sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            try:
                answer = serving.Answer(sock)
            except socket.timeout:
                raise serving.Failure(f"no response, and the connection stays open: {raw[:80]}")
            check(answer.status == 0 or answer.status >= 400, f"{raw[:60]}: {answer}")
        check(b"microhttpd" not in answer.data.lower(), answer)
    expect(server.get("/api/health"), 200)


def test_smuggling(server, place):
    """A request that a proxy may read differently is refused, and nothing after it is read."""
    host = f"Host: 127.0.0.1:{server.port}\r\n{server.access}"
    post, get = f"POST /api/songs?name=a HTTP/1.1\r\n{host}", f"GET /api/health HTTP/1.1\r\n{host}"
    second = f"{get}\r\n"
    for head in (f"{post}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
                 f"{post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                 f"{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
                 f"{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", f"{post}Transfer-Encoding : chunked\r\n\r\n",
                 f"{post}Content-Length: +5\r\n\r\nhello", f"{get}Host: evil.example\r\n\r\n",
                 f"{get}X: a\r\n b\r\n\r\n", f"{get}X: a\n\r\n", f"{get}X: a\rb\r\n\r\n", f"{get}X: \0\r\n\r\n",
                 f"{get}\n", f"GET http://evil.example/api/health HTTP/1.1\r\n{host}\r\n",
                 f"GET /api/health HTTP/1.1 \r\n{host}\r\n", f"GET /api/health HTTP/2.0\r\n{host}\r\n"):
        answer = expect(server.raw((head + second).encode()), 400, "bad-head")
        check(answer.data.count(b"HTTP/1.1 ") == 1, answer)
    many = lambda n, part: "".join(part % i for i in range(n))
    for head in (f"{get}X: {'a' * 20000}\r\n", f"{get}{many(200, 'X%d: y' + chr(13) + chr(10))}",
                 f"GET /api/health?{many(300, 'a%d=b&')} HTTP/1.1\r\n{host}", f"{get}Cookie: {many(300, 'a%d=b; ')}\r\n"):
        expect(server.raw(f"{head}\r\n".encode()), 431, "large-head")
    # An accepted request is answered, however it is split.
    for head in (f"{get}{many(150, 'X%d: ' + 'y' * 90 + chr(13) + chr(10))}", f"GET /api/health?{many(150, 'a%d=' + 'b' * 90 + '&')} HTTP/1.1\r\n{host}",
                 f"{get}Cookie: {many(150, 'a%d=' + 'b' * 90 + '; ')}\r\n", f"{get}Cookie: a={'b' * 16000}\r\n"):
        expect(server.raw(f"{head}\r\n".encode()), 200)
    # Sent byte by byte it is the same request.
    with server.connect() as sock:
        for byte in f"{get}Connection: close\r\n\r\n".encode():
            sock.sendall(bytes([byte]))
        expect(serving.Answer(sock), 200)


def test_writes_first(server, place):
    """A client that reads only after it has sent everything gets the response, not a reset."""
    body = os.urandom(1000) * 2900
    for path, headers, status, code in (
            ("/api/songs?name=a&top=x", [], 400, "bad-request"), ("/api/songs?name=%ff", [], 400, "bad-name"),
            ("/api/songs", ["Origin: http://evil.example"], 403, "foreign-page"), ("/nothing", [], 404, "not-found"),
            ("/api/health", [], 405, "method-not-allowed")):
        for body_of in (body, body * 4):
            with server.connect() as sock:
                head = "\r\n".join([f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", *headers,
                                    f"Content-Length: {len(body_of)}", f"{server.access}\r\n"])
                sock.sendall(head.encode() + body_of)
                expect(serving.Answer(sock), status, code)
    chunked = f"POST /api/songs?name=a HTTP/1.1\r\nHost: localhost\r\n{server.access}Transfer-Encoding: chunked\r\n\r\n"
    with server.connect() as sock:
        sock.sendall(chunked.encode() + (b"%x\r\n" % 65536 + bytes(65536) + b"\r\n") * 100 + b"0\r\n\r\n")
        expect(serving.Answer(sock), 413, "too-large")


def test_crowd(server, place):
    """Almost idle connections take no place from one with a request."""
    song = place.song(0, 0)
    head = f"POST /api/songs?name=a HTTP/1.1\r\nHost: localhost\r\n{server.access}Content-Length: 2000000\r\n\r\n".encode()
    for first in (b"", b"GET / HT", head, head + b"x", head + bytes(60000)):
        held = []
        try:
            for _ in range(300):
                sock = server.connect()
                held.append(sock)
                try:
                    sock.sendall(first)
                except OSError:
                    pass  # it was already dropped
            check(expect(server.post(song), 200).json()["label"] == "Artist 0", f"with 300 connections that sent {first[:10]}")
        finally:
            for sock in held:
                sock.close()
    server.wait_until_idle()


def test_gone(server, place):
    """Clients that disconnect at any moment leave no work on the server."""
    song = place.song(0, 0)
    head = f"POST /api/songs?name=a HTTP/1.1\r\nHost: localhost\r\n{server.access}Content-Length: {len(song)}\r\n\r\n".encode()
    for n in (10, len(head), len(head) + 1000, len(head) + len(song) - 1, len(head) + len(song)):
        with server.connect() as sock:
            sock.sendall((head + song)[:n])
    server.wait_until_idle()


class Slow(threading.Thread):
    """A client that sends a byte now and then; returns when and how that ended."""

    def __init__(self, server, first, drip, pause):
        super().__init__(daemon=True)
        self.server, self.first, self.drip, self.pause = server, first, drip, pause
        self.seconds, self.data = None, b""
        self.start()

    def run(self):
        began = time.monotonic()
        with self.server.connect() as sock:
            sock.sendall(self.first)
            sock.settimeout(self.pause)
            while time.monotonic() < began + 300:
                try:
                    sock.sendall(self.drip)
                    block = sock.recv(65536)
                    self.data += block
                    if not block:
                        break
                except socket.timeout:
                    pass
                except OSError:
                    break
        self.seconds = time.monotonic() - began


def test_slow(server, slow_heads, slow_body, silent):
    for thread in (*slow_heads, slow_body, silent):
        thread.join(120)
        check(thread.seconds is not None, f"the connection is still open: {thread.data!r}")
    check(b"408" in slow_body.data and b"slow-upload" in slow_body.data, slow_body.data)
    server.wait_until_idle()
    return f"heads cut off after {slow_heads[0].seconds:.1f} s, a slow upload after {slow_body.seconds:.1f} s"


class Held(threading.Thread):
    """A client that keeps sending an endless song, so that it keeps its place."""

    def __init__(self, server, source):
        super().__init__(daemon=True)
        self.stopped = threading.Event()
        self.sock = socket.create_connection((server.host, server.port), 30, (source, 0))
        self.sock.sendall(f"POST /api/songs?name=a HTTP/1.1\r\nHost: localhost\r\n{server.access}"
                          "Content-Length: 3000000\r\n\r\n".encode() + bytes(100000))
        self.start()

    def run(self):
        try:
            while not self.stopped.wait(0.1):
                self.sock.sendall(bytes(10000))
        except OSError:
            pass


def test_busy(server, place):
    """The maximum number is in flight: others get `busy` at once. A client at another address gets its
    share."""
    song = place.song(0, 0)
    answer = None
    for _ in range(20):
        # On a busy machine, some of them are too slow and lose their places.
        held = [Held(server, "127.0.0.1") for _ in range(8)]
        answer = server.post(song)
        if answer.status == 503:
            break
        for each in held:
            each.stopped.set()
            each.join()
            each.sock.close()
    expect(answer, 503, "busy")
    check(int(answer.headers["retry-after"]) > 0, answer)
    with socket.create_connection((server.host, server.port), 60, ("127.0.0.2", 0)) as sock:
        sock.sendall(f"POST /api/songs?name=a HTTP/1.1\r\nHost: localhost\r\n{server.access}"
                     f"Content-Length: {len(song)}\r\n\r\n".encode() + song)
        expect(serving.Answer(sock), 200)
    for each in held:
        each.stopped.set()
        each.join()
        each.sock.close()
    server.wait_until_idle()
    expect(server.post(song), 200)


def test_twenty(server, place):
    """Twenty at once: good, damaged, oversize."""
    answers = {}

    def send(i):
        kind = ("good", "bad", "large", "good")[i % 4]
        body = {"good": place.song(i % serving.ARTISTS, i % serving.SONGS), "bad": os.urandom(100000),
                "large": bytes(MAX_SONG * 1000000 + 10)}[kind]
        while True:
            answer = server.post(body, f"{kind}-{i}")
            if answer.code() != "busy":
                break
            time.sleep(0.1)
        answers[i] = kind, answer
    threads = [threading.Thread(target=send, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(len(answers) == 20, f"{len(answers)} of 20 answered")
    for i, (kind, answer) in answers.items():
        if kind == "good":
            check(expect(answer, 200).json()["label"] == f"Artist {i % serving.ARTISTS}", answer)
        else:
            expect(answer, *((422, "not-a-song") if kind == "bad" else (413, "too-large")))
    server.wait_until_idle()


# ---- Training songs that sound alike ----

def twin_of(song):
    """The song with the noise of a lossy encoder: its samples have only 8 bits."""
    changed = bytearray(song)
    for i in range(44, len(changed), 2):
        changed[i] = 0
    return bytes(changed)


def songs_of(library):
    with open(os.path.join(library, "songs.jsonl")) as file:
        return [json.loads(line) for line in file]


def test_similar(place):
    """An answer names the training songs that sound most like the song; those below --music can be played."""
    place.run("run", "--preset", "artist-small", place.music, "--set", "segment.count=3")
    run = "runs/artist-small/latest"
    library = os.path.join(place.folder, run, "library")
    songs = songs_of(library)
    check({song["set"] for song in songs} >= {"train", "test"}, songs)
    server = serving.Server(place, "--music", place.music, model=run)
    for number, song in enumerate(songs):
        if song["set"] != "train":
            continue
        with open(os.path.join(place.music, song["id"]), "rb") as file:
            own = file.read()
        for sent in (own, twin_of(own)):
            answer = expect(server.post(sent), 200).json()
            first = answer["similar"][0]
            check(len(answer["similar"]) == 3 and first["song"] == number, f"{song}: {answer['similar']}")
            check(first["label"] == song["label"] and first["plays"] and first["similarity"] > 0.9, first)
            check(all(songs[other["song"]]["set"] == "train" for other in answer["similar"]), answer["similar"])
            check(place.folder not in json.dumps(answer), answer)
        check(expect(server.get(f"/api/library/{number}"), 200).body == own, "another song")
        break
    lines = expect(server.post(place.song(1, 0), "song.wav", "Accept: application/x-ndjson"), 200).lines()
    check(len(lines[-1]["similar"]) == 3, lines[-1])
    played = server.get("/api/library/0")
    check(played.headers["content-type"] == "audio/wav" and "sandbox" in played.headers["content-security-policy"], played)
    expect(server.get("/api/library/0", access=""), 401, "no-token")
    expect(server.get("/api/library/0", "Origin: http://evil.example"), 403, "foreign-page")
    expect(server.ask("POST", "/api/library/0", b""), 405, "method-not-allowed")
    for path in (str(len(songs)), "-1", "", "0x1", "1e9", "../model", "0/..", "99999999999999999999"):
        expect(server.get(f"/api/library/{path}"), 404, "not-found")
    server.stop()
    without = serving.Server(place, model=run)
    check(not any(song["plays"] for song in expect(without.post(place.song(1, 0)), 200).json()["similar"]), "plays")
    expect(without.get("/api/library/0"), 404, "not-found")
    without.stop()
    refused(place, 66, "can't use the music folder", "--model", run, "--music", "nowhere")
    refused(place, 66, "there is no library", "--model", "runs/artist-cnn/latest", "--music", place.music)


def test_untrusted_library(place):
    """A library may name any file, and be damaged: nothing outside of the music is opened, and songs are classified."""
    run = "runs/artist-small/latest"
    for name, change, plays in (
            ("above", lambda song: song.update(id="../secret.wav"), False),
            ("absolute", lambda song: song.update(id=os.path.join(place.folder, "secret.wav")), False),
            ("encoded", lambda song: song.update(id="%2e%2e/secret.wav"), False),
            ("link", lambda song: song.update(id="link.wav"), False),
            ("folder", lambda song: song.update(id="link/Song 0.wav"), False),
            ("other", lambda song: song.update(id="notes.txt"), False),
            ("source", lambda song: song.update(source=os.path.join(place.folder, "secret.wav")), True)):
        bad = os.path.join(place.folder, "bad")
        subprocess.run(["rm", "-rf", bad], check=True)
        subprocess.run(["cp", "-rL", os.path.join(place.folder, run, "model"), bad], check=True)
        subprocess.run(["cp", "-rL", os.path.join(place.folder, run, "library"), bad], check=True)
        for file in ("secret.wav", os.path.join("music", "notes.txt")):
            with open(os.path.join(place.folder, file), "w") as out:
                out.write("secret")
        for link, target in (("link.wav", "../secret.wav"), ("link", "Artist 0/Album 0")):
            if not os.path.lexists(os.path.join(place.music, link)):
                os.symlink(target, os.path.join(place.music, link))
        songs = songs_of(os.path.join(bad, "library"))
        change(songs[0])
        with open(os.path.join(bad, "library", "songs.jsonl"), "w") as file:
            file.writelines(json.dumps(song) + "\n" for song in songs)
        server = serving.Server(place, "--music", place.music, model="bad")
        answer = server.get("/api/library/0")
        check(answer.status == (200 if plays else 404) and b"secret" not in answer.body, f"{name}: {answer}")
        server.stop()
    # The library of another model's run.
    other = os.path.join(place.folder, "other")
    subprocess.run(["cp", "-rL", os.path.join(place.folder, "runs/artist-cnn/latest/model"), other], check=True)
    subprocess.run(["cp", "-rL", os.path.join(place.folder, run, "library"), other], check=True)
    server = serving.Server(place, model="other")
    check("prepared in another way" in server.said(), server.said())
    check("similar" not in expect(server.post(place.song(1, 0)), 200).json(), "another library")
    server.stop()
    vectors = os.path.join(place.folder, "bad", "library", "library.safetensors")
    with open(vectors, "rb") as file:
        whole = file.read()
    for name, damaged in (("cut", whole[:-4]), ("NaN", whole[:-64] + b"\xff" * 64), ("empty", b"")):
        with open(vectors, "wb") as file:
            file.write(damaged)
        server = serving.Server(place, model="bad")
        check("answers do not list similar songs" in server.said(), f"{name}: {server.said()}")
        check("similar" not in expect(server.post(place.song(1, 0)), 200).json(), name)
        server.stop()


# ---- Start and end ----

def refused(place, status, words, *arguments):
    result = subprocess.run([serving.SEGUE, "serve", *arguments], cwd=place.folder, capture_output=True, text=True,
                            env=serving.environment(), timeout=60)
    check(result.returncode == status and words in result.stderr and not result.stdout, f"{arguments}: {result}")


def test_start(server, place):
    model = ("--model", "runs/artist-cnn/latest")
    refused(place, 73, "is in use, perhaps by another segue serve", *model, "--port", str(server.port))
    refused(place, 64, "--port must be 0..65535, got ‘70000’", *model, "--port", "70000")
    refused(place, 64, "--port must be 0..65535, got ‘http’", *model, "--port", "http")
    refused(place, 64, "--bind takes an IP address", *model, "--bind", "localhost")
    refused(place, 73, "can't listen on 192.0.2.1", *model, "--bind", "192.0.2.1", "--port", "0")
    refused(place, 64, "--model is missing")
    refused(place, 64, "one argument too many: ‘x’", *model, "x")
    refused(place, 64, "did you mean --port?", *model, "--prot", "1")
    refused(place, 66, "there is no model in", "--model", "music")
    refused(place, 64, "--precision must be one of", *model, "--precision", "float16")
    short = os.path.join(place.folder, "short")
    for text in ("abc", "a" * 15, "a" * 201, "a b c d e f g h i j k l m n o p", "ä" * 20, ""):
        with open(short, "w") as file:
            file.write(text)
        refused(place, 64, "the token must have 16 to 200", *model, "--token-file", short)
    refused(place, 66, "nothere", *model, "--token-file", "nothere")


def test_no_leak(server):
    """Under a sanitizer, reports on all earlier tests."""
    status, seconds = server.stop()
    check(status == 130, f"exit status {status}: {server.said()[-3000:]}")


def test_end(place, how, status):
    """Songs in progress are cancelled; no process and no file is left."""
    server = serving.Server(place, "-j", "2")
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(server.post(place.song(0, 0)))) for _ in range(6)]
    threads.append(threading.Thread(target=lambda: answers.append(server.raw(
        f"POST /api/songs?name=a HTTP/1.1\r\nHost: localhost\r\n{server.access}Content-Length: 1000\r\n\r\nabc".encode()))))
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    got, seconds = server.stop(how)
    for thread in threads:
        thread.join()
    check(got == status, f"exit status {got}: {server.said()}")
    check(len(answers) == 7 and all(a.status in (0, 200) or a.code() == "stopping" for a in answers), answers)
    end = time.monotonic() + 60
    while server.workers():
        check(time.monotonic() < end, f"left: {server.workers()}")
    check(not os.listdir(place.spool), os.listdir(place.spool))
    return f"{seconds:.2f} s"


def test_interface(place):
    """When it listens on all addresses, it warns, accepts addresses as host names, and only configured names."""
    server = serving.Server(place, "--bind", "0.0.0.0", "--host", "music.example")
    check("anyone with its token who can reach 0.0.0.0" in server.said(), server.said())
    check(server.host == "127.0.0.1", f"the token is sent to {server.host}, where another user may listen")
    for host in ("10.1.2.3", "[fe80::1]:80", "music.example", "localhost"):
        expect(server.get("/", host=host), 200)
    expect(server.get("/", host="evil.example"), 403, "foreign-host")
    server.stop()
    if os.path.exists("/proc/net/if_inet6") and "00000000000000000000000000000001" in open("/proc/net/if_inet6").read():
        server = serving.Server(place, "--bind", "::1")
        expect(server.get("/", host=f"[::1]:{server.port}"), 200)
        server.stop()


def test_tokens(place):
    """A user's token: in a file, in the environment; or none. Tokens are never on a command line."""
    path, own = os.path.join(place.folder, "token"), "my-own_token.of~24-letters"
    with open(path, "w") as file:
        file.write(own + "\nmore\n")
    for mode in (0o600, 0o640, 0o604):
        os.chmod(path, mode)
        server = serving.Server(place, "--token-file", path)
        check(("other users can read the token" in server.said()) == (mode != 0o600), f"{mode:o}: {server.said()}")
        server.stop()
    for server in (serving.Server(place, "--token-file", path), serving.Server(place, SEGUE_SERVE_TOKEN=own)):
        check(server.token == own, server.token)
        expect(server.get("/api/health"), 200)
        server.stop()
    open_one = serving.Server(place, "--no-token")
    check(open_one.token is None and "all users of this machine" in open_one.said(), open_one.said())
    expect(open_one.get("/api/health"), 200)
    open_one.stop()
    browser, runtime = os.path.join(place.folder, "bin"), os.path.join(place.folder, "runtime")
    os.makedirs(browser)
    os.makedirs(runtime)
    with open(os.path.join(browser, "xdg-open"), "w") as file:
        file.write(f'#!/bin/sh\nset -e\nls -l "$1" >{browser}/listed\ncp "$1" {browser}/page\n'
                   f'echo "$1" >{browser}/called.part\nmv {browser}/called.part {browser}/called\n')
    os.chmod(os.path.join(browser, "xdg-open"), 0o755)
    # Leftovers of killed servers, and files of others.
    left, others = "segue-serve-abcdef.html", ["segue-serve-ABCDEF.html", "segue-serve-notes.txt", "old.html"]
    for name in (left, *others):
        with open(os.path.join(runtime, name), "w") as file:
            file.write("x")
        if name != others[0]:
            os.utime(os.path.join(runtime, name), (0, 0))
    server = serving.Server(place, "--open", PATH=f"{browser}:{os.environ['PATH']}", XDG_RUNTIME_DIR=runtime)
    end = time.monotonic() + 30
    while not os.path.exists(os.path.join(browser, "called")):
        check(time.monotonic() < end, "no browser")
        time.sleep(0.02)
    read = lambda name: open(os.path.join(browser, name)).read()
    check(server.token not in read("called") and "token" not in read("called"), read("called"))
    check(f"url=http://127.0.0.1:{server.port}/?token={server.token}" in read("page"), read("page"))
    check(read("listed").startswith("-rw-------"), read("listed"))
    server.stop()
    check(sorted(os.listdir(runtime)) == sorted(others), os.listdir(runtime))


def test_no_room(place):
    """A limit of file sizes simulates a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300000, limits[1]))
    server = serving.Server(place)
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    expect(server.post(place.song(0, 0)), 507, "no-room")
    expect(server.post(b"x"), 422, "not-a-song")
    server.stop()


def test_decoder_lost(place):
    """Details about this machine stay in its log."""
    server = serving.Server(place, SEGUE_WORKER="/nowhere/segue-worker")
    answer = expect(server.post(place.song(0, 0)), 500, "failed")
    check(b"nowhere" not in answer.data, answer)
    check("/nowhere/segue-worker" in server.said(), server.said())
    server.stop()


def main():
    tap = serving.Tap()
    place = serving.Place()
    server = serving.Server(place, "--max-song", str(MAX_SONG), "--upload-time", "3", "--songs", "8", "-j", "2",
                            leaks=serving.SANITIZED)
    line = f"POST /api/songs?name=a HTTP/1.1\r\nHost: localhost\r\n{server.access}"
    slow_heads = [Slow(server, b"GET / HT", b"x", 0.5), Slow(server, line.encode(), b"X: y\r\n", 0.5)]
    slow_body = Slow(server, f"{line}Content-Length: 1000\r\n\r\n".encode(), b"x", 0.5)
    silent = Slow(server, b"", b"", 0.5)
    for name in ("answer", "same_as_predict", "stream", "names", "not_songs", "wrong_bodies", "sizes", "expect", "methods", "hosts",
                 "origins", "policy", "token", "runs", "report", "secret_addresses", "descriptors", "traversal", "protocol", "smuggling", "writes_first", "gone", "start"):
        tap.case(name, globals()[f"test_{name}"], server, place)
    tap.case("slow", test_slow, server, slow_heads, slow_body, silent)
    for name in ("crowd", "busy", "twenty"):
        tap.case(name, globals()[f"test_{name}"], server, place)
    tap.case("no leak", test_no_leak, server)
    tap.case("end by Ctrl-C", test_end, place, signal.SIGINT, 130)
    tap.case("end by SIGTERM", test_end, place, signal.SIGTERM, 143)
    tap.case("killed", test_end, place, signal.SIGKILL, -9)
    for name in ("combined", "interface", "tokens", "no_room", "decoder_lost", "similar", "untrusted_library"):
        tap.case(name, globals()[f"test_{name}"], place)
    if not tap.failed:
        place.remove()
    tap.end()


main()
