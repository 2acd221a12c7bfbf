// SPDX-License-Identifier: LGPL-2.1-or-later
// All that is known of one process.

const ACCESS = ['reads', 'writes', 'reads and writes', '–']; // by O_ACCMODE

// argv is a JSON array; a made-up one may be anything.
function argumentsOf(p) {
	try {
		const list = JSON.parse(p.argv);
		return Array.isArray(list) && list.every((a) => typeof a === 'string') ? list : null;
	} catch {
		return null;
	}
}

// "exit_state=0x20 state=0x80": each by itself.
const evidenceOf = (text) => el('ul.evidence', null, (text || '').split(' ').filter(Boolean)
	.map((e) => el('li', null, data(e, 'code'))));

function findingCard(f, withProcess) {
	const missing = (f.missing || '').split(', ').filter(Boolean);
	return el('article.finding.scope-' + (f.scope || '').replace(/[^a-z-]/g, ''), null,
		el('h3', null,
			withProcess && f.process ? processLink(f.process) : withProcess && f.pid !== null ? `pid ${f.pid}` : null,
			f.tid !== null && f.tid !== f.pid ? el('span.note', null, `thread ${f.tid}`) : null,
			el('span.class', null, data(f.class), f.phase ? [' ', el('span.phase', null, f.phase)] : null)),
		el('p.eyebrow', null, 'Evidence'), evidenceOf(f.evidence),
		missing.length ? [el('p.eyebrow', null, 'Not known for it'),
			el('ul.missing', null, missing.map((m) => el('li', null, data(m))))] : null);
}

function identity(p) {
	const ids = (a, b, c) => [...new Set([a, b, c])].filter((v) => v !== null).map((v) => userOf(v)).join(' / ');
	const list = argumentsOf(p);
	return pairs([
		['Executable', p.path ? [data(p.path), p.exe_deleted === 1 ? [' ', badge('warn', 'unlinked')] : null] : p.path],
		['Command line', list ? el('ol.argv', null, list.map((a) => el('li', null, data(a, 'code')))) : p.cmdline],
		['Directory', p.cwd],
		['Root', p.root === '/' ? null : p.root],
		['User', [data(ids(p.uid, p.euid, p.suid)), el('span.note', null, 'real / effective / saved, where they differ')]],
		['Group', [p.gid, p.egid, p.sgid].filter((v, i, a) => v !== null && a.indexOf(v) === i).join(' / ')],
		['Login user', p.login_uid === 4294967295 ? null : p.login_uid],
		['Capabilities', p.cap_effective && /[^0]/.test(p.cap_effective) ? el('code', null, p.cap_effective) : null],
		['Parent', p.up ? processLink(p.up) : p.parent],
		['Group, session', `${p.pgroup ?? '–'}, ${p.session ?? '–'}`],
		['Terminal', p.tty],
		['Control group', p.cgroup_path],
	]);
}

function figures(p) {
	return pairs([
		['Started', p.start_ns === null ? null : instant(p.start_ns) + ' UTC'],
		['State', p.state],
		['CPU time', p.user_time === null ? null : `${count(p.user_time)} ms user, ${count(p.system_time)} ms system`],
		['Resident', p.resident_size === null ? null : bytes(p.resident_size)],
		['Virtual', p.total_size === null ? null : bytes(p.total_size)],
		['Storage', p.disk_bytes_read === null ? null : `${bytes(p.disk_bytes_read)} read, ${bytes(p.disk_bytes_written)} written`],
		['Nice', p.nice === 0 ? null : p.nice],
		['Exit code', p.exit_code],
		['Found by', p.found_by],
		['task_struct', p.task_addr ? data(p.task_addr, 'code') : null],
		['mm_struct', p.mm_addr ? data(p.mm_addr, 'code') : null],
		['Flags', p.flags === null ? null : el('code', null, '0x' + p.flags.toString(16))],
	]);
}

function summaryPanel(p) {
	const found = findingsOf.get(p);
	const spaces = rowsFor('process_namespaces', p)[0];
	const usual = roots[0] && rowsFor('process_namespaces', byPid.get(1) || roots[0])[0];
	const other = spaces ? Object.entries(spaces).filter(([k, v]) => v !== null && usual && usual[k] !== v) : [];
	return [
		p.lifecycle_evidence && !found.length ? [el('p.eyebrow', null, 'Life cycle'), evidenceOf(p.lifecycle_evidence)] : null,
		found.map((f) => findingCard(f, false)),
		identity(p), figures(p),
		other.length ? [el('p.eyebrow', null, 'Namespaces of its own'), pairs(other.map(([k, v]) =>
			[k.replace('_namespace', ''), v]))] : null,
	];
}

const filesPanel = (p) => grid([
	['FD', (f) => f.fd, 'num'],
	['Type', (f) => f.type],
	['Path', (f) => [data(f.path), f.deleted === 1 ? [' ', badge('warn', 'unlinked')] : null]],
	['Mode', (f) => f.flags === null ? null : ACCESS[f.flags & 3]],
	['Position', (f) => f.position === null ? null : count(f.position), 'num'],
	['Size', (f) => f.size === null ? null : bytes(f.size), 'num'],
], rowsFor('process_open_files', p), 'Open files');

const socketsPanel = (p) => grid([
	['FD', (s) => s.fd, 'num'],
	['Protocol', (s) => protocolOf(s)],
	['State', (s) => s.state ? el('span.state', null, s.state) : null],
	['Local', (s) => isInternet(s) ? endpoint(s.local_address, s.local_port) : s.path],
	['Remote', (s) => hasPeer(s) ? endpoint(s.remote_address, s.remote_port) : null],
	['In', (s) => s.rx_queue, 'num'], ['Out', (s) => s.tx_queue, 'num'],
], rowsFor('process_open_sockets', p), 'Sockets');

const environmentPanel = (p) => grid([
	['Variable', (v) => data(v.key, 'code')], ['Value', (v) => data(v.value, 'code')],
], rowsFor('process_envs', p), 'Environment');

const threadsPanel = (p) => grid([
	['', (t) => lifeMark(LIVES.has(t.lifecycle) ? t.lifecycle : 'unknown')],
	['TID', (t) => t.tid, 'num'], ['Name', (t) => t.name], ['State', (t) => t.state],
	['CPU', (t) => t.cpu, 'num'],
	['CPU time', (t) => t.user_time === null ? null : `${count(t.user_time + t.system_time)} ms`, 'num'],
	['Started', (t) => instant(t.start_ns)], ['Phase', (t) => t.phase || ''],
], rowsFor('threads', p), 'Threads');

const DETAILS = [
	['Summary', null, summaryPanel],
	['Files', 'process_open_files', filesPanel],
	['Sockets', 'process_open_sockets', socketsPanel],
	['Memory', 'process_memory_map', memoryPanel],
	['Environment', 'process_envs', environmentPanel],
	['Threads', 'threads', threadsPanel],
];
let detailTab = 0;

// Arrow keys go through the tabs, as they do in tab lists everywhere.
function tabList(host, p) {
	const panelOf = (i) => el('div.tabpanel', {role: 'tabpanel', id: 'tabpanel', 'aria-labelledby': 'tab' + i, tabindex: '0'},
		DETAILS[i][2](p));
	const tabs = DETAILS.map(([title, name], i) => el('button', {type: 'button', role: 'tab', id: 'tab' + i,
		'aria-controls': 'tabpanel', 'aria-selected': String(i === detailTab), tabindex: i === detailTab ? '0' : '-1',
		onclick: () => choose(i, false)}, title, name ? el('small', null, count(idsOf(name, p).length)) : null));
	const choose = (i, focus) => {
		detailTab = (i + DETAILS.length) % DETAILS.length;
		tabs.forEach((t, k) => {
			t.setAttribute('aria-selected', String(k === detailTab));
			t.tabIndex = k === detailTab ? 0 : -1;
		});
		host.querySelector('.tabpanel').replaceWith(panelOf(detailTab));
		tabs[detailTab].scrollIntoView({block: 'nearest', inline: 'nearest'});
		if (focus)
			tabs[detailTab].focus();
	};
	const list = el('div.tabs', {role: 'tablist', 'aria-label': 'Of this process', onkeydown: (e) => {
		const step = {ArrowRight: 1, ArrowLeft: -1}[e.key];
		if (step) {
			e.preventDefault();
			choose(detailTab + step, true);
		}
	}}, tabs);
	host.append(list, panelOf(detailTab));
}

function renderDetail(host, p, close) {
	host.replaceChildren();
	if (!p) {
		host.appendChild(el('p.nothing', null, 'Choose a process: its files, sockets, memory and evidence are shown here.'));
		return;
	}
	host.appendChild(el('header', null,
		el('h2', null, lifeMark(p.life), ' ', data(p.name), el('span.pid', null, p.pid)),
		el('p', null, el('span.life-word', null, p.life + (p.phase ? ' · ' + p.phase : '')),
			p.is_kthread === 1 ? ' · kernel thread' : '', p.uid !== null ? [' · ', data(userOf(p.uid))] : null),
		el('button.close', {type: 'button', 'aria-label': 'Close', onclick: close}, '✕')));
	tabList(host, p);
	host.scrollTop = 0;
}
