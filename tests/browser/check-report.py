"""A report in headless Chromium, from disk: everything is drawn and reachable, without errors.

    check-report.py REPORT_FOLDER [RELABEL_CSV]

With RELABEL_CSV, labels are corrected, too, and the file saved by the page is stored there.  $SHOTS: a folder for
screenshots.
"""
import base64
import json
import os
import pathlib
import sys
import tempfile
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

HERE = pathlib.Path(__file__).parent
CHARTS = ["Accuracy by label", "Confusion matrix", "Loss by epoch",
          "Validation accuracy by epoch", "Reliability"]
VIEWS = {"light": (1280, 900, "light"), "dark": (1280, 900, "dark"), "phone": (360, 740, "light"),
         "phone-dark": (360, 740, "dark")}


def open_browser(downloads):
    options = Options()
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio",
                 "--autoplay-policy=user-gesture-required"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.add_experimental_option("prefs", {"download.default_directory": downloads})
    browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    # Any request of the page other than for local files is an error.
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.emulateNetworkConditions",
                            {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0})
    return browser


class Page:
    def __init__(self, browser, folder):
        self.browser, self.folder = browser, folder
        self.data = self.read_data()

    def read_data(self):
        text = (self.folder / "data.js").read_text("ascii")
        return json.loads(text[len("window.segueReport="):].rstrip().rstrip(";"))

    def show(self, view):
        width, height, scheme = VIEWS[view]
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.browser.get((self.folder / "index.html").resolve().as_uri())

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def wait(self, script, what, *arguments):
        WebDriverWait(self.browser, 20).until(lambda _: self.run(script, *arguments), what)

    def settle(self):
        """Until the page has not scrolled for 12 frames: an animation that is under way also moves the page after a
        later scrollIntoView()."""
        self.browser.execute_async_script("""
            const done = arguments[arguments.length - 1];
            let last = scrollY, still = 0;
            const look = () => {
              still = scrollY === last ? still + 1 : 0;
              last = scrollY;
              if (still < 12) requestAnimationFrame(look); else done();
            };
            look();""")

    def press(self, *keys):
        for key in keys:
            self.browser.switch_to.active_element.send_keys(key)

    def shoot(self, name):
        if not os.environ.get("SHOTS"):
            return
        width, height = self.run("return [innerWidth, document.documentElement.scrollHeight]")
        shot = self.browser.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": width, "height": min(height, 6000), "scale": 1}})
        path = pathlib.Path(os.environ["SHOTS"]) / f"report-{name}.png"
        path.write_bytes(base64.b64decode(shot["data"]))


def check_looks(page):
    """In each theme and width: rules.js reports nothing, and nothing overflows horizontally."""
    rules = (HERE / "rules.js").read_text()
    for view in VIEWS:
        page.show(view)
        problems = page.run(rules)
        assert not problems, f"{view}: " + "\n".join(problems[:20])
        scroll, inner = page.run("return [document.documentElement.scrollWidth, innerWidth]")
        assert scroll <= inner, f"{view}: the page is {scroll} pixels wide, the screen {inner}"
        page.shoot(view)


def check_charts(page):
    page.show("light")
    for title in CHARTS:
        drawn = page.run("""
            const svg = [...document.querySelectorAll("svg.chart")]
                .find(svg => svg.querySelector("title").textContent === arguments[0]);
            const box = svg && svg.getBoundingClientRect();
            return svg && [box.width, box.height, svg.querySelectorAll("rect, path, circle").length,
                           svg.querySelector("desc").textContent.length]""", title)
        assert drawn and drawn[0] > 100 and drawn[1] > 50 and drawn[2] > 0 and drawn[3] > 10, (title, drawn)
    pictures = page.run("return [...document.querySelectorAll('a[download]')].map(a => a.getAttribute('href'))")
    assert len(pictures) == len(CHARTS), pictures
    for picture in pictures:
        assert (page.folder / picture).read_bytes()[:4] == b"\x89PNG", picture
    assert page.run("return [...document.images].every(image => image.alt)")


def check_names(page):
    """Every label is shown unchanged in the page, except for characters that change the text direction."""
    harmless = [label.replace("\u202e", "\ufffd") for label in page.data["labels"]]
    text = page.run("return document.querySelector('main').textContent")
    for label in harmless:
        assert label in text, label
    assert page.run("return document.scripts.length") == 2
    assert page.run("return [...document.querySelectorAll('b, [onclick]')].length") == 0


PLAYING = "return [...document.querySelectorAll('audio')].filter(a => !a.paused && a.currentTime > 0).length"


def check_players(page):
    """Each type of player reaches `playing`, by keyboard and by the player's own button."""
    page.show("light")
    page.run("window.played = []; document.addEventListener('playing', e => played.push(e.target.getAttribute('src')), true)")
    audio = page.run("return document.querySelectorAll('#wrong-list audio').length")
    assert audio > 0, "no players"
    assert page.run("return [...document.querySelectorAll('audio')].every(a => a.preload === 'none' && a.readyState === 0)")
    page.run("document.querySelector('.item').focus()")
    page.press(Keys.SPACE)
    page.wait(PLAYING + " === 1", "the segment does not play")
    page.press("c")
    page.wait("return played.length === 2", "the similar segment does not play")
    page.wait(PLAYING + " === 1", "two players play at once")
    page.press("c")
    page.wait(PLAYING + " === 0", "it does not stop")
    page.press(Keys.ARROW_DOWN, " ")
    page.wait("return played.length === 3", "the second does not play")
    page.press(" ")
    # All the others, in order, as with their own buttons.
    failed = page.browser.execute_async_script("""
        const done = arguments[arguments.length - 1], players = [...document.querySelectorAll("audio")].slice(0, 20);
        (async () => {
          const failed = [];
          for (const player of players) {
            const started = new Promise((yes, no) => { player.onplaying = yes; player.onerror = no; setTimeout(no, 8000); });
            try { player.muted = true; await player.play(); await started; } catch (error) { failed.push(player.src); }
            player.pause();
            if (!(player.duration > 1)) failed.push(player.src + ": " + player.duration);
          }
          done(failed);
        })();""")
    assert not failed, failed


def focused(page):
    return page.run("return document.activeElement.dataset.segment ?? document.activeElement.id")


def check_keyboard(page):
    page.show("light")
    wrong = [str(number) for number in page.data["wrong"]]
    # Nothing has the focus: in view of the list the keys work, elsewhere Space scrolls.
    page.press(" ")
    page.wait("return scrollY > 0", "Space does not scroll")
    page.settle()
    assert not page.run("return document.activeElement.closest('.item')")
    page.run("document.getElementById('wrong-list').scrollIntoView({behavior: 'instant'})")
    page.press("j")
    assert focused(page) == wrong[0], focused(page)
    page.press("j")
    assert focused(page) == wrong[1]
    page.press("n", "k", "p", Keys.ARROW_DOWN)
    assert focused(page) == wrong[1]
    page.press(Keys.HOME)
    assert focused(page) == wrong[0]
    for _ in range(min(len(wrong) - 1, 27)):
        page.press(Keys.ARROW_DOWN)
    assert focused(page) == wrong[min(len(wrong) - 1, 27)], "the list does not continue after the shown items"

    # The matrix: arrows move, Enter lists the songs of the cell.
    page.run("document.querySelector('.cell[tabindex=\"0\"]').focus()")
    page.press(Keys.ARROW_DOWN)
    cell = page.run("return {...document.activeElement.dataset, says: document.activeElement.getAttribute('aria-label')}")
    assert cell["truth"] != "0", cell
    page.press(Keys.ENTER)
    assert focused(page) == "wrong-head"
    expected = [i for i, segment in enumerate(page.data["segments"])
                if page.data["songs"][segment[0]][1] == page.data["judged"]
                and page.data["songs"][segment[0]][2] == int(cell["truth"]) and segment[3] == int(cell["answer"])]
    count = page.find("#wrong-count").text
    assert count.startswith(f"{len(expected)} segment"), (count, cell)
    assert f": {len(expected)} of " in cell["says"], cell
    page.find("#wrong-all").click()
    assert page.find("#wrong-count").text.startswith(f"{len(wrong)} error")

    # Everything clickable is reachable with Tab, and shows the focus.
    page.show("light")
    seen = set()
    for _ in range(400):
        page.press(Keys.TAB)
        here = page.run("""
            const e = document.activeElement, style = getComputedStyle(e), inner = e.querySelector && e.querySelector("rect");
            const ring = style.outlineStyle !== "none" || (inner && getComputedStyle(inner).stroke !== "none");
            return [e.tagName, e.id || e.className.baseVal || e.className || e.textContent.slice(0, 30), ring]""")
        if here[0] == "BODY":
            break
        seen.add(f"{here[0]} {here[1]}")
        # A player draws its own outline, around its part with the focus.
        assert here[2] or here[0] == "AUDIO", f"no focus ring on {here}"
    for needed in ("A skip", "BUTTON pair", "DIV item", "g cell", "INPUT songs-search", "SELECT songs-set"):
        assert needed in seen, (needed, sorted(seen))


def check_songs(page):
    page.show("light")
    judged = [song for song in page.data["songs"] if song[1] == page.data["judged"]]
    shown = lambda: int(page.find("#songs-count").text.split()[0])
    assert shown() == len(judged)
    rows = page.run("return document.querySelectorAll('#songs-table tbody tr').length")
    assert rows == min(25, len(judged))
    bars = page.run("return [...document.querySelectorAll('#songs-table .timeline')].map(t => t.querySelectorAll('rect').length)")
    assert bars == [song[6] for song in judged[:25]], bars
    page.run("const s = document.getElementById('songs-set'); s.value = '-2'; s.dispatchEvent(new Event('change'))")
    assert shown() == len(page.data["songs"])
    title = judged[0][0].rsplit("/", 1)[-1]
    page.find("#songs-search").send_keys("".join(c for c in title if ord(c) < 0xffff)[:12])
    assert 1 <= shown() < len(page.data["songs"])


def relabel(page, item, action, label=None):
    page.run("arguments[0].focus()", item)
    page.press("r")
    page.wait("return document.getElementById('relabel').open", "no dialog")
    field = page.find("#relabel-label")
    assert page.run("return document.activeElement === arguments[0]", field)
    if label is not None:
        page.run("arguments[0].value = arguments[1]", field, label)
    page.find(f"#relabel button[value='{action}']").click()
    page.wait("return !document.getElementById('relabel').open", "the dialog does not close")


def check_relabelling(page, downloads, into):
    """A label of the list, a new one that has to be quoted, one excluded, one undone; saved."""
    page.show("light")
    page.run("localStorage.clear()")
    page.show("light")
    by_song = {}
    for number in page.data["wrong"]:
        by_song.setdefault(page.data["segments"][number][0], number)
    assert len(by_song) >= 3, "too few wrong songs to relabel"
    songs = list(by_song)[:4] if len(by_song) > 3 else list(by_song)
    item = lambda song: page.find(f".item[data-segment='{by_song[song]}']")
    while page.run("return !document.getElementById('wrong-more').hidden"):
        page.find("#wrong-more").click()
    labels = page.data["labels"]
    old = page.data["songs"][songs[0]][2]
    other = labels[(old + 1) % len(labels)]
    relabel(page, item(songs[0]), "set", other)
    relabel(page, item(songs[1]), "set", "Émile \"의\" & Co., Ltd. 🎹")
    relabel(page, item(songs[2]), "leave-out")
    relabel(page, item(songs[2]), "undo")
    relabel(page, item(songs[2]), "cancel", "nobody")
    assert page.find("#changes-count").text.startswith("2 songs")
    relabel(page, item(songs[2]), "leave-out")
    # They persist after the page is closed.
    page.show("light")
    assert page.find("#changes-count").text.startswith("3 songs")
    assert page.run("return document.querySelectorAll('#changes-list li').length") == 3
    page.shoot("changes")
    page.find("#changes-save").click()
    saved = pathlib.Path(downloads) / "relabel.csv"
    for _ in range(100):
        if saved.exists() and saved.stat().st_size:
            break
        time.sleep(0.1)
    text = saved.read_bytes()
    assert text.decode() == page.run("return document.getElementById('changes-text').value")
    assert text.startswith(b"song,label\n")
    pathlib.Path(into).write_bytes(text)
    page.run("localStorage.clear()")


def main():
    folder = pathlib.Path(sys.argv[1])
    into = sys.argv[2] if len(sys.argv) > 2 else None
    with tempfile.TemporaryDirectory() as downloads:
        browser = open_browser(downloads)
        try:
            page = Page(browser, folder)
            checks = [check_looks, check_charts, check_names, check_players, check_keyboard, check_songs]
            for check in checks:
                check(page)
                print("ok     ", check.__name__.removeprefix("check_"), flush=True)
            if into:
                check_relabelling(page, downloads, into)
                print("ok      relabelling")
            log = [entry for entry in browser.get_log("browser")]
            assert not log, log
            print("ok      no messages in the console")
        finally:
            browser.quit()


main()
