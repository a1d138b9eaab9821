// What both pages share: text in two languages, elements, durations. Every text that comes from
// outside goes through textContent; nothing here or in the pages makes HTML out of a string.

const STRINGS = {
  en: {
    lang_other: '中文', lang_label: 'Switch the language to Chinese',
    READY: 'READY', INCALL: 'INCALL', DISPO: 'DISPO', PAUSED: 'PAUSED', RESERVED: 'RESERVED', LOGGEDOUT: 'LOGGED OUT',
    live: 'Live', connecting: 'Connecting', lost: 'Connection lost',
    lost_since: (s) => `Connection lost: these figures are ${s} old. Reconnecting…`,
    lost_never: 'No connection to the dialer yet. Retrying…',
    stopped: (why) => `Dialing is stopped: ${why}`, draining: 'Draining: no new calls are placed',
    uptime: (t) => `up ${t}`, fullscreen: 'Full screen',
    no_campaigns: 'No campaign is loaded', no_agents: 'No agent is logged in', no_trunks: 'No trunk is configured',
    active: 'Active', inactive: 'Inactive', level: 'level', limit: 'limited by',
    calls: 'Calls now', ringing: 'Ringing', waiting: 'Waiting', talking: 'Talking', agents: 'Agents', today: 'Today',
    attempts: 'Attempts', answered: 'Answered', connected: 'Connected', abandoned: 'Abandoned', sales: 'Sales',
    abandonment: 'Abandonment', of_limit: (p) => `limit ${p}`, occupancy: 'Occupancy', answer_ratio: 'Answer ratio',
    last_minutes: (n) => `last ${n} min`, hopper: 'Hopper', dialable: 'Dialable', leads: 'Leads', ring: 'Ring', talk: 'Talk', wrap: 'Wrap-up',
    legs: 'Placing', p_abandon: 'P(abandon)', tier_lift: 'Tiers', why_many: 'Why this many calls',
    state: 'State', agent: 'Agent', time: 'Time', campaign: 'Campaign', calls_col: 'Calls', pause: 'Pause', all: 'All',
    phone_down: 'phone down', imports: 'Imports', rows: 'Rows', accepted: 'Accepted', import_states: { published: 'loaded', undoing: 'being undone', undone: 'undone' }, trunks: 'Trunks', up: 'up', down: 'down', asr: 'ASR', connect: 'Answer to agent',
    limits: { none: 'nothing', method: 'dial method', agents: 'agents', level: 'dial level', abandonment: 'abandonment', budget: 'abandonment budget', lines: 'lines', trunk_rate: 'trunk rate', hopper: 'hopper', burst: 'burst guard', safety: 'safety' },
    login: 'Log in', logout: 'Log out', user: 'User', password: 'Password', phone: 'Phone (sip:name@address:port)',
    phone_hint: 'Leave the phone empty to use your stored one.', logging_in: 'Logging in…', session_over: 'Your session has ended. Please log in again.',
    go_ready: 'Ready', go_pause: 'Not ready', hangup: 'Hang up', hold: 'Hold', mute: 'Mute', record: 'Record', record_pause: 'Pause recording', voicemail: 'Drop voicemail',
    machine_says: 'This sounds like a machine.', pause_code: 'Pause code', no_code: 'no code',
    calls_today: (n) => `${n} ${n === 1 ? 'call' : 'calls'} today`, phone_ok: 'Phone connected', phone_gone: 'Phone not connected',
    agent_lost: 'Connection lost: your call stays up. Reconnecting…',
    waiting_call: 'Waiting for the next call', on_pause: 'You get no calls', on_call: 'On a call', in_wrap: 'Choose a disposition to finish', offered: 'A call is being connected', preview_hint: 'Look at the lead, then dial or skip', logged_out: 'Not logged in',
    no_lead: 'No call. The lead appears here when one comes in.', lead: 'Lead', preview: 'Preview', dial: 'Dial', skip: 'Skip',
    disposition: 'Disposition', note: 'Note', callback: 'Call back at', callback_needed: 'Set the date and time to call back first.', callback_past: 'The callback time has passed already.',
    chosen: (name) => `“${name}” is sent when the call ends.`, sent: (name) => `Saved: ${name}`, sending: 'Saving…', not_sent: (why) => `Not saved: ${why}`,
    ended_by: (by, t) => `Call ended by ${by} after ${t}`, by_caller: 'the customer', by_agent: 'you',
    unreachable: 'The dialer cannot be reached.', notices: 'Notices',
    keys: 'Alt + key works while you type',
    fields: { name: 'Name', phone_number: 'Phone', company: 'Company', address: 'Address', address1: 'Address', address2: 'Address 2', address3: 'Address 3', city: 'City', state: 'State', postal_code: 'Postal code', comments: 'Comments', email: 'E-mail', status: 'Status', called_count: 'Times called', vendor_lead_code: 'Lead code', alt_phone: 'Other phone', country: 'Country', province: 'Province', date_of_birth: 'Date of birth', gender: 'Gender' },
  },
  zh: {
    lang_other: 'English', lang_label: '切换为英文',
    READY: '就绪', INCALL: '通话中', DISPO: '话后', PAUSED: '小休', RESERVED: '已分配', LOGGEDOUT: '未签入',
    live: '实时', connecting: '正在连接', lost: '连接中断',
    lost_since: (s) => `连接中断：以下数据为 ${s} 前的数据，正在重连…`, lost_never: '尚未连接到外呼引擎，正在重试…',
    stopped: (why) => `外呼已停止：${why}`, draining: '正在收尾：不再发起新呼叫',
    uptime: (t) => `已运行 ${t}`, fullscreen: '全屏',
    no_campaigns: '没有加载任务', no_agents: '没有坐席签入', no_trunks: '没有配置中继',
    active: '运行', inactive: '停止', level: '外呼比例', limit: '受限于',
    calls: '当前呼叫', ringing: '振铃', waiting: '等待坐席', talking: '通话', agents: '坐席', today: '今日',
    attempts: '外呼量', answered: '接听', connected: '接通坐席', abandoned: '呼损', sales: '成交',
    abandonment: '呼损率', of_limit: (p) => `上限 ${p}`, occupancy: '工时利用率', answer_ratio: '接通率',
    last_minutes: (n) => `最近 ${n} 分钟`, hopper: '待呼队列', dialable: '可拨', leads: '名单', ring: '振铃', talk: '通话', wrap: '话后',
    legs: '正在发起', p_abandon: '呼损风险', tier_lift: '分级', why_many: '为什么拨这么多',
    state: '状态', agent: '坐席', time: '时长', campaign: '任务', calls_col: '通话数', pause: '小休原因', all: '全部',
    phone_down: '话机未接', imports: '名单导入', rows: '行数', accepted: '已导入', import_states: { published: '已导入', undoing: '撤销中', undone: '已撤销' }, trunks: '中继', up: '正常', down: '故障', asr: '接通率', connect: '接听到坐席',
    limits: { none: '无', method: '外呼方式', agents: '坐席数', level: '外呼比例', abandonment: '呼损率', budget: '呼损率额度', lines: '线路', trunk_rate: '中继速率', hopper: '待呼队列', burst: '突发保护', safety: '安全保护' },
    login: '签入', logout: '签出', user: '工号', password: '密码', phone: '话机（sip:名称@地址:端口）',
    phone_hint: '话机留空则使用已保存的话机。', logging_in: '正在签入…', session_over: '会话已结束，请重新签入。',
    go_ready: '示闲', go_pause: '示忙', hangup: '挂机', hold: '保持', mute: '静音', record: '录音', record_pause: '暂停录音', voicemail: '播放留言',
    machine_says: '听起来是应答机。', pause_code: '小休原因', no_code: '无',
    calls_today: (n) => `今日 ${n} 通`, phone_ok: '话机已接通', phone_gone: '话机未接通',
    agent_lost: '连接中断：通话不受影响，正在重连…',
    waiting_call: '等待下一通来话', on_pause: '不会分配来话', on_call: '正在通话', in_wrap: '请选择通话结果', offered: '正在接入客户', preview_hint: '先看资料，再拨打或跳过', logged_out: '未签入',
    no_lead: '当前没有通话，来话时在此显示客户资料。', lead: '客户资料', preview: '预览', dial: '拨打', skip: '跳过',
    disposition: '通话结果', note: '备注', callback: '预约回拨', callback_needed: '请先填写回拨时间。', callback_past: '回拨时间已过。',
    chosen: (name) => `通话结束后提交“${name}”。`, sent: (name) => `已保存：${name}`, sending: '正在保存…', not_sent: (why) => `未保存：${why}`,
    ended_by: (by, t) => `${by}挂机，通话 ${t}`, by_caller: '客户', by_agent: '坐席',
    unreachable: '无法连接外呼引擎。', notices: '通知',
    keys: '输入时可用 Alt + 按键',
    fields: { name: '姓名', phone_number: '电话', company: '公司', address: '地址', address1: '地址', address2: '地址二', address3: '地址三', city: '城市', state: '省/州', postal_code: '邮编', comments: '备注', email: '邮箱', status: '状态', called_count: '拨打次数', vendor_lead_code: '客户编号', alt_phone: '备用电话', country: '国家', province: '省', date_of_birth: '出生日期', gender: '性别' },
  },
};

function read(key) {
  try { return localStorage.getItem(key); } catch { return null; }
}

let lang = read('outpace.lang') || (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en');
if (!(lang in STRINGS)) lang = 'en';

export const language = () => lang;
export const t = (key, ...args) => {
  const text = STRINGS[lang][key] ?? key;
  return typeof text === 'function' ? text(...args) : text;
};
export const fieldName = (name) => STRINGS[lang].fields[name] ?? name.replaceAll('_', ' ');
export const limitName = (name) => STRINGS[lang].limits[name] ?? name;
export const number = (n) => new Intl.NumberFormat(lang === 'zh' ? 'zh-CN' : 'en-US').format(n);
export const percent = (ratio, digits = 1) => `${(100 * ratio).toFixed(digits)} %`;

// Fills every element that names its text in data-t, and the toggle button.
export function translate() {
  document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en';
  for (const node of document.querySelectorAll('[data-t]')) node.textContent = t(node.dataset.t);
  const toggle = document.getElementById('lang');
  toggle.textContent = t('lang_other');
  toggle.setAttribute('aria-label', t('lang_label'));
}

export function onLanguageToggle(redraw) {
  document.getElementById('lang').addEventListener('click', () => {
    lang = lang === 'zh' ? 'en' : 'zh';
    try { localStorage.setItem('outpace.lang', lang); } catch { /* private window: kept for this page */ }
    translate();
    redraw();
  });
}

// <tag class="...">text or children</tag>
export function el(tag, className = '', ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);  // strings become text nodes
  return node;
}

// Writes only what has changed, so that a board of 200 rows costs little each second.
export function setText(node, text) {
  const value = String(text);
  if (node.textContent !== value) node.textContent = value;
}

const two = (n) => String(n).padStart(2, '0');
// "03:07", from one hour on "1:02:03".
export function clock(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const h = Math.floor(s / 3600);
  const mmss = `${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return h > 0 ? `${h}:${mmss}` : mmss;
}

// A WebSocket that comes back: 0.5 s, then up to 5 s between tries. `silence_ms` > 0 takes a socket
// on which nothing arrives for that long for dead.
export function keepConnected(url, { onOpen, onMessage, onLost, silenceMs = 0 }) {
  let socket = null;
  let delay = 500;
  let timer = 0;
  let watchdog = 0;
  let stopped = false;
  const guard = (current) => {
    if (!silenceMs) return;
    clearTimeout(watchdog);
    watchdog = setTimeout(() => lose(current), silenceMs);
  };
  const lose = (current) => {
    if (current !== socket || stopped) return;
    socket = null;
    clearTimeout(watchdog);
    current.close();
    onLost?.();
    timer = setTimeout(open, delay * (0.75 + Math.random() / 2));
    delay = Math.min(5000, delay * 1.6);
  };
  const open = () => {
    const current = new WebSocket(url());
    socket = current;
    guard(current);
    current.addEventListener('open', () => { if (current === socket) onOpen?.(); });
    current.addEventListener('message', (event) => {
      if (current !== socket) return;
      delay = 500;
      guard(current);
      let message = null;
      try { message = JSON.parse(event.data); } catch { return; }
      onMessage(message);
    });
    current.addEventListener('close', () => lose(current));
  };
  open();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
      clearTimeout(watchdog);
      socket?.close();
      socket = null;
    },
  };
}

export function socketUrl(path, query) {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const search = new URLSearchParams(query).toString();
  return `${scheme}//${location.host}${path}${search ? `?${search}` : ''}`;
}
