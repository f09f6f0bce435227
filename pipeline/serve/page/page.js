/* The page: songs that are dropped or chosen are sent a few at a time; runs are listed. */
import { headers, useToken } from './access.js';
import { Card, percent } from './card.js';

/* Browsers open at most six connections to one server; some must stay free for the page. */
const AT_ONCE = 3;
const SONGS = /\.(mp3|flac|ogg|oga|opus|wav|m4a|aac|aif|aiff|wma|wv|ape|mpc)$/i;

const find = id => document.getElementById(id);
const cards = [];
let model = null;
let sending = 0;

/* ---- Songs ---- */

const describe = () => {
  const count = state => cards.filter(card => card.state === state).length;
  const answered = count('answered'), failed = count('failed');
  const left = cards.length - answered - failed;
  const sure = cards.filter(card => card.state === 'answered' && !card.candidates);
  const artists = new Set(sure.map(card => card.label));
  const songs = n => `${n} ${n === 1 ? 'song' : 'songs'}`;
  const parts = [];
  if (sure.length > 0)
    parts.push(`${songs(sure.length)} by ${artists.size} ${artists.size === 1 ? 'artist' : 'artists'}`);
  if (answered > sure.length)
    parts.push(`${songs(answered - sure.length)} unsure`);
  if (left > 0)
    parts.push(`${left} remaining`);
  if (failed > 0)
    parts.push(`${failed} could not be used`);
  return parts.join(', ');
};

const update = () => {
  const text = describe();
  find('bar').hidden = cards.length === 0;
  /* Screen readers announce this text: set only when it changes. */
  if (find('tally').textContent !== text)
    find('tally').textContent = text;
  if (find('compare').getAttribute('aria-pressed') === 'true')
    showComparison();
};

const sendNext = async () => {
  const next = cards.find(card => card.state === 'waiting' && !card.removed);
  if (!next || sending >= AT_ONCE)
    return;
  sending++;
  next.state = 'sending';
  try {
    await next.send();
  } finally {
    sending--;
    sendNext();
  }
};

const add = files => {
  for (const file of files) {
    const card = new Card(file, model, update);
    card.find('.remove').addEventListener('click', () => {
      card.remove();
      cards.splice(cards.indexOf(card), 1);
      update();
    });
    cards.push(card);
    find('cards').append(card.element);
  }
  update();
  for (let i = 0; i < AT_ONCE; i++)
    sendNext();
};

/* A folder may also contain covers and playlists. */
const addFromFolder = files => {
  const songs = files.filter(file => SONGS.test(file.name))
    .sort((a, b) => (a.webkitRelativePath || a.name).localeCompare(b.webkitRelativePath || b.name));
  const others = files.length - songs.length;
  find('notice').textContent = songs.length === 0 ? 'This folder contains no songs.' : '';
  if (songs.length > 0 && others > 0)
    find('notice').textContent = `${others} ${others === 1 ? 'file' : 'files'} in this folder skipped: not audio.`;
  add(songs);
};

/* All files below a dropped folder; the browser returns entries in portions. */
const filesBelow = async entry => {
  if (entry.isFile)
    return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader(), files = [];
  for (;;) {
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0)
      return files;
    for (const child of entries)
      files.push(...await filesBelow(child));
  }
};

const takeDrop = async data => {
  const entries = [...data.items].filter(item => item.kind === 'file')
    .map(item => item.webkitGetAsEntry?.());
  find('notice').textContent = '';
  if (entries.length === 0 || entries.some(entry => !entry))
    return add([...data.files]);
  /* Files first: the dropped data is no longer available once this function waits. */
  add([...data.files].filter((_, i) => entries[i]?.isFile));
  for (const entry of entries.filter(each => each.isDirectory)) {
    try {
      addFromFolder(await filesBelow(entry));
    } catch (error) {
      find('notice').textContent = `The folder ${entry.name} can’t be read: ${error.message}`;
    }
  }
};

const prepareDrop = () => {
  const zone = find('drop');
  let depth = 0;
  addEventListener('dragover', event => event.preventDefault());
  addEventListener('dragenter', () => { depth++; zone.classList.add('over'); });
  addEventListener('dragleave', () => { if (--depth <= 0) zone.classList.remove('over'); });
  addEventListener('drop', event => {
    event.preventDefault();
    depth = 0;
    zone.classList.remove('over');
    if (model && event.dataTransfer)
      takeDrop(event.dataTransfer);
  });
  find('files').addEventListener('change', event => {
    find('notice').textContent = '';
    add([...event.target.files]);
    event.target.value = '';
  });
  find('folder').addEventListener('change', event => {
    addFromFolder([...event.target.files]);
    event.target.value = '';
  });
  find('clear').addEventListener('click', () => {
    for (const card of cards.splice(0))
      card.remove();
    find('notice').textContent = '';
    update();
  });
  find('compare').addEventListener('click', () => {
    const on = find('compare').getAttribute('aria-pressed') !== 'true';
    find('compare').setAttribute('aria-pressed', on);
    find('comparison').hidden = !on;
    find('cards').hidden = on;
    update();
  });
};

/* ---- Songs side by side ---- */

const cell = (tag, text, names = '') => {
  const element = document.createElement(tag);
  element.className = names;
  const name = element.appendChild(document.createElement('bdi'));
  name.textContent = text;
  return element;
};

const MOST_COLUMNS = 8;

const showComparison = () => {
  const answered = cards.filter(card => card.state === 'answered');
  const sums = new Map();
  for (const card of answered)
    for (const [label, p] of Object.entries(card.probabilities))
      sums.set(label, (sums.get(label) ?? 0) + p);
  const labels = [...sums].sort((a, b) => b[1] - a[1]).slice(0, MOST_COLUMNS).map(([label]) => label);
  const table = document.createElement('table');
  const head = table.createTHead().insertRow();
  const heading = (text, names) => {
    const th = cell('th', text, names);
    th.scope = 'col';
    head.append(th);
  };
  heading('Song');
  heading('Artist');
  labels.forEach(label => heading(label, 'number'));
  const body = table.createTBody();
  for (const card of answered) {
    const row = body.insertRow();
    const th = cell('th', card.file.name);
    th.scope = 'row';
    row.append(th, cell('td', card.candidates ? `unsure: ${card.answer}` : card.label));
    for (const label of labels)
      row.append(cell('td', percent(card.probabilities[label] ?? 0), label === card.label ? 'number best' : 'number'));
  }
  find('comparison').replaceChildren(answered.length > 0 ? table : cell('p', 'No song has been classified yet.'));
};

/* ---- Runs ---- */

/* @page: the address of the run's page @what ("Report", "Map"), or null. */
const pageCell = (run, what, page) => {
  const td = document.createElement('td');
  if (page) {
    const link = td.appendChild(document.createElement('a'));
    link.href = page.split('/').map(encodeURIComponent).join('/');
    link.target = '_blank';
    link.rel = 'noopener';
    link.textContent = 'open';
    link.setAttribute('aria-label', `${what} of ${run.name} ${run.id}`);
  } else {
    td.textContent = 'none';
    td.className = 'quiet';
  }
  return td;
};

const showRuns = async () => {
  find('runs-state').textContent = 'Loading …';
  let failure = 'The server can’t be reached.';
  const answer = await ask('api/runs').catch(error => {
    if (error.message === '401')
      failure = 'The token is missing or wrong.';
    return null;
  });
  const rows = answer?.runs.map(run => {
    const row = document.createElement('tr');
    const started = run.started ? new Date(run.started).toLocaleString() : '';
    const right = p => (p === null || p === undefined ? '' : percent(p));
    const th = cell('th', run.name);
    th.scope = 'row';
    const id = th.appendChild(document.createElement('span'));
    id.className = 'id';
    id.textContent = run.id;
    row.append(th, cell('td', started, 'started'), cell('td', run.state ?? 'unknown'),
      cell('td', right(run.test?.segment_accuracy), 'number'),
      cell('td', right(run.test?.song_accuracy), 'number'), pageCell(run, 'Report', run.report),
      pageCell(run, 'Map', run.map));
    return row;
  }) ?? [];
  find('runs-table').tBodies[0].replaceChildren(...rows);
  find('runs-table').hidden = rows.length === 0;
  find('runs-state').textContent = !answer ? failure
    : rows.length === 0 ? 'No runs yet. Create one: segue run --preset artist-small FOLDER'
      : answer.total > rows.length ? `The newest ${rows.length} of ${answer.total} runs. Accuracy is measured on the test set.`
        : 'Accuracy is measured on the test set.';
};

/* ---- Access and start ---- */

const ask = async path => {
  const answer = await fetch(path, { headers: headers() });
  if (answer.status === 401)
    askForToken();
  if (!answer.ok)
    throw new Error(answer.status);
  return answer.json();
};

/* Without a valid token, the server reports only that. */
const askForToken = () => {
  find('access').hidden = false;
  find('token').focus();
};

const prepareAccess = () => {
  find('access').addEventListener('submit', event => {
    event.preventDefault();
    useToken(find('token').value);
    find('access').hidden = true;
    greet();
    showSection();
  });
};

const showSection = () => {
  const runs = location.hash === '#runs';
  find('songs').hidden = runs;
  find('runs').hidden = !runs;
  for (const link of document.querySelectorAll('nav a'))
    if ((link.hash === '#runs') === runs)
      link.setAttribute('aria-current', 'page');
    else
      link.removeAttribute('aria-current');
  if (runs)
    showRuns();
};

const greet = async () => {
  try {
    model = await ask('api/model');
  } catch (error) {
    find('notice').textContent = error.message === '401' ? '' : 'The server can’t be reached.';
    return;
  }
  find('notice').textContent = '';
  find('files').disabled = find('folder').disabled = false;
  const n = model.labels.length, some = model.labels.slice(0, 6).join(', ');
  find('model').textContent = `Model ‘${model.name}’, ${n} artists: ${some}${n > 6 ? ' …' : ''}`;
};

prepareAccess();
prepareDrop();
addEventListener('hashchange', showSection);
showSection();
greet();
