// SPDX-License-Identifier: LGPL-2.1-or-later
// What happened when: boot, starts of processes, the kernel's log, the snapshot.

const BINS = 120, EVENTS_AT_ONCE = 300;
const time = {host: null, events: null, bin: null, kind: 'all'};
const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug'];
const nsOf = (v) => v === null || v === undefined ? null : Number(BigInt(v) / 1000n) / 1000; // to ms

// A record of the kernel's log: its clock runs since boot, but not while the machine is suspended.
const logEvent = (boot) => (r) => ({at: boot === null || r.timestamp_ns === null ? null : boot + nsOf(r.timestamp_ns),
	kind: 'log', level: r.priority === null ? null : LEVELS[r.priority & 7], text: r.message ?? ''});

function events() {
	if (time.events)
		return time.events;
	const clock = table('time').row(0);
	const boot = nsOf(clock.boot_ns), now = nsOf(clock.unix_ns);
	const starts = processes.filter((p) => p.start_ns !== null).map((p) => ({at: nsOf(p.start_ns),
		kind: p.is_kthread === 1 ? 'kernel' : 'start', process: p, text: p.cmdline || p.path || ''}));
	// A log may have more records than a call may have arguments.
	const list = starts.concat(table('dmesg').all().map(logEvent(boot)).filter((e) => e.at !== null));
	if (boot !== null) // before what has the same time
		list.unshift({at: boot, kind: 'boot', text: 'the kernel was started'});
	if (now !== null)
		list.push({at: now, kind: 'now', text: 'the memory was saved: the guest’s clock'});
	time.from = boot ?? list.reduce((least, e) => Math.min(least, e.at), Infinity);
	list.sort((a, b) => a.at - b.at);
	time.to = list.length ? list[list.length - 1].at : time.from;
	time.events = list.filter((e) => Number.isFinite(e.at));
	return time.events;
}

const EVENT_KINDS = [['all', 'All', () => true], ['start', 'Programs', (e) => e.kind === 'start'],
	['kernel', 'Kernel threads', (e) => e.kind === 'kernel'], ['log', 'Kernel log', (e) => e.kind === 'log']];
const EVENT_NAMES = {start: 'start', kernel: 'thread', log: 'log', boot: 'boot', now: 'snapshot'};

const binOf = (e) => Math.max(0, Math.min(BINS - 1, Math.floor((e.at - time.from) / ((time.to - time.from) || 1) * BINS)));

// Columns whose height grows with the logarithm: boot starts a hundred at once, an intruder one.
function histogram(list) {
	const bins = Array.from({length: BINS}, () => ({start: 0, kernel: 0, log: 0, n: 0}));
	for (const e of list) {
		const b = bins[binOf(e)];
		b[e.kind in b ? e.kind : 'start']++;
		b.n++;
	}
	const most = Math.log2(1 + bins.reduce((m, b) => Math.max(m, b.n), 1));
	const width = (time.to - time.from) / BINS;
	return el('div.histogram', {role: 'group', 'aria-label': 'Events by time'}, bins.map((b, i) => {
		const column = el('button', {type: 'button', tabindex: b.n ? '0' : '-1', disabled: !b.n,
			'aria-pressed': String(time.bin === i), 'aria-label': `${plural(b.n, 'event')} at ${span(i * width)} after boot`,
			title: `${span(i * width)} – ${span((i + 1) * width)}: ${plural(b.n, 'event')}`, onclick: () => {
				time.bin = time.bin === i ? null : i;
				updateTimeline();
			}});
		for (const kind of ['log', 'kernel', 'start'])
			if (b[kind]) {
				const part = el('i.event-' + kind);
				part.style.height = Math.max(3, Math.log2(1 + b.n) / most * 100 * b[kind] / b.n) + '%';
				column.appendChild(part);
			}
		return column;
	}));
}

const axis = () => el('div.axis', {'aria-hidden': 'true'}, [0, 0.25, 0.5, 0.75, 1].map((f) =>
	el('span', null, '+' + span((time.to - time.from) * f).replace(/\.\d+$/, ''))));

const eventRow = (e) => el('li.event-row.event-' + e.kind, null,
	el('time', null, instant(String(Math.round(e.at * 1000)) + '000')),
	el('span.since', null, '+' + span(e.at - time.from)),
	el('span.kind', null, EVENT_NAMES[e.kind]),
	el('span.text', null, e.process ? [processLink(e.process), ' '] : null,
		e.level ? el('span.level.level-' + e.level.replace(/[^a-z]/g, ''), null, e.level) : null, ' ', data(e.text)));

function updateTimeline() {
	if (!events().length) {
		time.status.textContent = 'No times are known.';
		return;
	}
	const terms = words(state.query), kind = EVENT_KINDS.find(([id]) => id === time.kind)[2];
	const fits = (e) => !terms.length || holds([e.text, e.level, e.process && e.process.name, e.process && e.process.pid]
		.filter(Boolean).join(' ').toLowerCase(), terms);
	const list = events().filter((e) => (kind(e) || e.kind === 'boot' || e.kind === 'now') && fits(e));
	const seen = time.bin === null ? list : list.filter((e) => binOf(e) === time.bin);
	time.status.textContent = plural(seen.length, 'event') + (time.bin === null ? '' : ' in the chosen column');
	time.chart.replaceChildren(histogram(list), axis());
	let n = 0;
	const more = el('button.more', {type: 'button', onclick: () => add()});
	const add = () => {
		time.list.append(...seen.slice(n, n + EVENTS_AT_ONCE).map(eventRow));
		n = Math.min(seen.length, n + EVENTS_AT_ONCE);
		more.hidden = n === seen.length;
		more.textContent = `Show more of ${count(seen.length - n)}`;
	};
	time.list.replaceChildren();
	add();
	time.more.replaceChildren(more);
	time.choices.forEach((c) => c());
}

function renderTimeline(host) {
	time.status = el('p.count-line', {role: 'status'});
	time.chart = el('div.chart');
	time.list = el('ol.events');
	time.more = el('div');
	time.choices = [];
	const kinds = EVENT_KINDS.filter(([id]) => id !== 'log' || table('dmesg').n).map(([id, text]) => {
		const button = el('button.chip', {type: 'button', onclick: () => {
			time.kind = id;
			time.bin = null;
			updateTimeline();
		}}, text);
		time.choices.push(() => button.setAttribute('aria-pressed', String(time.kind === id)));
		return button;
	});
	host.append(el('div.tools', null, el('div.chips', {role: 'group', 'aria-label': 'Filter'}, kinds), time.status),
		time.chart, time.list, time.more);
	events();
	updateTimeline();
}
