"""segue serve in a browser: real songs, dropped, chosen and played.

  /usr/bin/python3 tests/browser/check-serve.py [--shots FOLDER] [--folder FOLDER]

Needs Debian's chromium, chromium-driver and python3-selenium (examples/dependencies.sh browser).
First trains the small network for a minute on the music of examples/libre-music.sh, without one song
of each artist; the page then classifies these songs.  --folder: keeps the model and the songs there for
the next run. Prints TAP."""
import argparse
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

# It is ignored where this runs in the background, and would be in child processes.
signal.signal(signal.SIGINT, signal.default_int_handler)

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(SOURCE, "build")))
SEGUE = os.path.join(BUILD, "pipeline", "cli", "segue")
ENV = dict(os.environ, SEGUE_PLUGIN_PATH=os.path.join(BUILD, "plugins"),
           SEGUE_WORKER=os.path.join(BUILD, "pipeline", "worker", "segue-worker"),
           SEGUE_SERVE=os.path.join(BUILD, "pipeline", "serve", "segue-serve"),
           SEGUE_PRESET_PATH=os.path.join(SOURCE, "examples", "presets"))
DESKTOP, PHONE = (1280, 900), (390, 844)


def prepare(folder):
    """Music without one song of each artist, and a run on it: a network, which answers segment by segment."""
    songs = subprocess.run(["sh", os.path.join(SOURCE, "examples", "libre-music.sh"), "small"],
                           check=True, capture_output=True, text=True).stdout.strip()
    music, held = os.path.join(folder, "music"), os.path.join(folder, "held-out")
    shutil.copytree(songs, music)
    for artist in sorted(os.listdir(music)):
        names = sorted(os.path.join(where, name) for where, _, names in os.walk(os.path.join(music, artist))
                       for name in names if name.endswith(".ogg"))
        os.makedirs(os.path.join(held, artist))
        shutil.move(names[-1], os.path.join(held, artist))
    subprocess.run([SEGUE, "run", "--preset", "artist-cnn", music, "--set", "name=network", "--set", "train.epochs=12"],
                   check=True, cwd=folder, env=ENV, stdout=subprocess.DEVNULL)


class Server:
    def __init__(self, folder, *more):
        self.process = subprocess.Popen(
            [SEGUE, "serve", "--model", "runs/network/latest", "--none-of-these", "off", "--port", "0", *more],
            cwd=folder, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=5)


def open_browser():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--no-first-run", f"--window-size={DESKTOP[0]},{DESKTOP[1]}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)


class Suite:
    def __init__(self, browser, server, folder, shots):
        self.browser, self.server, self.shots = browser, server, shots
        self.folder = folder
        held = os.path.join(folder, "held-out")
        self.songs = {artist: os.path.join(held, artist, name) for artist in sorted(os.listdir(held))
                      for name in os.listdir(os.path.join(held, artist))}
        self.n = self.failed = 0

    # Elements of the page.

    def cards(self):
        return self.browser.find_elements(By.CSS_SELECTOR, ".card")

    def text(self, card, selector):
        return card.find_element(By.CSS_SELECTOR, selector).text

    def wait(self, what, seconds=60):
        return WebDriverWait(self.browser, seconds, 0.05).until(lambda _: what())

    def open(self, size=DESKTOP, scheme="light", hash="", url=None):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE})
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.browser.get("about:blank")
        self.browser.get((url or self.server.url) + hash)
        self.wait(lambda: "artists" in self.browser.find_element(By.ID, "model").text or hash)

    def drop(self, paths):
        """Like a drop by a person: by the browser's own input, so that folders are folders."""
        data = {"items": [], "files": paths, "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.browser.execute_cdp_cmd("Input.dispatchDragEvent", {
                "type": kind, "x": 300, "y": 160, "data": data})

    def choose(self, paths):
        self.browser.find_element(By.ID, "files").send_keys("\n".join(paths))

    def answered(self, n):
        cards = self.cards()
        return len(cards) == n and all(
            not self.text(card, ".state") and self.text(card, ".artist") or
            "failed" in card.get_attribute("class") for card in cards) and cards

    def shot(self, name):
        if self.shots:
            os.makedirs(self.shots, exist_ok=True)
            self.browser.save_screenshot(os.path.join(self.shots, f"serve-{name}.png"))

    # Expectations.

    def test_drop(self):
        self.open()
        self.drop(list(self.songs.values()))
        cards = self.wait(lambda: self.answered(len(self.songs)))
        for card in cards:
            name, artist = self.text(card, ".name"), self.text(card, ".artist")
            assert os.path.basename(self.songs[artist]) == name, f"{name} is predicted as {artist}"
            assert self.text(card, ".sure").endswith("%")
            assert len(card.find_elements(By.CSS_SELECTOR, ".segment")) > 3
            assert not card.find_elements(By.CSS_SELECTOR, ".segment.expected")
        self.shot("light")

    def test_fills_in(self):
        """Segments appear one after the other, not all at the end."""
        self.open()
        # Checked on every change: a small network classifies a song faster than it can be polled from outside.
        self.browser.execute_script("""
            window.seen = new Set();
            const look = () => window.seen.add(document.querySelectorAll('.segment:not(.expected)').length);
            new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
            """)
        self.choose([next(iter(self.songs.values()))])
        self.wait(lambda: self.answered(1))
        seen = self.browser.execute_script("return [...window.seen]")
        assert len(set(seen) - {0}) > 1, f"numbers of segments seen: {sorted(seen)}"

    def test_plays(self):
        self.open()
        self.choose([next(iter(self.songs.values()))])
        card = self.wait(lambda: self.answered(1))[0]
        timeline = card.find_element(By.CSS_SELECTOR, ".timeline")
        audio = card.find_element(By.CSS_SELECTOR, "audio")
        at = lambda: self.browser.execute_script("return arguments[0].currentTime", audio)
        where = lambda: float(self.browser.execute_script(
            "return parseFloat(arguments[0].querySelector('.playhead').style.left)", card))
        timeline.click()  # its middle
        length = self.browser.execute_script("return arguments[0].duration", audio)
        self.wait(lambda: abs(at() - length / 2) < length / 20)
        assert abs(where() - 50) < 5, where()
        timeline.send_keys(Keys.SPACE)
        begun, place = at(), where()
        self.wait(lambda: at() > begun + 0.5, 20)
        assert where() > place, "the playhead does not move"
        timeline.send_keys(Keys.SPACE)
        timeline.send_keys(Keys.HOME)
        self.wait(lambda: at() < 1)
        assert timeline.get_attribute("aria-valuetext").startswith("0:00 of")

    def test_folder(self):
        """A folder with songs and other files."""
        folder = os.path.join(self.folder, "dropped")
        os.makedirs(os.path.join(folder, "disc 1"), exist_ok=True)
        for path in list(self.songs.values())[:2]:
            shutil.copy(path, os.path.join(folder, "disc 1"))
        with open(os.path.join(folder, "cover.jpg"), "wb") as file:
            file.write(b"no song")
        self.open()
        self.drop([folder])
        self.wait(lambda: self.answered(2))
        assert "1 file" in self.browser.find_element(By.ID, "notice").text

    def test_errors(self):
        """Unusable files are reported, and do no harm; names are text."""
        broken = os.path.join(self.folder, "<img src=x onerror=alert(1)> \u0634\u0639\u0631 \u6b4c.ogg")
        with open(broken, "wb") as file:
            file.write(b"OggS" + os.urandom(5000))
        empty = os.path.join(self.folder, "empty.mp3")
        open(empty, "wb").close()
        good = next(iter(self.songs.values()))
        self.open()
        self.choose([broken, empty, good])
        cards = self.wait(lambda: self.answered(3))
        assert self.text(cards[0], ".name") == os.path.basename(broken)
        assert not self.browser.find_elements(By.CSS_SELECTOR, ".card img")
        assert os.path.basename(broken) in self.text(cards[0], ".state"), self.text(cards[0], ".state")
        assert "empty" in self.text(cards[1], ".state")
        assert self.text(cards[2], ".artist") == next(iter(self.songs))
        self.shot("errors")
        # The browser's own report of the refused one is not an error of the page.
        self.refused = 1

    def test_compare(self):
        self.open()
        self.choose(list(self.songs.values()))
        self.wait(lambda: self.answered(len(self.songs)))
        self.browser.find_element(By.ID, "compare").click()
        rows = self.browser.find_elements(By.CSS_SELECTOR, "#comparison tbody tr")
        assert len(rows) == len(self.songs)
        self.shot("compare")

    def test_busy(self):
        """A server that takes one song at a time: the others are retried, and all are answered."""
        server = Server(self.folder, "--songs", "1")
        try:
            self.open(url=server.url)
            self.choose(list(self.songs.values()))
            for card in self.wait(lambda: self.answered(len(self.songs))):
                artist = self.text(card, ".artist")
                assert artist and os.path.basename(self.songs[artist]) == self.text(card, ".name"), card.text
        finally:
            server.stop()
        self.refused = None

    def test_runs(self):
        self.open(hash="#runs")
        row = self.wait(lambda: self.browser.find_elements(By.CSS_SELECTOR, "#runs-table tbody tr"))[0]
        assert "network" in row.text and "finished" in row.text and "%" in row.text, row.text
        self.shot("runs")
        # On a phone no name is broken.
        self.open(PHONE, hash="#runs")
        name = self.wait(lambda: self.browser.find_elements(By.CSS_SELECTOR, "#runs-table tbody th bdi"))[0]
        lines = self.browser.execute_script("return arguments[0].getClientRects().length", name)
        assert lines == 1, f"{name.text} wraps over {lines} lines"
        wide = self.browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= PHONE[0], f"{wide} pixels wide"
        self.shot("runs-phone")

    def test_report(self):
        """The run's own report opens from the list, is styled, and its clips play."""
        self.open(hash="#runs")
        row = self.wait(lambda: self.browser.find_elements(By.CSS_SELECTOR, "#runs-table tbody tr"))[0]
        first = self.browser.current_window_handle
        row.find_element(By.TAG_NAME, "a").click()
        self.wait(lambda: len(self.browser.window_handles) == 2)
        self.browser.switch_to.window(self.browser.window_handles[1])
        try:
            self.wait(lambda: "report" in self.browser.title, 10)
            played = self.browser.execute_async_script("""
              const done = arguments[0], clip = [...document.querySelectorAll('audio')].find(each => each.src);
              if (!clip)
                return done('no clip');
              clip.addEventListener('loadedmetadata', () => done('loaded'));
              clip.addEventListener('error', () => done('error'));
              clip.load();""")
            assert played == "loaded", played
            self.shot("report")
            said = [entry["message"] for entry in self.browser.get_log("browser")]
            assert not said, said
        finally:
            self.browser.close()
            self.browser.switch_to.window(first)

    def test_report_fixes_labels(self):
        """The dialog works in a served report, where no form may be submitted, and the table can be saved."""
        self.open(hash="#runs")
        link = self.wait(lambda: self.browser.find_elements(By.CSS_SELECTOR, "#runs-table a"))[0]
        self.browser.get(link.get_attribute("href"))
        find = lambda selector: self.browser.find_element(By.CSS_SELECTOR, selector)
        button = self.wait(lambda: self.browser.find_elements(By.CSS_SELECTOR, "#songs-table button"))[0]
        assert button.text == "Fix label", button.text
        for key, expected in ((Keys.ENTER, True), (None, True), (Keys.ESCAPE, False)):
            self.browser.execute_script("arguments[0].click()", button)
            self.wait(lambda: find("#relabel").get_attribute("open"))
            find("#relabel-label").clear()
            find("#relabel-label").send_keys("Somebody else", *([key] if key else []))
            if not key:
                find("#relabel button[value='set']").click()
            self.wait(lambda: not find("#relabel").get_attribute("open"))
            assert find("#changes").is_displayed() and "Somebody else" in find("#changes-text").get_attribute("value")
            if expected:
                assert find("#changes-unkept").is_displayed(), "no note that changes are not stored"
                find("#changes-list button").click()
                assert not find("#changes").is_displayed()
                self.browser.execute_script("arguments[0].click()", button)
                find("#relabel-label").send_keys("Somebody else", Keys.ENTER)
                self.wait(lambda: find("#changes").is_displayed())
        # Keys, with nothing in focus.
        self.browser.execute_script("document.activeElement.blur(); document.getElementById('wrong-list').scrollIntoView()")
        if self.browser.find_elements(By.CSS_SELECTOR, ".item"):
            self.browser.find_element(By.TAG_NAME, "body").send_keys("j")
            assert self.browser.execute_script("return document.activeElement.className") == "item"
        self.refused = None

    def test_token(self):
        """Without the token the page requests it; with it the address bar does not contain it."""
        bare = self.server.url.split("?")[0]
        self.open()
        assert self.browser.current_url == bare, self.browser.current_url
        self.browser.execute_script("localStorage.clear()")
        self.browser.get(bare)
        field = self.wait(lambda: self.browser.find_element(By.ID, "token"))
        self.wait(field.is_displayed)
        field.send_keys(self.server.url.split("=")[1] + Keys.ENTER)
        self.wait(lambda: "artists" in self.browser.find_element(By.ID, "model").text)
        assert not field.is_displayed()
        self.browser.get(bare)
        self.wait(lambda: "artists" in self.browser.find_element(By.ID, "model").text)
        self.refused = None

    def test_other_pages_read_nothing(self):
        """A page of another site, and a page at another port of this machine, get no report and no list."""
        run = next(os.path.realpath(os.path.join(self.folder, "runs", name, "latest"))
                   for name in ("network",))
        old = f"{self.server.url.split('?')[0]}runs/network/{os.path.basename(run)}/report/data.js"
        page = f"""<!doctype html><title>begun</title><script src="{old}"></script>
          <script src="{self.server.url.split('?')[0]}api/runs"></script><script>
          addEventListener('load', () => fetch('{self.server.url.split('?')[0]}api/runs', {{ credentials: 'include' }})
            .then(answer => answer.text(), () => 'refused')
            .then(text => {{ document.title = 'read ' + (window.segueReport ? 'a report' : 'nothing') + ', ' + text; }}));
          </script>"""

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *words):
                pass
        other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=other.serve_forever, daemon=True).start()
        try:
            self.open()
            for host in ("127.0.0.1", "localhost"):
                self.browser.get(f"http://{host}:{other.server_port}/")
                self.wait(lambda: self.browser.title.startswith("read"), 10)
                assert self.browser.title == "read nothing, refused", self.browser.title
        finally:
            other.shutdown()
        self.refused = None

    def test_report_is_locked_in(self):
        """A malicious report runs its script, and can neither query the server nor read its pages."""
        run = os.path.join(self.folder, "runs", "hostile", "30000101-000000")
        report = os.path.join(run, "report")
        os.makedirs(report)
        with open(os.path.join(report, "index.html"), "w") as file:
            file.write("<!doctype html><title>begun</title><link rel=stylesheet href=own.css><script src=own.js>"
                       "</script>")
        with open(os.path.join(report, "own.css"), "w") as file:
            file.write("html { color: rgb(1, 2, 3) }")
        with open(os.path.join(report, "own.js"), "w") as file:
            file.write("""
              const said = [self.origin];
              const tries = [fetch('/api/runs').then(() => said.push('read'), () => 0),
                fetch('/api/songs', { method: 'POST', body: 'x', mode: 'no-cors' }).then(() => said.push('sent'), () => 0)];
              Promise.all(tries).then(() => { document.title = said.join(' '); });""")
        try:
            self.open(hash="#runs")
            link = self.wait(lambda: self.browser.find_elements(By.CSS_SELECTOR, "#runs-table a"))[0]
            self.browser.get(link.get_attribute("href"))
            self.wait(lambda: self.browser.title != "begun", 10)
            assert self.browser.title == "null", self.browser.title
            colour = self.browser.execute_script("return getComputedStyle(document.documentElement).color")
            assert colour == "rgb(1, 2, 3)", colour
        finally:
            shutil.rmtree(run)
        self.refused = None  # refusals are in the log, as expected

    def test_names_that_objects_inherit(self):
        """Artists named like properties of every object are shown like any other, during and after
        classification."""
        self.open()
        shown = self.browser.execute_async_script("""
          const done = arguments[0], labels = ['constructor', '__proto__', 'toString'];
          import('/card.js').then(({ Card }) => {
            const card = new Card(new File(['x'], 'x.wav'), { labels, limits: {} }, () => {}), said = [];
            const probabilities = JSON.parse('{"constructor": 0.5, "__proto__": 0.3, "toString": 0.2}');
            const note = () => said.push([...card.element.querySelectorAll('.labels li')].map(row => row.textContent).join());
            card.take({ event: 'begun', segments: [{ start: 0, duration: 10 }] });
            card.take({ event: 'segments', segments: [{ start: 0, duration: 10, probabilities }] });
            note();
            card.take({ event: 'answer', label: 'constructor', probabilities });
            note();
            done(said);
          }, error => done([String(error)]));""")
        assert shown == ["constructor50 %,__proto__30 %,toString20 %"] * 2, shown

    def test_dark_and_narrow(self):
        for name, size, scheme in (("dark", DESKTOP, "dark"), ("phone", PHONE, "light"), ("phone-dark", PHONE, "dark")):
            self.open(size, scheme)
            self.choose(list(self.songs.values())[:2])
            self.wait(lambda: self.answered(2))
            wide = self.browser.execute_script("return document.documentElement.scrollWidth")
            assert wide <= size[0], f"{name}: {wide} pixels wide"
            self.shot(name)

    def test_cancel(self):
        """Removed while it is sent or classified: the server has no work left."""
        self.open()
        self.choose(list(self.songs.values()))
        self.browser.find_element(By.ID, "clear").click()
        assert not self.cards()

        def idle():
            with urllib.request.urlopen(self.server.url.replace("?", "api/health?")) as answer:
                return json.load(answer)["songs"]["in_hand"] == 0
        self.wait(idle, 10)

    def run(self):
        for name in [name for name in dir(self) if name.startswith("test_")]:
            self.n += 1
            self.refused = 0
            self.browser.get_log("browser")
            try:
                getattr(self, name)()
                said = [entry["message"] for entry in self.browser.get_log("browser")]
                ours = [message for message in said if "status of 4" not in message]
                assert self.refused is None or not ours and len(said) == self.refused, f"messages in the console: {said}"
                print(f"ok {self.n} - {name}", flush=True)
            except Exception as problem:  # of selenium, too
                self.failed += 1
                self.shot(f"failed-{name}")
                print(f"# {type(problem).__name__}: {problem}".replace("\n", "\n# "))
                print(f"not ok {self.n} - {name}", flush=True)
        print(f"1..{self.n}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shots", help="where screenshots go")
    parser.add_argument("--folder", help="where music and a run are, or will be (default: a temporary one)")
    options = parser.parse_args()
    folder = options.folder or tempfile.mkdtemp(prefix="segue-browser-")
    if not os.path.exists(os.path.join(folder, "held-out")):
        prepare(folder)
    server = Server(folder)
    browser = open_browser()
    suite = Suite(browser, server, folder, options.shots)
    try:
        suite.run()
    finally:
        browser.quit()
        status = server.stop()
        if not options.folder:
            shutil.rmtree(folder)
    sys.exit(1 if suite.failed or status != 130 else 0)


main()
