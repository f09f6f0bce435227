/* One song: sent, classified, shown, played. Untrusted data (names of files and of artists, messages) is
 * inserted as text, never as markup. */

import { headers } from './access.js';

const COLOURS = 8;
const RETRY_SECONDS = 2;
const STEP_SECONDS = 5;

export const percent = p => `${(100 * p).toFixed(p < 0.0995 || p > 0.9995 ? 1 : 0)} %`;

const clock = seconds => {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
};

/* A copy without inherited properties: an artist may be called `constructor` or `__proto__`. */
const bare = object => Object.assign(Object.create(null), object);

const ranked = probabilities => Object.entries(probabilities).sort((a, b) => b[1] - a[1]);

/* The mean over the segments so far. */
const mean = segments => {
  const sums = bare();
  for (const segment of segments)
    for (const [label, p] of Object.entries(segment.probabilities))
      sums[label] = (sums[label] ?? 0) + p / segments.length;
  return sums;
};

const pauseOthers = audio => {
  for (const other of document.querySelectorAll('audio'))
    if (other !== audio)
      other.pause();
};

export class Card {
  /* model: of /api/model; changed (): called when something counted on the page has changed. */
  constructor (file, model, changed) {
    this.file = file;
    this.model = model;
    this.changed = changed;
    this.state = 'waiting'; /* sending, predicting, answered, failed */
    this.candidates = null; /* labels, of a song that is unsure */
    this.urls = []; /* of songs that sound alike */
    this.expected = [];
    this.predicted = [];
    this.probabilities = bare();
    this.element = document.getElementById('card').content.firstElementChild.cloneNode(true);
    this.find = selector => this.element.querySelector(selector);
    this.find('.name').textContent = file.name;
    this.find('.remove').setAttribute('aria-label', `Remove ${file.name}`);
    this.find('audio').setAttribute('aria-label', `Play ${file.name}`);
    this.say('waiting');
    this.find('audio').hidden = file.size === 0;
    if (file.size > 0)
      this.preparePlayer();
  }

  say (text) {
    this.find('.state').textContent = text;
  }

  colour (label) {
    const index = this.model.labels.indexOf(label);
    return `label-${Math.max(index, 0) % COLOURS}`;
  }

  /* ---- Request and response ---- */

  /* Resolves when there is an answer, or when the song failed or was removed. */
  async send () {
    const limit = this.model.limits.song_bytes;
    if (this.file.size > limit)
      return this.fail(`This song is larger than the ${Math.floor(limit / 1e6)} MB that the server accepts.`);
    if (this.file.size === 0)
      return this.fail('This file is empty.');
    while (!this.removed && await this.sendOnce() === 'busy') {
      this.say('waiting for the server');
      await new Promise(resolve => setTimeout(resolve, RETRY_SECONDS * 1000 * (1 + Math.random())));
    }
  }

  sendOnce () {
    const request = this.request = new XMLHttpRequest();
    let read = 0;
    const takeLines = () => {
      if (request.status !== 200)
        return;
      const end = request.responseText.lastIndexOf('\n') + 1;
      for (const line of request.responseText.slice(read, end).split('\n'))
        if (line)
          this.take(JSON.parse(line));
      read = end;
    };
    return new Promise(resolve => {
      request.open('POST', `api/songs?top=100&name=${encodeURIComponent(this.file.name)}`);
      request.setRequestHeader('Accept', 'application/x-ndjson');
      for (const [name, value] of Object.entries(headers()))
        request.setRequestHeader(name, value);
      request.upload.onprogress = event => {
        if (event.lengthComputable)
          this.say(`sending, ${Math.floor(100 * event.loaded / event.total)} %`);
      };
      request.upload.onload = () => this.say('sent, waiting');
      request.onprogress = takeLines;
      request.onload = () => {
        takeLines();
        if (request.status === 503 && JSON.parse(request.responseText).error.code === 'busy')
          return resolve('busy');
        if (request.status !== 200)
          this.fail(this.explain(request));
        else if (this.state === 'sending' || this.state === 'predicting')
          this.fail('The server stopped before the song was classified.');
        resolve('done');
      };
      request.onerror = () => { this.fail('The server can’t be reached.'); resolve('done'); };
      request.onabort = () => resolve('done');
      this.state = 'sending';
      this.changed();
      request.send(this.file);
    });
  }

  explain (request) {
    try {
      return JSON.parse(request.responseText).error.message;
    } catch {
      return `The server answered with status ${request.status}.`;
    }
  }

  take (line) {
    if (line.event === 'begun') {
      this.state = 'predicting';
      this.expected = line.segments;
    } else if (line.event === 'segments') {
      this.predicted.push(...line.segments);
      this.probabilities = mean(this.predicted);
    } else if (line.event === 'answer') {
      this.state = 'answered';
      this.label = line.label;
      this.candidates = line.unsure ? line.candidates : null;
      this.probabilities = bare(line.probabilities);
      this.showSimilar(line.similar ?? []);
    } else if (line.event === 'error') {
      return this.fail(line.message);
    }
    this.show();
    this.changed();
  }

  fail (message) {
    this.state = 'failed';
    this.element.classList.add('failed');
    this.find('.artist').textContent = this.find('.sure').textContent = '';
    this.say(message);
    this.changed();
  }

  remove () {
    this.removed = true;
    this.request?.abort();
    URL.revokeObjectURL(this.url);
    this.urls.forEach(url => URL.revokeObjectURL(url));
    this.element.remove();
  }

  /* ---- Predictions ---- */

  /* The label, or both candidates. */
  get answer () {
    return this.candidates?.join(' or ') ?? this.label;
  }

  show () {
    const order = ranked(this.probabilities);
    const artist = this.find('.artist');
    const best = this.label ?? order[0]?.[0];
    if (order.length > 0) {
      artist.textContent = this.answer ?? best;
      artist.classList.toggle('so-far', this.state !== 'answered' || this.candidates !== null);
      this.find('.sure').textContent = this.candidates ? '' : percent(this.probabilities[best] ?? 0);
    }
    this.say(this.state !== 'answered' ? `so far: ${this.predicted.length} of ${this.expected.length} segments`
      : this.candidates ? 'unsure: unlike the songs of any artist' : '');
    this.showLabels(order.slice(0, 5));
    this.showSegments(best);
  }

  showLabels (order) {
    this.find('.labels').replaceChildren(...order.map(([label, p]) => {
      const row = document.createElement('li');
      const name = row.appendChild(document.createElement('bdi'));
      name.textContent = name.title = label;
      const number = row.appendChild(document.createElement('span'));
      number.className = 'percent';
      number.textContent = percent(p);
      const track = row.appendChild(document.createElement('div'));
      track.className = 'track';
      const fill = track.appendChild(document.createElement('div'));
      fill.className = `fill ${this.colour(label)}`;
      fill.style.width = `${100 * p}%`;
      return row;
    }));
  }

  showSegments (artist) {
    const length = this.length(), places = this.expected;
    this.find('.segments').replaceChildren(...places.map((place, i) => {
      const bar = document.createElement('div');
      bar.className = 'segment expected';
      bar.style.left = `${100 * place.start / length}%`;
      /* Overlapping segments: each is drawn up to the start of the next. */
      const end = Math.min(place.start + place.duration, places[i + 1]?.start ?? Infinity);
      bar.style.width = `calc(${100 * (end - place.start) / length}% - 1px)`;
      if (i < this.predicted.length) {
        const [label, p] = ranked(this.predicted[i].probabilities)[0];
        bar.className = `segment ${this.colour(label)}${label === artist ? '' : ' other'}`;
        bar.style.height = `${100 * p}%`;
        bar.title = `${clock(place.start)} ${label} ${percent(p)}`;
      }
      return bar;
    }));
  }

  /* ---- Training songs that sound most like it ---- */

  showSimilar (songs) {
    this.find('.similar').hidden = songs.length === 0;
    this.find('.similar ol').replaceChildren(...songs.map(song => {
      const row = document.createElement('li');
      const what = row.appendChild(document.createElement('span'));
      what.className = 'song';
      what.appendChild(document.createElement('bdi')).textContent = song.title;
      if (song.label) {
        what.append(' ');
        const artist = what.appendChild(document.createElement('bdi'));
        artist.className = 'artist';
        artist.textContent = song.label;
      }
      if (song.plays)
        this.addPlayButton(row, song);
      const number = row.appendChild(document.createElement('span'));
      number.className = 'number';
      number.title = 'Similarity: 1 for the same sound, 0 for unrelated ones';
      number.textContent = song.similarity.toFixed(2);
      return row;
    }));
  }

  addPlayButton (row, song) {
    const button = row.appendChild(document.createElement('button'));
    button.type = 'button';
    button.textContent = 'Play';
    button.setAttribute('aria-label', `Play ${song.title}`);
    button.addEventListener('click', async () => {
      button.disabled = true;
      try {
        await this.play(row, song);
        button.remove();
      } catch {
        button.disabled = false;
        const problem = row.querySelector('.problem') ?? row.appendChild(document.createElement('span'));
        problem.className = 'problem quiet';
        problem.textContent = 'This song can’t be played.';
      }
    });
  }

  /* The token is in a header, so the song is fetched as a whole. */
  async play (row, song) {
    const response = await fetch(`api/library/${song.song}`, { headers: headers() });
    if (!response.ok)
      throw new Error(response.statusText);
    const audio = document.createElement('audio');
    audio.controls = true;
    audio.setAttribute('aria-label', song.title);
    audio.addEventListener('loadedmetadata', () => { audio.currentTime = song.start; }, { once: true });
    audio.addEventListener('play', () => pauseOthers(audio));
    const url = URL.createObjectURL(await response.blob());
    this.urls.push(url);
    audio.src = url;
    row.append(audio);
    audio.play().catch(() => {}); /* the player itself shows the failure */
  }

  /* ---- The player: plays the file from the user's own disk ---- */

  length () {
    const known = this.find('audio').duration;
    const expected = Math.max(1, ...this.expected.map(place => place.start + place.duration));
    return Number.isFinite(known) ? Math.max(known, expected) : expected;
  }

  preparePlayer () {
    const audio = this.find('audio'), timeline = this.find('.timeline');
    this.url = URL.createObjectURL(this.file);
    audio.src = this.url;
    const follow = () => {
      const at = audio.currentTime, length = this.length();
      this.find('.playhead').style.left = `${100 * at / length}%`;
      timeline.setAttribute('aria-valuemax', Math.floor(length));
      timeline.setAttribute('aria-valuenow', Math.floor(at));
      timeline.setAttribute('aria-valuetext', this.tellPlace(at, length));
    };
    const seek = seconds => {
      audio.currentTime = Math.min(Math.max(seconds, 0), this.length());
      this.element.classList.add('plays');
      follow();
    };
    const animate = () => {
      follow();
      if (!audio.paused)
        requestAnimationFrame(animate);
    };
    audio.addEventListener('play', () => {
      pauseOthers(audio);
      this.element.classList.add('plays');
      animate();
    });
    audio.addEventListener('timeupdate', follow);
    audio.addEventListener('loadedmetadata', () => { this.showSegments(this.label ?? ranked(this.probabilities)[0]?.[0]); follow(); });
    audio.addEventListener('error', () => { audio.hidden = true; });
    timeline.addEventListener('click', event => {
      const box = timeline.getBoundingClientRect();
      seek(this.length() * (event.clientX - box.left) / box.width);
    });
    timeline.addEventListener('keydown', event => {
      const steps = { ArrowRight: STEP_SECONDS, ArrowUp: STEP_SECONDS, ArrowLeft: -STEP_SECONDS,
        ArrowDown: -STEP_SECONDS, Home: -Infinity, End: Infinity };
      if (event.key in steps)
        seek(audio.currentTime + steps[event.key]);
      else if (event.key === ' ' || event.key === 'Enter')
        audio.paused ? audio.play() : audio.pause();
      else
        return;
      event.preventDefault();
    });
  }

  tellPlace (at, length) {
    const i = this.predicted.findIndex(segment => segment.start <= at && at < segment.start + segment.duration);
    const what = i < 0 ? '' : `, ${ranked(this.predicted[i].probabilities)[0][0]}`;
    return `${clock(at)} of ${clock(length)}${what}`;
  }
}
