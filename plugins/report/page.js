// The report's script: players, songs, and corrected labels. Plain JavaScript for all recent browsers,
// without modules and requests, which pages opened from disk may not use.
"use strict";
(() => {
  const data = window.segueReport;
  const SETS = ["train", "validation", "test"];
  const AT_ONCE = { items: 12, songs: 25 };
  const songs = data.songs.map(([id, set, label, answer, confidence, first, n, unsure], index) =>
    ({ index, id, set, label, answer, confidence, first, n, unsure: unsure === 1 }));
  const segments = data.segments.map(([song, start, duration, answer, confidence]) =>
    ({ song: songs[song], start, duration, answer, confidence }));
  // For each wrong segment: its clip, and the most similar training segment with its clip.
  const clips = new Map(data.clips.map(([own, nearest]) => [own[0], { own, nearest }]));

  // ---- Text and elements ----

  const find = id => document.getElementById(id);
  // Replaces characters that are invisible or change the text direction; data keeps them.
  const shown = text =>
    text.replace(/[\p{Cc}\u2028-\u202e\u2066-\u2069\u200e\u200f\u061c\ufeff\u{e0000}-\u{e001f}]/gu, "\ufffd");
  const labelOf = number => number < 0 ? "no label" : shown(data.labels[number]);
  const share = value => Math.round(100 * value) + " %";
  const time = seconds =>
    Math.floor(seconds / 60) + ":" + String(Math.floor(seconds % 60)).padStart(2, "0");
  const stretch = segment => time(segment.start) + "–" + time(segment.start + segment.duration);
  const count = (n, one, many) => n + " " + (n === 1 ? one : many);
  const titleOf = song => shown(song.id.slice(song.id.lastIndexOf("/") + 1));
  const folderOf = song => shown(song.id.slice(0, Math.max(0, song.id.lastIndexOf("/"))));

  const element = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {}))
      if (key.startsWith("on"))
        made.addEventListener(key.slice(2), value);
      else if (value !== null)
        made.setAttribute(key, value);
    made.append(...children.filter(child => child !== null));
    return made;
  };
  // A name in any script, isolated from the direction of the text around it.
  const name = (text, attributes) => element("bdi", attributes, text);
  const replace = (parent, children) => parent.replaceChildren(...children);

  // ---- Wrong segments ----

  const list = find("wrong-list");
  let filter = null; // { truth, answer } or { song }
  let listed = [], nListed = 0;

  const segmentsOf = song => Array.from({ length: song.n }, (_, i) => song.first + i);
  const isWrong = number => {
    const { song, answer } = segments[number];
    return song.label >= 0 && song.label !== answer;
  };
  const bySureness = (a, b) => segments[b].confidence - segments[a].confidence || a - b;

  const choose = () => {
    if (!filter)
      return data.wrong;
    if (filter.song)
      return segmentsOf(filter.song).filter(isWrong);
    return songs.filter(song => song.set === data.judged && song.label === filter.truth)
      .flatMap(segmentsOf).filter(number => segments[number].answer === filter.answer).sort(bySureness);
  };

  const describeFilter = () => {
    const n = listed.length;
    if (!filter)
      return n ? count(n, "error", "errors") + " in the " + SETS[data.judged] + " set." :
        "No errors in the " + SETS[data.judged] + " set.";
    if (filter.song)
      return count(n, "wrong segment", "wrong segments") + " of " + titleOf(filter.song) + ".";
    if (filter.truth === filter.answer)
      return count(n, "segment of ", "segments of ") + labelOf(filter.truth) + (n === 1 ? " is" : " are") + " right.";
    return count(n, "segment of ", "segments of ") + labelOf(filter.truth) + " predicted as " + labelOf(filter.answer) + ".";
  };

  const makePlayer = (caption, what, clip) => {
    const [, file, why] = clip;
    if (!file)
      return element("figure", null, element("figcaption", null, caption),
        element("p", { class: "note" }, "No clip" + (why ? ": " + shown(why) : "") + "."));
    return element("figure", null, element("figcaption", null, caption),
      element("audio", { controls: "", preload: "none", src: file, "aria-label": what }));
  };

  const makePlayers = number => {
    const clip = clips.get(number);
    if (!clip)
      return element("p", { class: "note" }, isWrong(number) ?
        "No clip: only the errors with the highest confidence have one (parameter clips)." :
        "No clip: only errors have one.");
    const segment = segments[number];
    const own = makePlayer("this segment", "This segment, " + titleOf(segment.song) + " at " + stretch(segment), clip.own);
    if (!clip.nearest)
      return element("div", { class: "players" }, own,
        element("p", { class: "note" }, "There is no training segment by " + labelOf(segment.song.label) + " to compare with."));
    const near = segments[clip.nearest[0]];
    return element("div", { class: "players" }, own,
      makePlayer("most similar segment by " + labelOf(near.song.label) + ": " + titleOf(near.song) + ", " + stretch(near),
        "Most similar segment, by " + labelOf(near.song.label) + ": " + titleOf(near.song) + " at " + stretch(near),
        clip.nearest));
  };

  const makeItem = (number, place) => {
    const segment = segments[number], song = segment.song, wrong = isWrong(number);
    const verdict = wrong ?
      ["True: ", name(labelOf(song.label)), ", predicted: ", name(labelOf(segment.answer), { class: "answer" })] :
      [name(labelOf(song.label), { class: "same" }), ", right"];
    const says = (place + 1) + " of " + listed.length + ": " + labelOf(song.label) +
      (wrong ? " predicted as " + labelOf(segment.answer) : ", right") + ", confidence " + share(segment.confidence) + ", " +
      titleOf(song) + " at " + stretch(segment);
    return element("li", null,
      element("div", { class: "item", role: "group", tabindex: place ? "-1" : "0", "aria-label": says,
        "data-segment": number },
        element("div", { class: "what" },
          element("div", null,
            element("p", { class: "verdict" }, ...verdict, ", confidence " + share(segment.confidence)),
            element("p", { class: "where" }, name(titleOf(song)), " · " + stretch(segment) + " · ",
              name(folderOf(song)), makeCorrection(song))),
          makeCorrectButton(song)),
        makePlayers(number)));
  };

  const showMore = () => {
    const upTo = Math.min(nListed + AT_ONCE.items, listed.length);
    for (; nListed < upTo; nListed++)
      list.append(makeItem(listed[nListed], nListed));
    find("wrong-more").hidden = nListed >= listed.length;
  };

  const showWrong = () => {
    listed = choose();
    nListed = 0;
    list.replaceChildren();
    find("wrong-count").textContent = describeFilter();
    find("wrong-all").hidden = !filter;
    showMore();
  };

  const setFilter = wanted => {
    filter = wanted;
    showWrong();
    find("wrong-head").focus();
    find("wrong").scrollIntoView();
  };

  const items = () => [...list.querySelectorAll(".item")];
  const focusItem = item => {
    if (!item)
      return;
    items().forEach(other => { other.tabIndex = other === item ? 0 : -1; });
    item.focus();
    item.scrollIntoView({ block: "nearest" });
  };
  const step = (item, by) => {
    const all = items(), at = all.indexOf(item) + by;
    if (at >= all.length && nListed < listed.length) {
      showMore();
      focusItem(items()[at]);
    } else {
      focusItem(all[Math.max(0, Math.min(all.length - 1, at))]);
    }
  };
  const play = (item, which) => {
    const player = item.querySelectorAll("figure")[which]?.querySelector("audio");
    if (!player)
      return;
    if (player.paused)
      player.play().catch(() => {}); // the player itself shows the failure
    else
      player.pause();
  };

  const keys = {
    ArrowDown: item => step(item, 1), j: item => step(item, 1), n: item => step(item, 1),
    ArrowUp: item => step(item, -1), k: item => step(item, -1), p: item => step(item, -1),
    Home: () => focusItem(items()[0]), End: item => step(item, items().length),
    " ": item => play(item, 0), Enter: item => play(item, 0),
    c: item => play(item, 1),
    r: item => openDialog(segments[Number(item.dataset.segment)].song),
  };
  list.addEventListener("keydown", event => {
    const item = event.target.closest(".item");
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    // Players and buttons have their own keys; letters mean the same everywhere in the list.
    const own = event.target !== item && !/^\p{L}$/u.test(event.key);
    if (!item || !action || own || event.ctrlKey || event.altKey || event.metaKey)
      return;
    event.preventDefault();
    action(item);
  });
  // If no element with its own keys has the focus, the keys work whenever the list is in view.
  const isInView = item => {
    const box = item.getBoundingClientRect();
    return box.bottom > 0 && box.top < innerHeight;
  };
  document.addEventListener("keydown", event => {
    const busy = event.target.closest("a, button, input, select, textarea, summary, audio, dialog, [tabindex='0']");
    const key = event.key.toLowerCase();
    if (busy || dialog.open || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey ||
        ![" ", "j", "n", "k", "p", "c", "r"].includes(key))
      return;
    const seen = items().filter(isInView), item = seen.find(each => each.tabIndex === 0) || seen[0];
    if (!item)
      return;
    event.preventDefault();
    focusItem(item);
    if (![..."jnkp"].includes(key))
      keys[key](item);
  });
  list.addEventListener("focusin", event => {
    const item = event.target.closest(".item");
    items().forEach(other => { other.tabIndex = other === item ? 0 : -1; });
  });
  // Only one player plays at a time.
  document.addEventListener("play", event =>
    document.querySelectorAll("audio").forEach(other => { if (other !== event.target) other.pause(); }), true);
  find("wrong-more").addEventListener("click", () => {
    const at = nListed;
    showMore();
    focusItem(items()[at]);
  });
  find("wrong-all").addEventListener("click", () => setFilter(null));

  // ---- The confusion matrix ----

  const cells = [...document.querySelectorAll(".cell")].map(node =>
    ({ node, truth: Number(node.dataset.truth), answer: Number(node.dataset.answer) }));
  const focusCell = cell => {
    cells.forEach(({ node }) => node.setAttribute("tabindex", node === cell.node ? "0" : "-1"));
    cell.node.focus();
  };
  // The next cell in a direction: in the same row, or in the nearest row that has cells.
  const moves = {
    ArrowRight: [(a, b) => a.truth === b.truth && b.answer > a.answer, (a, b) => b.answer - a.answer],
    ArrowLeft: [(a, b) => a.truth === b.truth && b.answer < a.answer, (a, b) => a.answer - b.answer],
    ArrowDown: [(a, b) => b.truth > a.truth, (a, b) => (b.truth - a.truth) * 1e6 + Math.abs(a.answer - b.answer)],
    ArrowUp: [(a, b) => b.truth < a.truth, (a, b) => (a.truth - b.truth) * 1e6 + Math.abs(a.answer - b.answer)],
  };
  cells.forEach((cell, index) => {
    cell.node.setAttribute("tabindex", index ? "-1" : "0");
    cell.node.addEventListener("click", () => setFilter({ truth: cell.truth, answer: cell.answer }));
    cell.node.addEventListener("keydown", event => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        setFilter({ truth: cell.truth, answer: cell.answer });
      }
      if (!(event.key in moves))
        return;
      const [ahead, distance] = moves[event.key];
      const next = cells.filter(other => ahead(cell, other)).sort((a, b) => distance(cell, a) - distance(cell, b))[0];
      event.preventDefault();
      if (next)
        focusCell(next);
    });
  });
  document.querySelectorAll("button.pair").forEach(button => button.addEventListener("click", () =>
    setFilter({ truth: Number(button.dataset.truth), answer: Number(button.dataset.answer) })));

  // ---- Why: training songs that sound alike ----

  const explained = data.explained.map(([song, twins]) => ({ song: songs[song], twins:
    twins.map(([twin, similarity, own, other]) => ({ song: songs[twin], similarity, own, other })) }));
  let nExplained = 0;

  const hasClip = clip => clip !== null && clip[1] !== null;
  const makePair = (song, twin) => !hasClip(twin.own) || !hasClip(twin.other) ? null :
    element("div", { class: "players" },
      makePlayer(titleOf(song) + ", " + stretch(segments[twin.own[0]]), "This song, " + titleOf(song), twin.own),
      makePlayer(titleOf(twin.song) + ", " + stretch(segments[twin.other[0]]),
        "The training song " + titleOf(twin.song) + " by " + labelOf(twin.song.label), twin.other));

  const makeTwin = (song, twin) => element("li", null,
    name(titleOf(twin.song)), " · ", name(labelOf(twin.song.label),
      { class: twin.song.label === song.label ? "same" : "answer" }), ", similarity " + twin.similarity.toFixed(2),
    makePair(song, twin));

  const makeExplained = ({ song, twins }) => {
    const wrong = song.label >= 0 && song.label !== song.answer;
    const verdict = wrong ? ["True: ", name(labelOf(song.label)), ", predicted: ", name(labelOf(song.answer), { class: "answer" })] :
      ["Predicted: ", name(labelOf(song.answer), song.label >= 0 ? { class: "same" } : null)];
    return element("li", null, element("div", { class: "item" },
      element("p", { class: "verdict" }, ...verdict, ", confidence " + share(song.confidence)),
      element("p", { class: "where" }, name(titleOf(song)), " · ", name(folderOf(song))),
      element("p", { class: "where" }, "sounds most like"),
      element("ol", { class: "twins" }, ...twins.map(twin => makeTwin(song, twin)))));
  };

  const showMoreExplained = () => {
    const upTo = Math.min(nExplained + AT_ONCE.items, explained.length);
    for (; nExplained < upTo; nExplained++)
      find("why-list").append(makeExplained(explained[nExplained]));
    find("why-more").hidden = nExplained >= explained.length;
  };

  find("why").hidden = explained.length === 0;
  document.querySelector("nav a[href='#why']").hidden = explained.length === 0;
  find("why-count").textContent = count(explained.length, "song", "songs") + ".";
  find("why-more").addEventListener("click", showMoreExplained);
  showMoreExplained();

  // ---- Songs ----

  const body = find("songs-table").tBodies[0];
  let chosen = [], nChosen = 0;

  const drawTimeline = song => {
    const SVG = "http://www.w3.org/2000/svg", width = 160, size = width / song.n;
    const wrong = segmentsOf(song).filter(isWrong);
    const image = document.createElementNS(SVG, "svg");
    image.setAttribute("class", "timeline");
    image.setAttribute("viewBox", "0 0 " + width + " 20");
    image.setAttribute("preserveAspectRatio", "none");
    image.setAttribute("role", "img");
    image.setAttribute("aria-label", wrong.length === 0 ? "all " + song.n + " segments are right" :
      wrong.length + " of " + song.n + " segments are wrong: " + wrong.slice(0, 12).map(number =>
        time(segments[number].start) + " " + labelOf(segments[number].answer)).join(", "));
    segmentsOf(song).forEach((number, i) => {
      const bad = isWrong(number), bar = document.createElementNS(SVG, "rect");
      const title = document.createElementNS(SVG, "title");
      title.textContent = stretch(segments[number]) + ": " + labelOf(segments[number].answer) + ", confidence " +
        share(segments[number].confidence);
      bar.setAttribute("class", bad ? "f-wrong" : song.label < 0 ? "f-muted" : "f-right");
      bar.setAttribute("x", i * size);
      bar.setAttribute("y", bad ? 0 : 8);
      bar.setAttribute("width", Math.max(size - (size > 3 ? 1 : 0), .5));
      bar.setAttribute("height", bad ? 20 : 12);
      bar.append(title);
      image.append(bar);
    });
    return image;
  };

  const makeSong = song => {
    const wrong = segmentsOf(song).filter(isWrong).length;
    const right = song.label < 0 ? count(song.n, "segment", "segments") : song.n - wrong + " of " + song.n + " right";
    const listen = wrong === 0 ? null : element("button", { type: "button",
      "aria-label": "Listen to the wrong segments of " + titleOf(song), onclick: () => setFilter({ song }) }, "Listen");
    return element("tr", null,
      element("td", { class: "song" }, name(titleOf(song)), element("small", null, name(folderOf(song)),
        song.set >= 0 ? " · " + SETS[song.set] : "")),
      element("td", null, drawTimeline(song), element("small", null, right)),
      element("td", null, name(labelOf(song.label)), makeCorrection(song)),
      element("td", null, name(labelOf(song.answer), song.label >= 0 && song.label !== song.answer ?
        { class: "answer", style: "color:var(--wrong)" } : null),
        element("small", null, (song.unsure ? "unsure, " : "") + "confidence " + share(song.confidence))),
      element("td", null, element("div", { class: "buttons" }, makeCorrectButton(song), listen)));
  };

  const showMoreSongs = () => {
    const upTo = Math.min(nChosen + AT_ONCE.songs, chosen.length);
    for (; nChosen < upTo; nChosen++)
      body.append(makeSong(chosen[nChosen]));
    find("songs-more").hidden = nChosen >= chosen.length;
  };

  const WHICH = {
    all: () => true,
    segments: song => segmentsOf(song).some(isWrong),
    songs: song => song.label >= 0 && song.answer !== song.label,
    unsure: song => song.unsure,
  };

  const showSongs = () => {
    const set = Number(find("songs-set").value), which = find("songs-which").value;
    const words = find("songs-search").value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    chosen = songs.filter(song => (set === -2 || song.set === set) &&
      WHICH[which](song) &&
      words.every(word => (song.id + " " + labelOf(song.label)).toLocaleLowerCase().includes(word)));
    nChosen = 0;
    body.replaceChildren();
    find("songs-count").textContent = count(chosen.length, "song", "songs");
    showMoreSongs();
  };

  find("songs-set").value = String(data.judged);
  ["songs-set", "songs-which"].forEach(id => find(id).addEventListener("change", showSongs));
  find("songs-search").addEventListener("input", showSongs);
  find("songs-more").addEventListener("click", showMoreSongs);

  // ---- Corrected labels ----

  const dialog = find("relabel"), memory = "segue-report-" + data.id;
  const changes = new Map(); // song's id → label; "": excluded
  let asked = null;

  // A page opened from disk or from `segue serve` may have no storage; then the changes are lost when it is
  // closed, and the page states that.
  const remember = () => {
    try {
      localStorage.setItem(memory, JSON.stringify([...changes]));
    } catch (error) {
      find("changes-unkept").hidden = false;
    }
  };
  const recall = () => {
    try {
      const known = new Set(songs.map(song => song.id));
      for (const [id, label] of JSON.parse(localStorage.getItem(memory) || "[]"))
        if (known.has(id) && typeof label === "string")
          changes.set(id, label);
    } catch (error) { /* see above */ }
  };

  const sayChange = label => label === "" ? "excluded" : "new label " + shown(label);
  const makeCorrection = song => {
    const note = element("span", { class: "corrected", "data-corrected": song.index });
    if (changes.has(song.id))
      note.textContent = " " + sayChange(changes.get(song.id));
    return note;
  };
  const makeCorrectButton = song => element("button", { type: "button", "aria-label": "Fix the label of " + titleOf(song),
    onclick: () => openDialog(song) }, "Fix label");

  // A spreadsheet would run such a name, or its part after a semicolon, as a formula; segue removes the
  // apostrophes.
  const guarded = text => text.replace(/([;\t\r\n])(?='*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20])/g, "$1'")
    .replace(/^(?='*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20])/, "'");
  const enclosed = text => /[",;\t\r\n]|^\s|\s$/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  const quoted = text => enclosed(guarded(text));
  const table = () => "song,label\n" + [...changes].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([id, label]) => quoted(id) + "," + quoted(label) + "\n").join("");

  const showChanges = () => {
    const byId = new Map(songs.map(song => [song.id, song]));
    find("changes").hidden = changes.size === 0;
    find("changes-count").textContent = count(changes.size, "song has", "songs have") + " a changed label.";
    find("changes-text").value = table();
    replace(find("changes-list"), [...changes].map(([id, label]) => element("li", null, name(shown(id)), ": " +
      sayChange(label) + " ", element("button", { type: "button", "aria-label": "Undo the change to " + titleOf(byId.get(id)),
        onclick: () => setChange(byId.get(id), null) }, "Undo"))));
    document.querySelectorAll("[data-corrected]").forEach(note => {
      const song = songs[Number(note.dataset.corrected)];
      note.textContent = changes.has(song.id) ? " " + sayChange(changes.get(song.id)) : "";
    });
  };

  const setChange = (song, label) => {
    const before = song.label < 0 ? null : data.labels[song.label];
    if (label === null || label === before)
      changes.delete(song.id);
    else
      changes.set(song.id, label);
    remember();
    showChanges();
  };

  const openDialog = song => {
    asked = song;
    replace(find("relabel-song"), [name(shown(song.id)), ", label: ", name(labelOf(song.label)), "."]);
    find("relabel-label").value = changes.get(song.id) || "";
    dialog.returnValue = "cancel";
    dialog.showModal();
  };
  // Without submitting a form, which a page in a sandbox may not do.
  dialog.querySelectorAll("button").forEach(button =>
    button.addEventListener("click", () => dialog.close(button.value)));
  find("relabel-label").addEventListener("keydown", event => {
    if (event.key === "Enter" && !event.isComposing)
      dialog.close("set");
  });
  dialog.addEventListener("close", () => {
    const label = find("relabel-label").value.trim().normalize("NFC");
    if (dialog.returnValue === "set" && label)
      setChange(asked, label);
    else if (dialog.returnValue === "leave-out")
      setChange(asked, "");
    else if (dialog.returnValue === "undo")
      setChange(asked, null);
  });

  find("changes-save").addEventListener("click", () => {
    const link = element("a", { download: "relabel.csv",
      href: URL.createObjectURL(new Blob([table()], { type: "text/csv" })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
  find("changes-command").textContent = "segue run … --set " + data.source + ".relabel=relabel.csv";
  replace(find("relabel-labels"), data.labels.map(label => element("option", { value: label })));

  recall();
  showChanges();
  showWrong();
  showSongs();
})();
