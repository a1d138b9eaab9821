// The agent's screen: log in, wait, talk, dispose. The server owns the state (docs/API.md); this page
// shows it and sends verbs. A lost connection is told at once and repaired by itself, and what the
// agent has typed stays.

import { clock, el, fieldName, keepConnected, language, onLanguageToggle, setText, socketUrl, t, translate } from './common.js';

const $ = (id) => document.getElementById(id);
const FIRST_FIELDS = ['company', 'address', 'address1', 'address2', 'address3', 'city', 'state', 'comments'];
const NAME_FIELDS = ['name', 'title', 'first_name', 'middle_initial', 'last_name'];
const PAUSE_CODES = ['', 'BREAK', 'LUNCH', 'COACH', 'ADMIN'];
const HINTS = { READY: 'waiting_call', PAUSED: 'on_pause', INCALL: 'on_call', DISPO: 'in_wrap', RESERVED: 'offered', LOGGEDOUT: 'logged_out' };

let token = sessionStorage.getItem('outpace.token') ?? '';
let connection = null;
let connected = true;
let me = { agent: '', campaign: '', calls: 0, dispositions: [] };
let state = 'LOGGEDOUT';
let stateAt = 0;  // performance.now() when the state began
let phoneUp = false;
let pop = null;      // the open call, wrap-up or preview
let ended = false;   // pop's call is over: wrap-up
let audio = null;    // how the open call sounds: hold, mute, recording
let chosen = '';     // disposition picked while still talking
let sending = false;
let lastSeq = 0;

// ---- Server ----

// Resolves to the answer; rejects with an Error whose text can be shown.
async function call(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Error(t('unreachable'));
  }
  let answer = {};
  try { answer = await response.json(); } catch { /* an error page of a proxy */ }
  if (response.ok) return answer;
  if (response.status === 401 && token) endSession();
  throw new Error(answer.error?.message ?? `HTTP ${response.status}`);
}

async function verb(path, body) {
  setText($('message'), '');
  try {
    await call('POST', path, body);
  } catch (error) {
    setText($('message'), error.message);
  }
}

// ---- Session ----

function showLogin(message) {
  $('work-view').hidden = true;
  $('login-view').hidden = false;
  $('logout').hidden = true;
  $('phone-state').hidden = true;
  $('lost').hidden = true;
  setText($('who'), '');
  setText($('calls'), '');
  setText($('login-error'), message);
  document.title = 'Outpace';
  for (const id of ['user', 'campaign', 'phone']) {
    if (!$(id).value) $(id).value = localStorage.getItem(`outpace.${id}`) ?? '';
  }
  ($('user').value ? $('password') : $('user')).focus();
}

function endSession() {
  token = '';
  sessionStorage.removeItem('outpace.token');
  connection?.stop();
  connection = null;
  pop = null;
  showLogin(t('session_over'));
}

async function logIn(event) {
  event.preventDefault();
  const body = { user: $('user').value.trim(), password: $('password').value, campaign: $('campaign').value.trim() };
  if ($('phone').value.trim()) body.phone = $('phone').value.trim();
  $('login-button').disabled = true;
  setText($('login-error'), t('logging_in'));
  try {
    const answer = await call('POST', '/v1/agent/login', body);
    token = answer.token;
    sessionStorage.setItem('outpace.token', token);
    for (const id of ['user', 'campaign', 'phone']) localStorage.setItem(`outpace.${id}`, $(id).value.trim());
    $('password').value = '';
    await begin();
  } catch (error) {
    setText($('login-error'), error.message);
  } finally {
    $('login-button').disabled = false;
  }
}

// Takes over what the server says we are; also after a reload and after each reconnection.
async function refresh() {
  const answer = await call('GET', '/v1/agent/me');
  me = { agent: answer.agent, campaign: answer.campaign, calls: answer.calls_today ?? 0, dispositions: answer.dispositions ?? [] };
  // The server's clock if it says; the agent's own may be wrong by hours.
  const age = answer.since_ms > 0 ? Math.max(0, (answer.now_ms ?? Date.now()) - answer.since_ms) : 0;
  setState(answer.state, answer.phone_up, age);
  if (answer.pop) setPop(answer.pop);
  if (answer.audio) audio = answer.audio;
  draw();
}

async function begin() {
  await refresh();
  setText($('login-error'), '');
  $('login-view').hidden = true;
  $('work-view').hidden = false;
  $('logout').hidden = false;
  drawDispositions();
  connection?.stop();
  connection = keepConnected(() => socketUrl('/v1/agent/events', { token }), {
    onOpen: () => { connected = true; lastSeq = 0; draw(); },
    onMessage: onEvent,
    // A refused socket looks like a lost one to a script: ask whether the session still lives.
    onLost: () => { connected = false; draw(); refresh().catch(() => {}); },
  });
}

function onEvent(event) {
  if (typeof event.seq === 'number') {
    if (event.seq <= lastSeq) return;
    lastSeq = event.seq;
  }
  connected = true;
  if (event.type === 'state') {
    const fresh = event.state !== state;
    // The agent's own clock may be wrong by hours; a change that arrives now began now.
    setState(event.state, event.phone_up, fresh && stateAt ? 0 : undefined);
    if (event.state === 'LOGGEDOUT') refresh().catch(() => {});
  } else if (event.type === 'pop') {
    setPop(event);
  } else if (event.type === 'call_ended' && pop?.attempt === event.attempt) {
    callOver();
    notice(t('ended_by', t(event.by === 'AGENT' ? 'by_agent' : 'by_caller'), clock(event.length_ms)));
  } else if (event.type === 'audio' && pop?.attempt === event.attempt) {
    audio = event;
  } else if (event.type === 'dispositions') {
    me.dispositions = event.dispositions ?? [];
    drawDispositions();
    draw();
  } else if (event.type === 'notice') {
    notice(event.message);
  }
  draw();
}

function setState(next, phone, age) {
  if (age !== undefined) stateAt = performance.now() - age;
  phoneUp = phone === true;
  state = next;
  if (state === 'DISPO') callOver();
  if (pop && (state === 'READY' || state === 'PAUSED' || state === 'LOGGEDOUT')) clearPop();
}

// What the agent picked while talking is sent now.
function callOver() {
  if (ended || !pop) return;
  ended = true;
  if (chosen) dispose(chosen);
}

function clearPop() {
  pop = null;
  audio = null;
  ended = false;
  chosen = '';
  $('note').value = '';
  $('callback').value = '';
}

function setPop(next) {
  const again = pop?.attempt === next.attempt;
  if (!again) {
    clearPop();
    setText($('message'), '');
    setText($('finish-status'), '');
  }
  pop = next;
  ended = state === 'DISPO';
  drawLead();
  if (!again) refreshCalls();
}

async function refreshCalls() {
  try {
    const answer = await call('GET', '/v1/agent/me');
    me.calls = answer.calls_today ?? me.calls;
    draw();
  } catch { /* the next event tells */ }
}

function notice(text) {
  const time = el('time', '', new Date().toLocaleTimeString('en-GB').slice(0, 5));
  $('notices').prepend(el('div', '', time, text));
  while ($('notices').children.length > 6) $('notices').lastChild.remove();
}

// ---- Disposition ----

const dispositionName = (d) => (language() === 'zh' && d.name_zh ? d.name_zh : d.name);
const isCallback = (status) => me.dispositions.find((d) => d.status === status)?.callback ?? /^CB|CALLB/.test(status);

function choose(status) {
  if (!pop || pop.preview || sending) return;
  if (isCallback(status)) {
    const when = $('callback').value ? new Date($('callback').value).getTime() : 0;
    if (!when || when <= Date.now()) {
      setText($('finish-status'), t(when ? 'callback_past' : 'callback_needed'));
      $('callback').focus();
      return;
    }
  }
  if (ended) {
    dispose(status);
  } else {
    chosen = chosen === status ? '' : status;
    draw();
  }
}

async function dispose(status) {
  if (!pop || sending) return;
  const disposition = me.dispositions.find((d) => d.status === status);
  const name = disposition ? dispositionName(disposition) : status;
  const body = { attempt: pop.attempt, status };
  const note = $('note').value.trim();
  if (note) body.note = note;
  if (isCallback(status)) body.callback_ms = new Date($('callback').value).getTime();
  const attempt = pop.attempt;
  sending = true;
  setText($('finish-status'), t('sending'));
  draw();
  try {
    await call('POST', '/v1/agent/disposition', body);
    setText($('finish-status'), t('sent', name));
    if (pop?.attempt === attempt) clearPop();
  } catch (error) {
    chosen = '';
    setText($('finish-status'), t('not_sent', error.message));
  } finally {
    sending = false;
    draw();
  }
}

// ---- Drawing ----

function drawLead() {
  const lead = pop?.lead ?? {};
  const name = NAME_FIELDS.map((f) => lead[f]).filter(Boolean).join(' ');
  setText($('lead-name'), name || lead.company || lead.phone_number || '');
  setText($('lead-phone'), pop?.dialed_number || (lead.phone_number ?? ''));
  const shown = (key) => lead[key] !== undefined && lead[key] !== null && lead[key] !== '';
  const rest = Object.keys(lead).filter((key) => !FIRST_FIELDS.includes(key) && !NAME_FIELDS.includes(key) && key !== 'phone_number');
  $('fields').replaceChildren(...[...FIRST_FIELDS, ...rest].filter(shown).map((key) => {
    const value = String(lead[key]);
    const box = el('div', key === 'comments' ? 'wide comments' : value.length > 60 ? 'wide' : '', el('dt', '', fieldName(key)), el('dd', '', value));
    box.dataset.field = key;
    return box;
  }));
}

function drawDispositions() {
  $('dispositions').replaceChildren(...me.dispositions.map((d) => {
    const button = el('button', '', el('kbd', '', d.hotkey ?? ''), el('span', '', dispositionName(d)));
    button.type = 'button';
    button.dataset.status = d.status;
    button.title = d.status;
    button.addEventListener('click', () => choose(d.status));
    return button;
  }));
}

function draw() {
  if ($('work-view').hidden) return;
  $('state').className = `state tone-${state}`;
  setText($('state-word'), pop?.preview && state === 'RESERVED' ? t('preview') : t(state));
  setText($('hint'), t(pop?.preview && state === 'RESERVED' ? 'preview_hint' : HINTS[state] ?? 'logged_out'));
  setText($('who'), `${me.agent} · ${me.campaign}`);
  setText($('calls'), t('calls_today', me.calls));
  $('phone-state').hidden = false;
  $('phone-state').className = `pill ${phoneUp ? 'good' : 'bad'}`;
  setText($('phone-state'), t(phoneUp ? 'phone_ok' : 'phone_gone'));
  $('lost').hidden = connected;
  const preview = pop?.preview === true && state === 'RESERVED';
  // From wrap-up the way leads over a disposition.
  $('ready').disabled = state === 'READY' || state === 'INCALL' || state === 'RESERVED' || (state === 'DISPO' && pop !== null);
  $('not-ready').disabled = state === 'PAUSED';
  $('hangup').disabled = !(state === 'INCALL');
  $('preview-row').hidden = !preview;
  drawAudio();
  $('no-lead').hidden = pop !== null;
  $('lead-body').hidden = pop === null;
  const open = pop !== null && !preview && (state === 'INCALL' || state === 'DISPO' || ended);
  $('finish').hidden = !open && !$('finish-status').textContent;
  for (const id of ['note', 'callback']) $(id).disabled = !open;
  for (const button of $('dispositions').children) {
    button.disabled = !open || sending;
    button.setAttribute('aria-pressed', String(button.dataset.status === chosen));
  }
  if (chosen && !ended) {
    const disposition = me.dispositions.find((d) => d.status === chosen);
    setText($('finish-status'), t('chosen', disposition ? dispositionName(disposition) : chosen));
  } else if (open && !sending && $('finish-status').dataset.chosen === 'yes') {
    setText($('finish-status'), '');
  }
  $('finish-status').dataset.chosen = chosen && !ended ? 'yes' : '';
  tick();
}

function drawAudio() {
  const talking = state === 'INCALL' && pop !== null && !ended;
  $('audio-row').hidden = !talking;
  $('machine').hidden = !(talking && audio?.machine);
  const recording = audio?.recording ?? 'off';
  $('hold').setAttribute('aria-pressed', String(audio?.held === true));
  $('mute').setAttribute('aria-pressed', String(audio?.muted === true));
  $('record').setAttribute('aria-pressed', String(recording !== 'off'));
  $('record').disabled = recording !== 'off' && audio?.may_stop_recording === false;
  $('record-pause').setAttribute('aria-pressed', String(recording === 'paused'));
  $('record-pause').disabled = recording === 'off';
}

function tick() {
  if ($('work-view').hidden) return;
  const time = clock(performance.now() - stateAt);
  setText($('timer'), time);
  document.title = `${time} ${t(state)} – Outpace`;
}

function drawPauseCodes() {
  const current = $('pause-code').value;
  $('pause-code').replaceChildren(...PAUSE_CODES.map((code) => {
    const option = el('option', '', code || t('no_code'));
    option.value = code;
    return option;
  }));
  $('pause-code').value = current;
}

// ---- Hands ----

const goReady = () => verb('/v1/agent/state', { state: 'ready' });
const goNotReady = () => {
  const code = $('pause-code').value;
  return verb('/v1/agent/state', code ? { state: 'not_ready', code } : { state: 'not_ready' });
};
const answerPreview = (action) => { if (pop) verb('/v1/agent/preview', { attempt: pop.attempt, action }); };

const KEYS = { F2: 'ready', F4: 'not-ready', F7: 'dial', F8: 'hangup', F9: 'skip' };

function onKey(event) {
  if ($('work-view').hidden || event.ctrlKey || event.metaKey || event.repeat) return;
  const button = KEYS[event.key] && $(KEYS[event.key]);
  if (button) {
    event.preventDefault();
    if (!button.disabled && button.offsetParent) button.click();
    return;
  }
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.key === 'Escape' && typing) return event.target.blur();
  if (typing !== event.altKey) return;  // a letter in the note is a letter
  const key = event.altKey ? event.code.replace(/^(Key|Digit)/, '') : event.key;
  const disposition = me.dispositions.find((d) => d.hotkey && d.hotkey.toUpperCase() === key.toUpperCase());
  if (!disposition || !pop) return;
  event.preventDefault();
  choose(disposition.status);
}

translate();
drawPauseCodes();
onLanguageToggle(() => { drawPauseCodes(); drawDispositions(); if (pop) drawLead(); draw(); });
$('login').addEventListener('submit', logIn);
$('ready').addEventListener('click', goReady);
$('not-ready').addEventListener('click', goNotReady);
$('hangup').addEventListener('click', () => verb('/v1/agent/hangup', {}));
$('hold').addEventListener('click', () => verb('/v1/agent/hold', { on: audio?.held !== true }));
$('mute').addEventListener('click', () => verb('/v1/agent/mute', { on: audio?.muted !== true }));
$('record').addEventListener('click', () => verb('/v1/agent/recording', { action: (audio?.recording ?? 'off') === 'off' ? 'start' : 'stop' }));
$('record-pause').addEventListener('click', () => verb('/v1/agent/recording', { action: audio?.recording === 'paused' ? 'resume' : 'pause' }));
$('voicemail').addEventListener('click', () => verb('/v1/agent/voicemail', {}));
$('dial').addEventListener('click', () => answerPreview('dial'));
$('skip').addEventListener('click', () => answerPreview('skip'));
$('logout').addEventListener('click', async () => {
  await verb('/v1/agent/logout', {});
  if (!$('message').textContent) { endSession(); setText($('login-error'), ''); }
});
document.addEventListener('keydown', onKey);
setInterval(tick, 250);
if (token) begin().catch((error) => { if (token) showLogin(error.message); });
else showLogin('');
