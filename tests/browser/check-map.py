"""A map in headless Chromium, from disk: drawn, moved, searched, played, without errors.

    check-map.py MAP_FOLDER

$SHOTS: a folder for screenshots.
"""
import base64
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

HERE = pathlib.Path(__file__).parent
VIEWS = {"light": (1280, 800, "light"), "dark": (1280, 800, "dark"), "phone": (390, 844, "light"),
         "phone-dark": (390, 844, "dark")}
HEAD = "window.segueMap="


def open_browser():
    options = Options()
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio",
                 "--autoplay-policy=user-gesture-required"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    # Any request of the page other than for local files is an error.
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.emulateNetworkConditions",
                            {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0})
    return browser


class Page:
    def __init__(self, browser, folder):
        self.browser, self.folder = browser, folder
        text = (folder / "data.js").read_text("ascii")
        self.data = json.loads(text[len(HEAD):].rstrip().rstrip(";"))

    def show(self, view):
        width, height, scheme = VIEWS[view]
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.browser.get((self.folder / "index.html").resolve().as_uri())
        self.wait("return Number(document.getElementById('map').dataset.drawn) > 0", "nothing is drawn")

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def wait(self, script, what, *arguments):
        WebDriverWait(self.browser, 20).until(lambda _: self.run(script, *arguments), what)

    def drawn(self, n):
        self.wait("return document.getElementById('map').dataset.drawn === arguments[0]", f"{n} are not drawn", str(n))

    def at(self, index):
        """Where a song is on the canvas, relative to its middle, in the first view."""
        width, height = self.run("const b = document.getElementById('map').getBoundingClientRect(); return [b.width, b.height]")
        scale = min(width, height) / 2 * .9
        return [round((self.data["songs"][index][i] / 5000 - 1) * scale) for i in (3, 4)]

    def shoot(self, name):
        if os.environ.get("SHOTS"):
            shot = self.browser.execute_cdp_cmd("Page.captureScreenshot", {})
            pathlib.Path(os.environ["SHOTS"], f"map-{name}.png").write_bytes(base64.b64decode(shot["data"]))


def check_looks(page):
    """In each theme and width: rules.js reports nothing, nothing overflows, and the canvas has the labels' colours."""
    rules = (HERE / "rules.js").read_text()
    for view in VIEWS:
        page.show(view)
        page.run("document.querySelector('#labels button').focus()")
        problems = page.run(rules)
        assert not problems, f"{view}: " + "\n".join(problems[:20])
        scroll, inner = page.run("return [document.documentElement.scrollWidth, innerWidth]")
        assert scroll <= inner, f"{view}: the page is {scroll} pixels wide, the screen {inner}"
        colours = page.run("""
            const canvas = document.getElementById("map"), seen = new Set();
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            for (let i = 0; i < data.length; i += 4) seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
            return seen.size""")
        assert colours > len(page.data["labels"][:20]), f"{view}: {colours} colours on the canvas"
        page.shoot(view)


def check_names(page):
    """Labels are text; none becomes an element."""
    page.show("light")
    shown = page.run("return [...document.querySelectorAll('#labels bdi')].map(e => e.textContent)")
    wanted = [name.replace("\u202e", "\ufffd") for name, _ in page.data["labels"][:20]]
    assert shown == wanted, shown
    assert page.run("return document.scripts.length") == 2
    assert page.run("return document.querySelectorAll('b, [onclick]').length") == 0


def check_click(page):
    """A click on a point plays its song; so does one on a similar song."""
    page.show("light")
    songs = page.data["songs"]
    # One that no other point is near to.
    index = max(range(len(songs)), key=lambda i: min(
        (songs[i][3] - other[3]) ** 2 + (songs[i][4] - other[4]) ** 2 for j, other in enumerate(songs) if j != i))
    x, y = page.at(index)
    canvas = page.find("#map")
    ActionChains(page.browser).move_to_element_with_offset(canvas, x, y).perform()
    page.wait("return !document.getElementById('tip').hidden", "no name at the point")
    ActionChains(page.browser).move_to_element_with_offset(canvas, x, y).click().perform()
    page.wait("return !document.getElementById('now').hidden", "nothing is selected")
    assert page.find("#now-title").text == songs[index][0], page.find("#now-title").text
    page.wait("const s = document.getElementById('sound'); return !s.paused && s.currentTime > 0", "it does not play")
    assert page.run("return document.getElementById('sound').getAttribute('src')") == songs[index][6]
    assert page.run("return document.querySelectorAll('#similar button').length") == len(songs[index][8])
    page.shoot("playing")
    other = songs[index][8][0]
    page.find("#similar button").click()
    assert page.find("#now-title").text == songs[other][0]
    page.wait("const s = document.getElementById('sound'); return !s.paused && s.currentTime > 0", "the next does not play")
    assert page.run("return document.getElementById('sound').getAttribute('src')") == songs[other][6]


def check_search(page):
    page.show("light")
    songs, labels = page.data["songs"], page.data["labels"]
    page.run("document.body.focus()")
    page.find("body").send_keys("/")
    assert page.run("return document.activeElement.id") == "search"
    name, n = next((name, n) for name, n in labels if name.isascii())
    box = page.find("#search")
    box.send_keys(name.upper())
    page.wait("return !document.getElementById('found').hidden", "no results")
    found = int(page.find("#found-count").text.split()[0].replace(",", ""))
    assert n <= found < len(songs), (name, n, found)
    page.drawn(found)
    box.send_keys(Keys.ENTER)
    page.wait("return !document.getElementById('now').hidden", "Enter does not play the first result")
    box.send_keys(Keys.ESCAPE)
    page.drawn(len(songs))
    box.send_keys("no such song")
    page.wait("return document.getElementById('found-count').textContent === '0 songs'", "results for nonsense")


def check_labels(page):
    page.show("light")
    button = page.find("#labels button")
    button.click()
    page.drawn(page.data["labels"][0][1])
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    page.drawn(len(page.data["songs"]))


def check_keyboard(page):
    page.show("light")
    page.run("document.getElementById('map').focus()")
    keys = page.browser.switch_to.active_element
    titles = set()
    for key in (Keys.ARROW_RIGHT, Keys.ARROW_DOWN, Keys.ARROW_LEFT, Keys.ARROW_UP):
        keys.send_keys(key)
        titles.add(page.find("#now-title").text)
    assert len(titles) > 1, titles
    assert page.run("return document.getElementById('sound').paused"), "an arrow key plays"
    keys.send_keys(Keys.ENTER)
    page.wait("const s = document.getElementById('sound'); return !s.paused && s.currentTime > 0", "Enter does not play")
    keys.send_keys(" ")
    page.wait("return document.getElementById('sound').paused", "Space does not pause")
    keys.send_keys("++")
    keys.send_keys("0")
    # Everything is reachable with Tab, and shows the focus.
    page.show("light")
    seen = set()
    for _ in range(60):
        page.browser.switch_to.active_element.send_keys(Keys.TAB)
        where, ring = page.run("const e = document.activeElement; return [e.id || e.tagName, getComputedStyle(e).outlineStyle]")
        if where == "BODY":
            break
        seen.add(where)
        assert ring != "none", f"no focus ring on {where}"
    assert {"search", "map", "closer", "whole"} <= seen, seen


def check_many(browser, folder):
    """5,000 songs are drawn, moved and zoomed; how fast is printed."""
    chance = random.Random(1)
    labels = [[f"Label {i}", 125] for i in range(40)]
    songs = [[f"Song {i}", "Album", i % 40, min(max(int(chance.gauss(5000 + 3500 * (i % 40 / 20 - 1), 900)), 0), 10000),
              min(max(int(chance.gauss(5000, 1800)), 0), 10000), 10, None, None, []] for i in range(5000)]
    with tempfile.TemporaryDirectory() as many:
        for name in ("index.html", "map.css", "map.js"):
            shutil.copy(folder / name, many)
        pathlib.Path(many, "data.js").write_text(HEAD + json.dumps({"labels": labels, "songs": songs}) + ";\n")
        page = Page(browser, pathlib.Path(many))
        begun = time.monotonic()
        page.show("light")
        page.drawn(5000)
        loaded = time.monotonic() - begun
        frame = browser.execute_async_script("""
            const done = arguments[arguments.length - 1], canvas = document.getElementById("map"), times = [];
            const wheel = i => canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: i % 40 < 20 ? -30 : 30, clientX: 400,
              clientY: 300, cancelable: true }));
            let last = performance.now(), i = 0;
            const step = now => {
              times.push(now - last);
              last = now;
              wheel(i++);
              i < 80 ? requestAnimationFrame(step) : done(times.sort((a, b) => a - b)[Math.floor(times.length * .9)]);
            };
            requestAnimationFrame(step);""")
        page.drawn(5000)
        page.shoot("many")
        print(f"# 5,000 songs: loaded in {loaded:.1f} s, 90 % of frames within {frame:.0f} ms")


def main():
    folder = pathlib.Path(sys.argv[1])
    browser = open_browser()
    try:
        page = Page(browser, folder)
        for check in (check_looks, check_names, check_click, check_search, check_labels, check_keyboard):
            check(page)
            print("ok     ", check.__name__.removeprefix("check_"), flush=True)
        check_many(browser, folder)
        print("ok      5,000 songs")
        log = browser.get_log("browser")
        assert not log, log
        print("ok      no messages in the console")
    finally:
        browser.quit()


main()
