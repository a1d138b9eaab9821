// The supervisors' wallboard: one snapshot a second from /v1/board/events (docs/API.md), drawn in
// place. Between snapshots only the timers tick, by the server's clock as the last snapshot told it.

import { clock, el, keepConnected, language, limitName, number, onLanguageToggle, percent, setText, socketUrl, t, translate } from './common.js';

const ABANDON_LIMIT = 0.03;  // 16 CFR 310.4(b)(4)(i)
const HISTORY_MAX = 600;     // seconds of history in the small charts
const IMPORTS_SHOWN = 3;
const HISTORY_MIN = 120;     // width of a chart that has only begun
const SILENCE_MS = 5000;     // no snapshot for so long: the figures are called old
const STATES = ['READY', 'RESERVED', 'INCALL', 'DISPO', 'PAUSED', 'LOGGEDOUT'];
const SVG = 'http://www.w3.org/2000/svg';

const $ = (id) => document.getElementById(id);
let imports = [], importing = null;
let snapshot = null;
let receivedAt = 0;  // performance.now() of the snapshot
let connected = false;
let filter = '';
let sort = { key: 'time', down: true };
const history = new Map();  // campaign id -> [{occupancy, abandon}]
const cards = new Map();    // campaign id -> parts of its card
const rows = new Map();     // user -> parts of the agent's row

const serverNow = () => (snapshot ? snapshot.now_ms + (performance.now() - receivedAt) : 0);

// ---- Campaign cards ----

function figure(label, tone) {
  const n = el('span', 'n');
  const l = el('span', 'l');
  l.dataset.t = label;
  return { box: el('div', `figure ${tone ? `toned tone-${tone}` : ''}`, n, l), n };
}

function chart(withLimit) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  const area = document.createElementNS(SVG, 'path');
  area.setAttribute('class', 'area');
  const line = document.createElementNS(SVG, 'path');
  svg.append(area, line);
  let limit = null;
  if (withLimit) {
    limit = document.createElementNS(SVG, 'line');
    limit.setAttribute('x1', '0');
    limit.setAttribute('x2', String(HISTORY_MAX));  // cut at the chart's edge
    svg.append(limit);
  }
  return { svg, area, line, limit };
}

function drawChart(parts, values, top, limit) {
  const y = (v) => (100 - 96 * Math.min(1, Math.max(0, v) / top)).toFixed(1);
  const width = Math.max(HISTORY_MIN, values.length);
  const start = width - values.length;
  parts.svg.setAttribute('viewBox', `0 0 ${width} 100`);
  const points = values.map((v, i) => `${start + i + 1} ${y(v)}`).join(' L ');
  parts.line.setAttribute('d', values.length ? `M ${points}` : '');
  parts.area.setAttribute('d', values.length ? `M ${start + 1} 100 L ${points} L ${width} 100 Z` : '');
  if (parts.limit) {
    parts.limit.setAttribute('y1', y(limit));
    parts.limit.setAttribute('y2', y(limit));
  }
}

function gauge(label, withLimit) {
  const title = el('h3');
  title.dataset.t = label;
  const value = el('span');
  const small = el('small');
  const drawing = chart(withLimit);
  const box = el('div', 'box gauge', title, el('div', 'v', value, small), drawing.svg);
  return { box, value, small, drawing };
}

function titled(label, ...children) {
  const title = el('h3');
  title.dataset.t = label;
  return el('div', 'box', title, ...children);
}

function makeCard(id) {
  const c = {
    id: el('span', 'id'), name: el('span', 'name'), active: el('span', 'pill'), method: el('span', 'tag'),
    level: el('span', 'tag'), limit: el('span', 'tag'), why: el('div', 'why'),
    calls: { ringing: figure('ringing'), waiting: figure('waiting'), talking: figure('talking', 'INCALL') },
    agents: { ready: figure('READY', 'READY'), incall: figure('INCALL', 'INCALL'), dispo: figure('DISPO', 'DISPO'), paused: figure('PAUSED', 'PAUSED') },
    stack: el('div', 'stack'), segments: {},
    today: { attempts: figure('attempts'), answered: figure('answered'), connected: figure('connected'), abandoned: figure('abandoned'), sales: figure('sales') },
    abandonment: gauge('abandonment', true), occupancy: gauge('occupancy'), answer: gauge('answer_ratio'),
    reasons: el('ol'), print: el('div', 'small-print'),
  };
  c.explain = titled('why_many', c.reasons);
  c.explain.classList.add('explain');
  for (const [name, state] of [['ready', 'READY'], ['incall', 'INCALL'], ['dispo', 'DISPO'], ['paused', 'PAUSED']]) {
    c.segments[name] = el('span', `tone-${state}`);
    c.stack.append(c.segments[name]);
  }
  const boxes = (group) => Object.values(group).map((f) => f.box);
  c.card = el('section', 'panel campaign',
    el('header', '', c.id, c.name, c.active, el('span', 'spring'), c.method, c.level, c.limit), c.why,
    el('div', 'split', titled('calls', el('div', 'figures', ...boxes(c.calls))),
      titled('agents', el('div', 'figures', ...boxes(c.agents)), c.stack)),
    titled('today', el('div', 'figures today', ...boxes(c.today))),
    el('div', 'gauges', c.abandonment.box, c.occupancy.box, c.answer.box), c.explain, c.print);
  c.card.dataset.campaign = id;
  return c;
}

function seconds(s) {
  return `${(s ?? 0).toFixed(1)} s`;
}

function fillCard(c, data) {
  setText(c.id, data.id);
  setText(c.name, data.name);
  setText(c.active, t(data.active ? 'active' : 'inactive'));
  c.active.className = `pill ${data.active ? 'good' : ''}`;
  setText(c.method, data.dial_method);
  c.level.replaceChildren(`${t('level')} `, el('b', '', (data.dial_level ?? 0).toFixed(2)));
  const limit = data.pacing?.limit ?? 'none';
  c.limit.hidden = limit === 'none' || limit === '';
  c.limit.replaceChildren(`${t('limit')} `, el('b', '', limitName(limit)));
  c.why.hidden = !data.idle_reason;
  setText(c.why, data.idle_reason ?? '');
  for (const key of Object.keys(c.calls)) setText(c.calls[key].n, number(data.calls[key] ?? 0));
  c.calls.waiting.box.classList.toggle('alert', data.calls.waiting > 0);
  const total = Object.keys(c.agents).reduce((sum, key) => sum + (data.agents[key] ?? 0), 0);
  for (const key of Object.keys(c.agents)) {
    setText(c.agents[key].n, number(data.agents[key] ?? 0));
    c.segments[key].style.width = total ? `${(100 * (data.agents[key] ?? 0)) / total}%` : '0';
  }
  for (const key of Object.keys(c.today)) setText(c.today[key].n, number(data.today[key] ?? 0));
  fillGauges(c, data);
  const item = (label, value) => el('span', '', `${t(label)} `, el('b', '', value));
  const items = [item('hopper', number(data.hopper ?? 0))];
  if (data.dialable !== undefined) items.push(item('dialable', number(data.dialable)));
  if (data.leads !== undefined) items.push(item('leads', number(data.leads)));
  items.push(item('ring', seconds(data.ring_s)), item('talk', seconds(data.talk_s)), item('wrap', seconds(data.wrap_s)));
  if (data.pacing) {
    items.push(item('legs', number(data.pacing.legs_to_place ?? 0)), item('p_abandon', `${percent(data.pacing.p_abandon ?? 0)} / ${percent(data.pacing.theta ?? 0)}`));
  }
  if (data.tiers) items.push(item('tier_lift', liftText(data.tiers)));
  c.print.replaceChildren(...items);
  fillReasons(c, data);
}

// "A 9/100, B 0/12: 2.50 [1.10, –]": successes of attempts, their ratio and its interval.
function liftText(tiers) {
  const arm = (a) => `${number(a.successes)}/${number(a.attempts)}`;
  const end = (value) => (value === null ? '–' : value.toFixed(2));
  const { ratio, low, high } = tiers.lift;
  return `A ${arm(tiers.a)}, B ${arm(tiers.b_drawn)}: ${end(ratio)} [${end(low)}, ${end(high)}]`;
}

// Why this many calls, in the dialer's own sentences; the first says what was done.
function fillReasons(c, data) {
  const reasons = data.pacing?.why?.[language()] ?? [];
  c.explain.hidden = reasons.length === 0;
  c.explain.classList.toggle('alarm', (data.pacing?.alarm ?? 'none') !== 'none');
  while (c.reasons.children.length > reasons.length) c.reasons.lastChild.remove();
  reasons.forEach((reason, i) => setText(c.reasons.children[i] ?? c.reasons.appendChild(el('li')), reason));
}

function fillGauges(c, data) {
  const past = history.get(data.id) ?? [];
  const ratio = data.today.abandon_ratio;
  setText(c.abandonment.value, percent(ratio, 2));
  setText(c.abandonment.small, t('of_limit', percent(ABANDON_LIMIT, 0)));
  const tone = ratio >= ABANDON_LIMIT ? 'bad' : ratio >= 0.8 * ABANDON_LIMIT ? 'warn' : 'good';
  c.abandonment.box.className = `box gauge ${tone}`;
  const worst = Math.max(2 * ABANDON_LIMIT, ...past.map((p) => p.abandon));
  drawChart(c.abandonment.drawing, past.map((p) => p.abandon), worst, ABANDON_LIMIT);
  const minutes = t('last_minutes', Math.max(1, Math.ceil(past.length / 60)));
  setText(c.occupancy.value, percent(data.occupancy));
  setText(c.occupancy.small, minutes);
  drawChart(c.occupancy.drawing, past.map((p) => p.occupancy), 1);
  setText(c.answer.value, percent(data.answer_ratio));
  setText(c.answer.small, minutes);
  drawChart(c.answer.drawing, past.map((p) => p.answer), Math.max(0.1, ...past.map((p) => 1.25 * p.answer)));
}

function drawCampaigns() {
  const box = $('campaigns');
  const seen = new Set(snapshot.campaigns.map((c) => c.id));
  for (const [id, c] of cards) {
    if (seen.has(id)) continue;
    c.card.remove();
    cards.delete(id);
    history.delete(id);
  }
  box.querySelector('.empty')?.remove();
  for (const data of snapshot.campaigns) {
    let c = cards.get(data.id);
    if (!c) {
      c = makeCard(data.id);
      cards.set(data.id, c);
      box.append(c.card);
      for (const node of c.card.querySelectorAll('[data-t]')) node.textContent = t(node.dataset.t);
    }
    fillCard(c, data);
  }
  box.classList.toggle('many', seen.size > 2);  // figures only, so that they fit one screen
  if (seen.size === 0) box.append(el('div', 'panel empty', t('no_campaigns')));
}

// ---- Agents ----

const COLUMNS = [
  { key: 'state', value: (a) => STATES.indexOf(a.state) },
  { key: 'agent', value: (a) => a.user },
  { key: 'time', value: (a) => -a.since_ms, num: true },
  { key: 'campaign', value: (a) => a.campaign },
  { key: 'calls_col', value: (a) => a.calls, num: true },
  { key: 'pause', value: (a) => a.pause_code },
];

function makeHeads() {
  $('heads').replaceChildren(...COLUMNS.map((column) => {
    const button = el('button');
    button.type = 'button';
    button.dataset.t = column.key;
    button.addEventListener('click', () => {
      sort = { key: column.key, down: sort.key === column.key ? !sort.down : column.num === true };
      drawAgents();
    });
    const head = el('th', column.num ? 'num' : '', button);
    head.scope = 'col';
    head.dataset.key = column.key;
    return head;
  }));
}

function makeRow() {
  const r = { chip: el('span', 'chip'), user: el('td', 'user'), time: el('td', 'time num'), campaign: el('td'), calls: el('td', 'num'), pause: el('td') };
  r.row = el('tr', '', el('td', '', r.chip), r.user, r.time, r.campaign, r.calls, r.pause);
  return r;
}

function drawAgents() {
  for (const head of $('heads').children) {
    if (head.dataset.key === sort.key) head.setAttribute('aria-sort', sort.down ? 'descending' : 'ascending');
    else head.removeAttribute('aria-sort');
  }
  if (!snapshot) return;
  const column = COLUMNS.find((c) => c.key === sort.key);
  const sign = sort.down ? -1 : 1;
  const agents = snapshot.agents.filter((a) => !filter || a.state === filter);
  agents.sort((a, b) => {
    const x = column.value(a);
    const y = column.value(b);
    return (x < y ? -sign : x > y ? sign : 0) || (a.user < b.user ? -1 : 1);
  });
  const present = new Set(snapshot.agents.map((a) => a.user));
  for (const user of rows.keys()) if (!present.has(user)) rows.delete(user);
  const nodes = agents.map((a) => {
    let r = rows.get(a.user);
    if (!r) rows.set(a.user, r = makeRow());
    r.since = a.since_ms;
    r.row.className = `tone-${STATES.includes(a.state) ? a.state : 'LOGGEDOUT'}`;
    setText(r.chip, t(a.state));
    setText(r.user, a.user);
    setText(r.campaign, a.campaign);
    setText(r.calls, number(a.calls ?? 0));
    setText(r.pause, a.phone_up === false ? t('phone_down') : a.pause_code ?? '');
    return r.row;
  });
  const body = $('agents');
  if (nodes.length !== body.children.length || nodes.some((node, i) => node !== body.children[i])) body.replaceChildren(...nodes);
  $('no-agents').hidden = snapshot.agents.length > 0;
  drawFilters();
  tick();
}

function drawFilters() {
  const counts = new Map();
  for (const a of snapshot.agents) counts.set(a.state, (counts.get(a.state) ?? 0) + 1);
  if (filter && !counts.has(filter)) filter = '';
  const wanted = ['', ...STATES.filter((s) => counts.has(s))];
  const box = $('filters');
  if ([...box.children].map((b) => b.dataset.state).join() !== wanted.join()) {
    box.replaceChildren(...wanted.map((state) => {
      const button = el('button', state ? `tone-${state}` : '');
      button.type = 'button';
      button.dataset.state = state;
      button.addEventListener('click', () => { filter = state; drawAgents(); });
      return button;
    }));
  }
  for (const button of box.children) {
    const state = button.dataset.state;
    setText(button, `${state ? t(state) : t('all')} ${state ? counts.get(state) : snapshot.agents.length}`);
    button.setAttribute('aria-pressed', String(state === filter));
  }
}

// ---- The rest ----

function drawTrunks() {
  const nodes = snapshot.trunks.map((trunk) => {
    const pill = el('span', `pill ${trunk.up ? 'good' : 'bad'}`, t(trunk.up ? 'up' : 'down'));
    const item = (label, value) => el('span', '', el('span', 'meta', `${t(label)} `), el('b', '', value));
    return el('div', 'trunk', el('span', 'who', trunk.name), pill, item('calls_col', number(trunk.calls)), item('attempts', number(trunk.attempts)), item('asr', percent(trunk.asr)), el('span', 'reason', trunk.reason ?? ''));
  });
  $('trunks').replaceChildren(...(nodes.length ? nodes : [el('div', 'empty', t('no_trunks'))]));
  setText($('p50'), `${(snapshot.connect_ms?.p50 ?? 0).toFixed(1)} ms`);
  setText($('p99'), `${(snapshot.connect_ms?.p99 ?? 0).toFixed(1)} ms`);
}

// The latest imports and the one under way; not part of the snapshot, as they change seldom.
function drawImports() {
  const item = (label, value) => el('span', '', el('span', 'meta', `${t(label)} `), el('b', '', value));
  const nodes = [...imports].reverse().map((one) => {
    const pill = el('span', `pill ${one.state === 'published' ? 'good' : 'warn'}`, t('import_states')[one.state] ?? one.state);
    return el('div', 'trunk', el('span', 'who', one.file), pill, item('campaign', one.campaign), item('rows', number(one.rows)), item('accepted', number(one.accepted)));
  });
  if (importing) {
    const share = importing.total > 0 ? importing.done / importing.total : 0;
    nodes.unshift(el('div', 'trunk', el('span', 'who', importing.what), el('span', 'pill warn', percent(share)), item('rows', number(importing.rows))));
  }
  $('imports').replaceChildren(...nodes);
  $('imports-panel').hidden = nodes.length === 0;
}

async function lookForImports() {
  try {
    const response = await fetch(`/v1/imports?last=${IMPORTS_SHOWN}${token ? `&token=${encodeURIComponent(token)}` : ''}`);
    if (response.ok) {
      const answer = await response.json();
      imports = answer.imports;
      importing = answer.running ?? null;
      drawImports();
    }
  } catch { /* the banner tells of a lost connection */ }
  setTimeout(lookForImports, importing ? 1_000 : 10_000);
}

function drawBanners() {
  const pill = $('connection');
  pill.className = `pill ${connected ? 'good' : 'bad'}`;
  setText(pill, t(connected ? 'live' : snapshot ? 'lost' : 'connecting'));
  $('lost').hidden = connected;
  $('board').classList.toggle('stale', !connected && snapshot !== null);
  if (!connected) setText($('lost'), snapshot ? t('lost_since', clock(performance.now() - receivedAt)) : t('lost_never'));
  $('stopped').hidden = !snapshot?.stopped_reason;
  if (snapshot?.stopped_reason) setText($('stopped'), t('stopped', snapshot.stopped_reason));
  $('draining').hidden = !snapshot?.draining;
}

function tick() {
  drawBanners();
  if (!snapshot || !connected) return;  // an old figure must not look alive
  const now = serverNow();
  setText($('clock'), new Date(now).toLocaleTimeString('en-GB'));
  setText($('uptime'), t('uptime', clock(snapshot.uptime_s * 1000 + performance.now() - receivedAt)));
  for (const r of rows.values()) {
    const age = now - r.since;
    setText(r.time, clock(age));
    r.row.dataset.age = age >= 300_000 ? '2' : age >= 60_000 ? '1' : '0';
  }
}

function draw() {
  if (snapshot) {
    drawCampaigns();
    drawAgents();
    drawTrunks();
    drawImports();
  }
  tick();
}

function onSnapshot(message) {
  if (!Array.isArray(message.campaigns)) return;
  snapshot = message;
  receivedAt = performance.now();
  connected = true;
  for (const c of snapshot.campaigns) {
    const past = history.get(c.id) ?? [];
    past.push({ occupancy: c.occupancy, abandon: c.today.abandon_ratio, answer: c.answer_ratio });
    if (past.length > HISTORY_MAX) past.shift();
    history.set(c.id, past);
  }
  draw();
}

makeHeads();
translate();
onLanguageToggle(draw);
$('fullscreen').addEventListener('click', () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen();
});
drawAgents();
setInterval(tick, 250);
const token = new URLSearchParams(location.search).get('token');
lookForImports();
keepConnected(() => socketUrl('/v1/board/events', token ? { token } : {}), {
  onMessage: onSnapshot,
  onLost: () => { connected = false; tick(); },
  silenceMs: SILENCE_MS,
});
