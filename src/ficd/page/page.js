'use strict';
/*
 * The status page of ficd. It asks POST /rpc for status every few seconds while somebody looks, and for coverage, runs and dead letters
 * when something has changed. What comes from there is strangers' text: it becomes text nodes, attributes of known names and numbers,
 * never markup.
 */
const LOOK_MS = 5000, BUSY_MS = 1000, SLOW_MS = 30000, RUNS = 200, HISTORY = 120, DAY = 86400e3;
const SVG = document.querySelector('svg').namespaceURI;
const $ = id => document.getElementById(id);
const shown = {};            // the parts of each source, by name
const series = {};           // what sparklines are drawn from
let token = sessionStorage.getItem('fic-token');
let locked = false; // even looking needs the token
let timer, pause = 0, seen = '', details = null, asked = 0, looking = false, last = null;

/* ---- building ---- */

function fill(node, attributes, children) {
	for (const [key, value] of Object.entries(attributes || {}))
		if (value != null) node.setAttribute(key, value);
	node.append(...children.flat().filter(c => c != null));
	return node;
}
const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
const percent = share => (share * 100).toFixed(3) + '%';

/* ---- numbers and times for people ---- */

const whole = new Intl.NumberFormat();
const number = n => n == null ? '–' : whole.format(n);
const exact = ms => new Date(ms).toLocaleString(undefined, {dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23'});
const ms = text => text ? Date.parse(text) : null;

function bytes(n) {
	if (n == null) return '–';
	let unit = 0;
	for (; n >= 1000 && unit < 4; unit++) n /= 1024;
	return (unit && n < 100 ? n.toFixed(1) : Math.round(n)) + ' ' + ['B', 'KiB', 'MiB', 'GiB', 'TiB'][unit];
}

function duration(d) {
	if (d < 1000) return Math.round(d) + ' ms';
	if (d < 60e3) return (d / 1000).toFixed(d < 10e3 ? 1 : 0) + ' s';
	if (d < 3600e3) return Math.round(d / 60e3) + ' min';
	return d < 2 * DAY ? (d / 3600e3).toFixed(d < 36e6 ? 1 : 0) + ' h' : Math.round(d / DAY) + ' days';
}

function ago(at) {
	const d = Date.now() - at;
	if (Math.abs(d) < 2000) return 'now';
	const text = duration(Math.floor(Math.abs(d) / 1000) * 1000).replace('.0 ', ' ');
	return d > 0 ? text + ' ago' : 'in ' + text;
}

/* A moment, which goes on by itself: see tick. */
function time(at) {
	if (at == null) return 'never';
	return h('time', {datetime: new Date(at).toISOString(), title: exact(at)}, ago(at));
}

function tick() {
	for (const t of document.querySelectorAll('time')) {
		const text = ago(Date.parse(t.dateTime));
		if (t.textContent !== text) t.textContent = text;
	}
}

/* ---- small drawings ---- */

function spark(name, value) {
	const all = series[name] = (series[name] || []).concat(value).slice(-HISTORY);
	const top = Math.max(...all) * 1.15 || 1, n = Math.max(all.length - 1, 1);
	const points = all.map((v, i) => (i / n * 100).toFixed(2) + ',' + (24 - v / top * 24).toFixed(2));
	if (all.length < 2) return s('svg', {'aria-hidden': true});
	return s('svg', {viewBox: '0 0 100 24', preserveAspectRatio: 'none', 'aria-hidden': true},
		s('polygon', {class: 'under', points: '0,24 ' + points.join(' ') + ' 100,24'}),
		s('polyline', {class: 'spark', points: points.join(' ')}));
}

function meter(share) {
	return s('svg', {'aria-hidden': true},
		s('rect', {class: 'track', width: '100%', height: 8, rx: 4, y: 8}),
		s('rect', {class: share > .8 ? 'used high' : 'used', width: percent(Math.min(share, 1)), height: 8, rx: 4, y: 8}));
}

function tile(name, value, words, drawing, kind) {
	return h('div', {}, h('dt', {}, name), h('dd', {class: kind}, value), words == null ? null : h('dd', {class: 'quiet'}, words),
		drawing ? h('dd', {class: 'quiet'}, drawing) : null);
}

/* ---- coverage ---- */

/* Where the timeline of a source begins and ends: the longest history that is wanted. */
function bounds(rows) {
	const starts = rows.map(r => ms(r.wanted[0])).filter(Boolean);
	return [starts.length ? Math.min(...starts) : Date.now() - 30 * DAY, Date.now()];
}

/* Beginnings of days, months or years, no more than fit. */
function ticks([from, to], fit) {
	const found = [], days = (to - from) / DAY, step = [1, 2, 7, 14].find(d => days / d <= fit), at = new Date(from);
	const months = [1, 2, 3, 6, 12, 24, 60].find(m => days / m / 30.4 <= fit) || 120;
	let n = step ? Math.ceil(from / DAY / step) * step : Math.ceil((at.getUTCFullYear() * 12 + at.getUTCMonth() + 1) / months) * months;
	for (let t; (t = step ? n * DAY : Date.UTC(Math.floor(n / 12), n % 12)) < to; n += step || months) found.push(t);
	return found;
}

function tickText(t, [from, to]) {
	const year = new Date(t).getUTCMonth() === 0 && new Date(t).getUTCDate() === 1;
	const form = year ? {year: 'numeric'} : to - from > 120 * DAY ? {month: 'short'} : {month: 'short', day: 'numeric'};
	return new Date(t).toLocaleDateString(undefined, {...form, timeZone: 'UTC'});
}

function span(from, to) {
	return (from == null ? 'ever' : exact(from)) + ' to ' + (to == null ? 'now' : exact(to));
}

function bar(kind, from, to, [low, high], title, whole) {
	const a = Math.max((from ?? low) - low, 0) / (high - low), b = Math.min((to ?? high) - low, high - low) / (high - low);
	if (b <= 0 || a >= 1) return null;
	return s('rect', {class: kind, x: percent(a), width: percent(Math.max(b - a, .002)), y: whole ? 7 : 2, height: whole ? 6 : 16, rx: 2},
		s('title', {}, title));
}

function gapText(from, to) {
	const day = t => new Date(t).toLocaleDateString(undefined, {dateStyle: 'medium'});
	return from == null ? 'as a whole' : `${day(from)} to ${to == null ? 'now' : day(to)} (${duration((to ?? Date.now()) - from)})`;
}

function ageOf(asOf) {
	const age = Date.now() - asOf;
	return 'age' + [3600e3, DAY, 7 * DAY, Infinity].findIndex(limit => age < limit);
}

function timeline(row, range, marks) {
	const whole = row.wanted[0] == null;
	const words = row.gaps.length ? row.gaps.length + (row.gaps.length > 1 ? ' gaps' : ' gap') : 'no gaps';
	const grid = t => percent((t - range[0]) / (range[1] - range[0]));
	return s('svg', {height: 20, role: 'img', 'aria-label': Math.floor(row.ratio * 1000) / 10 + ' % held, ' + words},
		marks.map(t => s('line', {class: 'grid', x1: grid(t), x2: grid(t), y1: -4, y2: 24})),
		row.intervals.map(i => bar(ageOf(ms(i.as_of)), ms(i.start), ms(i.end), range,
			(whole ? 'held as a whole' : 'held: ' + span(ms(i.start), ms(i.end))) + '\nas of ' + exact(ms(i.as_of)), whole)),
		row.gaps.map(g => bar('gap', ms(g[0]), ms(g[1]), range, 'missing: ' + span(ms(g[0]), ms(g[1])), whole)));
}

function axis(range, marks, width) {
	const node = s('svg', {height: 16, 'aria-hidden': true});
	for (const t of marks) {
		const at = (t - range[0]) / (range[1] - range[0]);
		if (at < 1 - 48 / width) node.append(s('text', {class: 'axis', x: percent(at), y: 12, 'text-anchor': at < .03 ? 'start' : 'middle'}, tickText(t, range)));
	}
	node.append(s('text', {class: 'axis', x: '100%', y: 12, 'text-anchor': 'end'}, 'now'));
	return node;
}

const cell = (kind, ...children) => h('td', {role: 'cell', class: kind}, ...children);
const SIGNS = {fresh: '●', partial: '◐', stale: '○'};

function state(r) {
	if (!r.syncing) return h('span', {class: r.state}, h('b', {'aria-hidden': true}, SIGNS[r.state] || '?'), r.state);
	const done = r.progress && r.progress.ratio != null ? ' ' + Math.floor(r.progress.ratio * 100) + ' %' : '';
	return h('span', {class: 'fresh'}, h('b', {class: 'busy', 'aria-hidden': true}, '↻'), 'syncing' + done);
}

function coverage(source, part) {
	const rows = (details.coverage || []).filter(r => r.source === source.name), range = bounds(rows);
	const width = part.axis.clientWidth || 400, marks = ticks(range, Math.max(2, Math.floor(width / 60)));
	part.axis.replaceChildren(h('span', {class: 'unseen'}, 'Held, over time of creation'), axis(range, marks, width));
	part.rows.replaceChildren(...source.resources.map(r => {
		const row = rows.find(c => c.resource === r.name);
		return h('tr', {role: 'row'}, h('th', {scope: 'row', role: 'rowheader', class: 'name'}, r.name.replaceAll('_', ' ')),
			cell('span', row ? timeline(row, range, marks) : '…'), cell('number ratio', Math.floor(r.coverage_ratio * 1000) / 10 + ' %'),
			cell('number count', number(r.records)), cell('when', time(ms(r.as_of))), cell('state', state(r)));
	}));
	const missing = rows.flatMap(r => r.gaps.map(g => r.resource.replaceAll('_', ' ') + ' ' + gapText(ms(g[0]), ms(g[1]))));
	part.missing.textContent = missing.length ? 'Missing: ' + missing.slice(0, 8).join('; ') + (missing.length > 8 ? '; and ' + (missing.length - 8) + ' more' : '') + '.' : '';
}

/* ---- runs ---- */

function plot(runs, part) {
	const H = 160, took = runs.map(r => Math.max(r.duration_ms, 1));
	const low = Math.log10(Math.min(...took, 10)), high = Math.log10(Math.max(...took, 1000)) + .1;
	const from = Math.min(...runs.map(r => ms(r.started))), to = Math.max(Date.now(), from + 60e3);
	const y = d => H - (Math.log10(Math.max(d, 1)) - low) / (high - low) * (H - 14);
	const x = t => percent((t - from) / (to - from)), fit = part.body.clientWidth < 600 ? 2 : 4;
	const node = s('svg', {class: 'plot', role: 'img', 'aria-label': words(runs)});
	for (const d of [10, 100, 1000, 10e3, 60e3, 600e3, 3600e3, 36e6])
		if (Math.log10(d) >= low && Math.log10(d) <= high)
			node.append(s('line', {class: 'grid', x1: 0, x2: '100%', y1: y(d), y2: y(d)}), s('text', {class: 'axis', x: -8, y: y(d) + 4, 'text-anchor': 'end'}, duration(d).replace('.0', '')));
	const clock = {hourCycle: 'h23', hour: '2-digit', minute: '2-digit', second: to - from < 600e3 ? '2-digit' : undefined, weekday: to - from > DAY ? 'short' : undefined};
	for (let i = 0; i <= fit; i++) {
		const t = from + (to - from) * i / fit;
		node.append(s('text', {class: 'axis', x: x(t), y: H + 20, 'text-anchor': i === fit ? 'end' : i ? 'middle' : 'start'}, i === fit ? 'now' : new Date(t).toLocaleTimeString(undefined, clock)));
	}
	for (const r of runs) {
		const at = x(ms(r.started)), top = y(r.duration_ms), kind = r.outcome;
		const mark = kind === 'failed' ? s('path', {class: kind, d: 'M-4-4L4 4M-4 4L4-4'}) : s('circle', {class: kind, r: 4.5});
		node.append(s('line', {class: kind === 'failed' ? 'stem failed' : 'stem', x1: at, x2: at, y1: H, y2: top}),
			s('svg', {x: at, y: top, overflow: 'visible'}, mark, s('title', {}, `${r.resource}: ${r.kind} ${r.outcome}\n${exact(ms(r.started))}, ${duration(r.duration_ms)}${r.error ? '\n' + r.error : ''}`)));
	}
	return node;
}

function words(runs) {
	const failed = runs.filter(r => r.outcome === 'failed').length, took = runs.map(r => r.duration_ms).sort((a, b) => a - b);
	return `${runs.length} runs, ${failed || 'none'} failed; half of them took less than ${duration(took[took.length >> 1])}, the longest ${duration(took[took.length - 1])}`;
}

function runsOf(source, part) {
	const runs = details.runs[source.name] || [];
	part.runs.hidden = !runs.length;
	if (!runs.length) return;
	part.plot.replaceChildren(plot(runs, part));
	part.runWords.textContent = words(runs) + '.';
	part.runRows.replaceChildren(...runs.slice(0, 20).map(r => h('tr', {role: 'row'}, cell('when', time(ms(r.started))), cell(null, r.resource), cell(null, r.kind),
		cell('number', duration(r.duration_ms)), cell('number', number(r.calls)), cell('number', `+${number(r.created)} ~${number(r.updated)} −${number(r.deleted)}`),
		cell(r.outcome === 'failed' ? 'bad-text' : null, r.outcome + (r.error ? ': ' + r.error : '')))));
}

/* ---- what is wrong ---- */

function errorsOf(source, part) {
	const errors = source.resources.filter(r => r.last_error || r.note), letters = details.letters[source.name] || [];
	part.wrong.hidden = !errors.length && !letters.length;
	part.errors.replaceChildren(...errors.map(r => h('li', {}, h('strong', {}, r.name), ' ', r.last_error || r.note)));
	part.dead.hidden = !letters.length;
	part.letters.replaceChildren(...letters.map(l => h('tr', {role: 'row'}, cell(null, l.id), cell(null, l.reason), cell('number', number(l.attempts)),
		cell('when', time(ms(l.last))), cell('when', l.next ? time(ms(l.next)) : '–'))));
}

/* ---- a source ---- */

/* Roles are said, too: on a phone the rows are laid out as no table is. */
function table(part, name, caption, kind, heads) {
	part[name] = h('tbody', {role: 'rowgroup'});
	return h('table', {role: 'table', class: kind}, h('caption', {class: 'unseen'}, caption), h('thead', {role: 'rowgroup'},
		h('tr', {role: 'row'}, heads.map(([text, what]) => h('th', {scope: 'col', role: 'columnheader', class: what}, text)))), part[name]);
}

/* Built once, so that focus, open details and the place on the page stay when the numbers change. */
function build(source) {
	const part = shown[source.name] = {}, id = 'source-' + source.name;
	part.button = h('button', {type: 'button'}, 'Sync now');
	part.button.addEventListener('click', () => sync(source.name));
	part.body = h('section', {'aria-labelledby': id},
		h('div', {class: 'head'}, h('div', {class: 'names'}, h('h2', {id}, source.name), part.who = h('p', {class: 'quiet'})), part.button),
		part.words = h('p', {class: 'words'}), part.tiles = h('dl', {class: 'tiles'}),
		h('div', {class: 'part'}, h('h3', {}, 'Coverage'),
			table(part, 'rows', 'What is held of each resource of ' + source.name, 'coverage', [['Resource', 'name'], ['', 'span'], ['Covered', 'number ratio'],
				['Records', 'number count'], ['As of', 'when'], ['State', 'state']]), legend(), part.missing = h('p', {class: 'quiet'})),
		part.runs = h('div', {class: 'part'}, h('h3', {}, 'Last syncs'), part.plot = h('div'), part.runWords = h('p', {class: 'quiet'}),
			h('details', {}, h('summary', {}, 'The last 20 as a table'), h('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Last runs of ' + source.name},
				table(part, 'runRows', 'Last runs', null, [['Began'], ['Resource'], ['Kind'], ['Took', 'number'], ['Calls', 'number'], ['Changed', 'number'], ['Outcome']])))),
		part.wrong = h('div', {class: 'part'}, h('h3', {}, 'Errors'), part.errors = h('ul', {class: 'errors'}),
			part.dead = h('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Dead letters of ' + source.name},
				table(part, 'letters', 'Dead letters', null, [['Dead letter'], ['Why'], ['Tries', 'number'], ['Last'], ['Next']]))));
	part.axis = part.body.querySelector('.span');
	$('sources').append(part.body);
	return part;
}

function legend() {
	const item = (kind, text) => h('li', {}, s('svg', {'aria-hidden': true}, s('rect', {class: kind, x: .5, y: .5, width: 13, height: 11, rx: 2})), text);
	return h('ul', {class: 'legend', 'aria-label': 'Colours of the timelines'}, item('age0', 'as of the last hour'), item('age1', 'last day'),
		item('age2', 'last week'), item('age3', 'older'), item('gap', 'missing'), h('li', {}, 'thin: a list, held as a whole'));
}

function sourceTiles(source) {
	const b = source.budget, next = Math.min(...source.resources.map(r => ms(r.next_run) || Infinity));
	const used = b && b.limit_per_minute ? b.used_last_minute / b.limit_per_minute : 0;
	return [tile('Records', number(source.resources.reduce((sum, r) => sum + r.records, 0)), 'of ' + source.resources.length + ' resources'),
		tile('Quota used', b ? Math.ceil(used * 100) + ' %' : '–', b ? `of ${number(b.limit_per_minute)} calls a minute, ${number(b.remaining)} left of this window` : 'not known yet', b ? meter(used) : null),
		tile('Calls in the last minute', number(b ? b.used_last_minute : 0), number(source.calls) + ' since the start', spark('calls ' + source.name, b ? b.used_last_minute : 0)),
		tile('Next run', next === Infinity ? '–' : next > Date.now() ? time(next) : 'due now', 'provider ' + ({closed: 'answers', open: 'is left alone', 'half-open': 'is being tried'}[source.breaker.state] || source.breaker.state), null, source.breaker.state === 'closed' ? null : 'bad-text'),
		tile('Dead letters', number(source.dead_letters), source.dead_letters ? 'cannot be read: see below' : 'everything can be read', null, source.dead_letters ? 'warn-text' : null)];
}

function showSource(source) {
	const part = shown[source.name] || build(source), busy = source.state === 'syncing', w = source.workspace;
	part.who.textContent = source.provider + (w ? ' · ' + [w.name, w.region, w.timezone].filter(Boolean).join(' · ') : '');
	part.words.textContent = source.error || '';
	part.words.hidden = !source.error;
	part.button.textContent = busy ? 'Syncing…' : 'Sync now';
	part.button.setAttribute('aria-disabled', busy);
	part.tiles.replaceChildren(...sourceTiles(source));
	errorsOf(source, part);
	draw(source);
}

/* What depends on how wide the page is. */
function draw(source) {
	coverage(source, shown[source.name]);
	runsOf(source, shown[source.name]);
}

/* ---- all of it ---- */

function verdict(status) {
	const all = status.sources.flatMap(x => x.resources), count = {};
	for (const r of all) count[r.state] = (count[r.state] || 0) + 1;
	const broken = status.sources.find(x => x.error);
	if (broken) return broken.name + ' is in trouble';
	if (!all.length) return 'nothing is configured';
	const failing = all.filter(r => r.last_error).length;
	if (count.fresh === all.length) return 'everything is fresh' + (failing ? `, though ${failing} cannot be read now` : '');
	return ['fresh', 'partial', 'stale'].filter(x => count[x]).map(x => count[x] + ' ' + x).join(', ') + ' of ' + all.length;
}

function show(status) {
	const text = verdict(status), d = $('daemon');
	$('verdict').textContent = text;
	document.title = text + ' – fic';
	status.sources.forEach(showSource);
	d.hidden = false;
	d.querySelector('dl').replaceChildren(
		tile('Store', bytes(status.store.bytes), `${number(status.store.segments)} files, ${bytes(status.store.free_bytes)} free`, spark('store', status.store.bytes)),
		tile('Loop lag', duration(status.loop.held_last_us / 1000), 'the longest turn of the last minute', spark('lag', status.loop.held_last_us)),
		tile('Memory', bytes(status.memory.rss_bytes), 'caches and buffers up to ' + bytes(status.memory.limit_bytes), spark('memory', status.memory.rss_bytes)),
		tile('Running', duration(Date.now() - ms(status.started)), `${number(status.connections)} on the socket, process ${status.pid}`),
		tile('Damaged files', number(status.store.quarantined), status.store.quarantined ? 'set aside, read again' : 'none was met', null, status.store.quarantined ? 'bad-text' : null));
	$('version').textContent = 'ficd ' + status.version;
}

function notice(text, bad) {
	if ($('notice').textContent !== text) $('notice').textContent = text;
	$('notice').classList.toggle('bad', !!bad);
}

/* ---- asking ---- */

async function rpc(method, params, writes) {
	const headers = {'Content-Type': 'application/json'};
	const shows = token && (writes || locked);
	if (shows) headers.Authorization = 'Bearer ' + token;
	const answer = await fetch('/rpc', {method: 'POST', headers, body: JSON.stringify({jsonrpc: '2.0', id: 1, method, params}), signal: AbortSignal.timeout(20000)});
	if (answer.status === 401) throw Object.assign(new Error(shows ? 'ficd refused the token' : 'ficd wants the token'), {refused: true});
	const message = await answer.json();
	if (message.error) throw Object.assign(new Error(message.error.message), {refused: message.error.code === 5});
	return message.result;
}

/* Coverage, runs and letters cost more than status: they are asked for when it says that something happened, and once a minute. */
async function detail(status) {
	const now = JSON.stringify([status.store.revision, status.sources.map(x => [x.dead_letters, x.resources.map(r => [r.last_sync, r.last_error, r.syncing])])]);
	if (details && now === seen && Date.now() - asked < 60e3) return;
	const found = {runs: {}, letters: {}};
	found.coverage = (await rpc('coverage', {})).resources;
	for (const {name, dead_letters} of status.sources) {
		found.runs[name] = (await rpc('runs', {source: name, limit: RUNS})).runs;
		found.letters[name] = dead_letters ? (await rpc('dead', {source: name, limit: 20})).letters : [];
	}
	[details, seen, asked] = [found, now, Date.now()];
}

function plan(delay) {
	clearTimeout(timer);
	if (!document.hidden) timer = setTimeout(look, delay);
}

async function look() {
	if (looking) return;
	looking = true;
	try {
		const status = await rpc('status', {});
		await detail(status);
		if (pause) notice('');
		[pause, last] = [0, status];
		document.body.classList.remove('down');
		show(status);
		$('live').replaceChildren('live, looked ', time(Date.now()));
		plan(status.sources.some(x => x.state === 'syncing') ? BUSY_MS : LOOK_MS);
	} catch (error) {
		failed(error);
	}
	looking = false;
}

function failed(error) {
	document.body.classList.add('down');
	if (error.refused) {
		if (token && !locked) {
			locked = true;
			plan(0);
			return;
		}
		locked = true;
		want('Looking at this page needs a token. ' + error.message + '.', () => look());
		return;
	}
	pause = Math.min(pause * 2 || 1000, SLOW_MS);
	notice('ficd does not answer' + (last ? '; what is shown is how it was at ' + new Date(ms(last.now)).toLocaleTimeString() : '') + '. It is tried again by itself.', true);
	$('live').textContent = 'not connected';
	plan(pause);
}

/* ---- writing ---- */

let then = null;

/* Asks for the token; `next` follows when there is one. */
function want(why, next) {
	then = next;
	token = null;
	sessionStorage.removeItem('fic-token');
	$('ask-why').textContent = why;
	$('ask-token').value = '';
	if (!$('ask').open) $('ask').showModal();
}

async function sync(name) {
	if (shown[name].button.getAttribute('aria-disabled') === 'true') return;
	try {
		const {runs} = await rpc('sync', {source: name}, true);
		notice(`A sync of ${name} has begun: ${runs.length} ${runs.length === 1 ? 'run' : 'runs'}.`);
		setTimeout(() => notice(''), 8000);
		plan(100);
	} catch (error) {
		if (error.refused) {
			if (token) notice(`The sync of ${name} was refused: ${error.message}.`, true);
			want(token ? 'This token was refused: it is not that of http_token in ficd.conf.' : 'Who starts a sync must show the token of http_token in ficd.conf.', () => sync(name));
		} else {
			notice(`No sync of ${name} was started: ${error.message}.`, true);
		}
	}
}

$('ask').querySelector('form').addEventListener('submit', event => {
	event.preventDefault();
	token = $('ask-token').value.trim();
	sessionStorage.setItem('fic-token', token);
	$('ask').close();
	notice('');
	if (then) then();
});
$('ask-no').addEventListener('click', () => $('ask').close());
document.addEventListener('visibilitychange', () => document.hidden ? clearTimeout(timer) : plan(0));
addEventListener('resize', () => last && last.sources.forEach(draw));
setInterval(() => document.hidden || tick(), 1000);
look();
