// The map's script: draws the songs, moves and zooms, searches and plays. Plain JavaScript for all recent browsers,
// without modules and requests, which pages opened from disk may not use.
"use strict";
(() => {
  const data = window.segueMap;
  const UNITS = 5000, FOUND = 60, LABELS = 20;
  const NEAR = 14; // pixels around a point in which it is hit
  const find = id => document.getElementById(id);
  const labels = data.labels.map(([name, n], index) => ({ index, name, n }));
  const songs = data.songs.map(([title, album, label, x, y, start, sound, why, similar], index) =>
    ({ index, title, album, label, x: x / UNITS - 1, y: y / UNITS - 1, start, sound, why, similar }));

  // ---- Text and elements ----

  // Replaces characters that are invisible or change the text direction.
  const shown = text =>
    text.replace(/[\p{Cc}\u2028-\u202e\u2066-\u2069\u200e\u200f\u061c\ufeff\u{e0000}-\u{e001f}]/gu, "\ufffd");
  const labelOf = song => song.label < 0 ? "" : shown(labels[song.label].name);
  const whereOf = song => [labelOf(song), shown(song.album)].filter(Boolean).join(" · ");
  const time = seconds => Math.floor(seconds / 60) + ":" + String(Math.floor(seconds % 60)).padStart(2, "0");
  const count = (n, one, many) => n.toLocaleString("en") + " " + (n === 1 ? one : many);
  const element = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {}))
      if (key.startsWith("on"))
        made.addEventListener(key.slice(2), value);
      else
        made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  // ---- Colours: twenty for the most frequent labels, one for all others ----

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const PALETTES = {
    light: ["#1f77b4", "#e4572e", "#2a9d4b", "#8e44ad", "#c99700", "#00a5b5", "#d6336c", "#6b4f2a", "#5468ff", "#7a9a01",
      "#ff8c42", "#0b6e4f", "#b56576", "#34568b", "#a61e4d", "#4dabf7", "#94641f", "#51cf66", "#845ef7", "#495057"],
    dark: ["#58a6ff", "#ff7b54", "#4ecb71", "#c58af9", "#f2c14e", "#3bd1df", "#ff6b9d", "#c8a27a", "#8c9eff", "#b5d33d",
      "#ffb077", "#2fb58a", "#e5989b", "#7aa2d6", "#e0557f", "#a5d8ff", "#d6a35c", "#8ce99a", "#b197fc", "#ced4da"],
  };
  const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  let theme = {};
  const readTheme = () => {
    theme = { palette: PALETTES[dark.matches ? "dark" : "light"], other: style("--other"), paper: style("--paper"),
      ink: style("--ink"), ring: style("--ring"), faint: style("--rule") };
  };
  const colourOf = label => label >= 0 && label < LABELS ? theme.palette[label] : theme.other;
  // Coloured by script: a policy that forbids style attributes does not affect it.
  const dot = label => {
    const made = element("span", { class: "dot" });
    made.style.background = colourOf(label);
    made.dataset.label = label;
    return made;
  };

  // ---- The view: what of the map is where on the screen ----

  const canvas = find("map"), context = canvas.getContext("2d"), stage = find("stage");
  const view = { width: 1, height: 1, ratio: 1, scale: 1, x: 0, y: 0, zoom: 1 };
  const fitted = () => Math.min(view.width, view.height) / 2 * .9;
  const screenX = x => view.width / 2 + (x - view.x) * view.scale;
  const screenY = y => view.height / 2 + (y - view.y) * view.scale;
  const radius = () => Math.min(Math.max(9 - Math.log2(songs.length) * .55, 2.5) * Math.sqrt(view.zoom) ** .7, 13);

  const clampView = () => {
    view.zoom = Math.min(Math.max(view.zoom, .8), 60);
    view.scale = fitted() * view.zoom;
    view.x = Math.min(Math.max(view.x, -1.1), 1.1);
    view.y = Math.min(Math.max(view.y, -1.1), 1.1);
    redraw();
  };
  // Around a place on the screen, which stays where it is.
  const zoomAt = (factor, px, py) => {
    const x = view.x + (px - view.width / 2) / view.scale, y = view.y + (py - view.height / 2) / view.scale;
    view.zoom = Math.min(Math.max(view.zoom * factor, .8), 60);
    view.scale = fitted() * view.zoom;
    view.x = x - (px - view.width / 2) / view.scale;
    view.y = y - (py - view.height / 2) / view.scale;
    clampView();
  };
  const showAll = () => {
    Object.assign(view, { x: 0, y: 0, zoom: 1 });
    clampView();
  };
  // Moves only as far as is needed to see the song.
  const reveal = song => {
    const margin = 40, px = screenX(song.x), py = screenY(song.y);
    if (px < margin || py < margin || px > view.width - margin || py > view.height - margin) {
      view.x = song.x;
      view.y = song.y;
    }
    clampView();
  };

  // ---- Drawing: once per frame, and only after a change ----

  let chosen = null, hovered = null, drawing = false;
  const picked = new Set(); // labels that are highlighted
  let matches = null; // songs that the search found, or null
  const stands = song => (picked.size === 0 || picked.has(song.label)) && (!matches || matches.has(song));

  const redraw = () => {
    if (drawing)
      return;
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      draw();
    });
  };

  // Points of one colour are one path.
  const drawPoints = (list, r, colour, alpha) => {
    context.globalAlpha = alpha;
    context.fillStyle = colour;
    context.beginPath();
    for (const song of list) {
      const px = screenX(song.x), py = screenY(song.y);
      if (px < -r || py < -r || px > view.width + r || py > view.height + r)
        continue;
      context.moveTo(px + r, py);
      context.arc(px, py, r, 0, 2 * Math.PI);
    }
    context.fill();
  };

  // The names of the most frequent labels, each at its song that is nearest to the others.
  const middles = labels.slice(0, 12).map(label => {
    const own = songs.filter(song => song.label === label.index);
    const some = own.filter((_, i) => i % Math.ceil(own.length / 300) === 0);
    const sum = song => some.reduce((total, other) => total + Math.hypot(song.x - other.x, song.y - other.y), 0);
    const sums = some.map(sum), least = Math.min(...sums);
    return { label, n: own.length, song: some[sums.indexOf(least)] };
  }).filter(({ n }) => n > 2);
  const drawNames = () => {
    const taken = [];
    context.globalAlpha = 1;
    context.font = "600 13px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 4;
    context.strokeStyle = theme.paper;
    context.fillStyle = theme.ink;
    for (const { label, song } of middles) {
      const name = shown(label.name), text = name.length > 28 ? name.slice(0, 27) + "…" : name;
      const half = context.measureText(text).width / 2 + 4, y = screenY(song.y) - radius() - 12;
      const x = Math.min(Math.max(screenX(song.x), half), view.width - half);
      const covers = other => Math.abs(other.x - x) < other.half + half && Math.abs(other.y - y) < 18;
      if ((picked.size > 0 && !picked.has(label.index)) || taken.some(covers))
        continue;
      taken.push({ x, y, half });
      context.strokeText(text, x, y);
      context.fillText(text, x, y);
    }
  };

  const drawRing = (song, r, colour, width) => {
    context.globalAlpha = 1;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.arc(screenX(song.x), screenY(song.y), r, 0, 2 * Math.PI);
    context.stroke();
  };

  const drawSimilar = song => {
    context.globalAlpha = .55;
    context.strokeStyle = theme.ring;
    context.lineWidth = 1.25;
    context.beginPath();
    for (const other of song.similar) {
      context.moveTo(screenX(song.x), screenY(song.y));
      context.lineTo(screenX(songs[other].x), screenY(songs[other].y));
    }
    context.stroke();
  };

  const draw = () => {
    const r = radius(), groups = new Map(), rest = [];
    context.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
    context.globalAlpha = 1;
    context.fillStyle = theme.paper;
    context.fillRect(0, 0, view.width, view.height);
    for (const song of songs) {
      if (!stands(song)) {
        rest.push(song);
        continue;
      }
      const colour = colourOf(song.label);
      groups.has(colour) ? groups.get(colour).push(song) : groups.set(colour, [song]);
    }
    drawPoints(rest, r * .8, theme.other, .22);
    if (chosen)
      drawSimilar(chosen);
    for (const [colour, list] of groups)
      drawPoints(list, r, colour, .88);
    drawNames();
    if (hovered && hovered !== chosen)
      drawRing(hovered, r + 3, theme.ink, 1.5);
    if (chosen) {
      drawPoints([chosen], r + 1.5, colourOf(chosen.label), 1);
      drawRing(chosen, r + 4.5, theme.ring, 3);
    }
    canvas.dataset.drawn = songs.length - rest.length;
  };

  const resize = () => {
    const box = stage.getBoundingClientRect();
    view.width = Math.max(box.width, 1);
    view.height = Math.max(box.height, 1);
    view.ratio = Math.min(window.devicePixelRatio || 1, 3);
    canvas.width = Math.round(view.width * view.ratio);
    canvas.height = Math.round(view.height * view.ratio);
    clampView();
  };

  // ---- Pointing ----

  const songAt = (px, py, reach) => {
    let best = null, least = Math.max(reach, radius() + 3) ** 2;
    for (const song of songs) {
      const dx = screenX(song.x) - px, dy = screenY(song.y) - py, distance = dx * dx + dy * dy;
      if (distance < least && stands(song)) {
        least = distance;
        best = song;
      }
    }
    return best;
  };

  const hover = (song, px, py) => {
    const tip = find("tip");
    canvas.classList.toggle("over", Boolean(song));
    if (song !== hovered)
      redraw();
    hovered = song;
    tip.hidden = !song;
    if (!song)
      return;
    tip.replaceChildren(element("bdi", null, shown(song.title)), element("small", null, whereOf(song)));
    const width = tip.offsetWidth, height = tip.offsetHeight;
    const left = px + 16 + width > view.width ? px - 16 - width : px + 16;
    const top = py + 16 + height > view.height ? py - 16 - height : py + 16;
    tip.style.transform = "translate(" + Math.max(left, 4) + "px," + Math.max(top, 4) + "px)";
  };

  const pointers = new Map();
  let moved = 0;
  const placeOf = event => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const spread = () => {
    const [[ax, ay], [bx, by]] = [...pointers.values()];
    return { distance: Math.hypot(ax - bx, ay - by), x: (ax + bx) / 2, y: (ay + by) / 2 };
  };

  canvas.addEventListener("pointerdown", event => {
    canvas.setPointerCapture(event.pointerId);
    if (pointers.size === 0)
      moved = 0;
    pointers.set(event.pointerId, placeOf(event));
  });
  canvas.addEventListener("pointermove", event => {
    const [px, py] = placeOf(event), before = pointers.get(event.pointerId);
    if (!before) {
      hover(songAt(px, py, NEAR), px, py);
      return;
    }
    if (pointers.size === 1) {
      moved += Math.hypot(px - before[0], py - before[1]);
      if (moved > 4) {
        canvas.classList.add("dragged");
        hover(null);
        view.x -= (px - before[0]) / view.scale;
        view.y -= (py - before[1]) / view.scale;
        clampView();
      }
      pointers.set(event.pointerId, [px, py]);
      return;
    }
    const old = spread();
    pointers.set(event.pointerId, [px, py]);
    const now = spread();
    moved += 5;
    view.x -= (now.x - old.x) / view.scale;
    view.y -= (now.y - old.y) / view.scale;
    zoomAt(now.distance / Math.max(old.distance, 1), now.x, now.y);
  });
  const release = event => {
    pointers.delete(event.pointerId);
    canvas.classList.remove("dragged");
  };
  canvas.addEventListener("pointerup", event => {
    const [px, py] = placeOf(event);
    const song = moved <= 4 ? songAt(px, py, event.pointerType === "touch" ? 2 * NEAR : NEAR) : null;
    release(event);
    if (song)
      choose(song, true);
  });
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => hover(null));
  canvas.addEventListener("wheel", event => {
    const [px, py] = placeOf(event);
    event.preventDefault();
    zoomAt(Math.exp(-event.deltaY * (event.deltaMode === 1 ? .05 : .0018)), px, py);
  }, { passive: false });

  // ---- The chosen song ----

  const sound = find("sound");
  const songButton = song => element("li", null, element("button", { type: "button", "data-song": song.index,
    onclick: () => choose(song, true) }, dot(song.label), element("span", null, element("bdi", null, shown(song.title)),
    element("small", null, whereOf(song)))));
  const isFile = song => Boolean(song.sound) && song.sound.startsWith("file:");

  const explain = song => {
    if (!song.sound)
      return song.why ? "No sound: " + shown(song.why) + "." : "This map was drawn without sound.";
    if (isFile(song) && location.protocol !== "file:")
      return "Songs of this map play from their own files, only in a page that was opened from disk.";
    return isFile(song) ? "" : "An excerpt from " + time(song.start) + ".";
  };

  const load = song => {
    const can = Boolean(song.sound) && !(isFile(song) && location.protocol !== "file:");
    sound.hidden = !can;
    if (can)
      sound.src = isFile(song) ? song.sound + "#t=" + song.start : song.sound;
    else
      sound.removeAttribute("src");
  };
  const play = song => {
    if (!sound.hidden)
      sound.play().catch(error => {
        if (error.name === "NotSupportedError" && chosen === song)
          find("now-note").textContent = "The song’s file is missing, or the browser does not play its format; draw the " +
            "map with --set map.play=clips.";
      });
  };

  const choose = (song, plays) => {
    chosen = song;
    find("now").hidden = false;
    find("hint").hidden = true;
    find("now-title").replaceChildren(element("bdi", null, shown(song.title)));
    find("now-where").textContent = whereOf(song);
    find("now-note").textContent = explain(song);
    find("similar").replaceChildren(...song.similar.map(other => songButton(songs[other])));
    canvas.setAttribute("aria-label", shown(song.title) + (whereOf(song) ? ", " + whereOf(song) : ""));
    reveal(song);
    load(song);
    if (plays)
      play(song);
  };

  // ---- Search ----

  const fold = text => text.normalize("NFKD").replace(/\p{M}/gu, "").toLocaleLowerCase();
  const texts = songs.map(song => fold(song.title + " " + labelOf(song) + " " + song.album));
  const search = () => {
    const words = fold(find("search").value).split(/\s+/).filter(Boolean);
    const list = words.length ? songs.filter(song => words.every(word => texts[song.index].includes(word))) : [];
    matches = words.length ? new Set(list) : null;
    find("found").hidden = !words.length;
    find("found-count").textContent = count(list.length, "song", "songs") +
      (list.length > FOUND ? ", the first " + FOUND + " are listed" : "");
    find("found-list").replaceChildren(...list.slice(0, FOUND).map(songButton));
    redraw();
  };
  find("search").addEventListener("input", search);
  find("search").addEventListener("keydown", event => {
    if (event.key === "Escape") {
      find("search").value = "";
      search();
      canvas.focus();
    } else if (event.key === "Enter" && matches && matches.size > 0) {
      choose(matches.values().next().value, true);
    }
  });

  // ---- Labels ----

  const pick = label => {
    picked.has(label) ? picked.delete(label) : picked.add(label);
    document.querySelectorAll("#labels button").forEach(button =>
      button.setAttribute("aria-pressed", picked.has(Number(button.dataset.label))));
    redraw();
  };
  const labelButton = label => element("li", null, element("button", { type: "button", "data-label": label.index,
    "aria-pressed": picked.has(label.index), onclick: () => pick(label.index) }, dot(label.index),
    element("bdi", null, shown(label.name)), element("span", { class: "n" }, label.n.toLocaleString("en"))));
  const showLabels = all => {
    find("labels").replaceChildren(...(all ? labels : labels.slice(0, LABELS)).map(labelButton));
    find("more-labels").hidden = all || labels.length <= LABELS;
    find("legend").hidden = labels.length === 0;
  };
  find("more-labels").addEventListener("click", () => showLabels(true));

  // ---- Keyboard ----

  // The nearest song that is more in a direction than beside it.
  const next = (dx, dy) => {
    const from = chosen || { x: view.x, y: view.y };
    let best = null, least = Infinity;
    for (const song of songs) {
      const x = song.x - from.x, y = song.y - from.y, along = x * dx + y * dy, beside = Math.abs(x * dy - y * dx);
      if (song === chosen || !stands(song) || along <= 0 || beside > along || along + 2 * beside >= least)
        continue;
      least = along + 2 * beside;
      best = song;
    }
    return best;
  };
  const arrows = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  const keys = {
    "+": () => zoomAt(1.5, view.width / 2, view.height / 2),
    "=": () => zoomAt(1.5, view.width / 2, view.height / 2),
    "-": () => zoomAt(1 / 1.5, view.width / 2, view.height / 2),
    "0": showAll,
    "Enter": () => chosen && play(chosen),
    " ": () => chosen && (sound.paused ? sound.play().catch(() => {}) : sound.pause()),
  };
  canvas.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey)
      return;
    const song = arrows[event.key] ? next(...arrows[event.key]) : null;
    if (song)
      choose(song, false);
    else if (keys[event.key])
      keys[event.key]();
    if (arrows[event.key] || keys[event.key])
      event.preventDefault();
  });
  document.addEventListener("keydown", event => {
    if (event.key === "/" && !event.target.closest("input")) {
      event.preventDefault();
      find("search").focus();
    }
  });
  find("closer").addEventListener("click", keys["+"]);
  find("farther").addEventListener("click", keys["-"]);
  find("whole").addEventListener("click", showAll);

  // ---- Beginning ----

  const repaint = () => {
    readTheme();
    document.querySelectorAll(".dot").forEach(made => {
      made.style.background = colourOf(Number(made.dataset.label));
    });
    redraw();
  };
  dark.addEventListener("change", repaint);
  new ResizeObserver(resize).observe(stage);
  readTheme();
  find("count").textContent = count(songs.length, "song", "songs") +
    (labels.length ? ", " + count(labels.length, "label", "labels") : "");
  showLabels(false);
  resize();
})();
