// SPDX-License-Identifier: LGPL-2.1-or-later
// The page's data, unpacked when they are asked for: see src/report/data.h for the form.

const raw = JSON.parse(document.getElementById('data').textContent);

// rows.n, rows.get(i, column) and rows.row(i) of columns as src/report/columns.h has them.
function rowsOf(columns = {n: 0}) {
	const getters = new Map();
	for (const key of Object.keys(columns)) {
		const text = key.startsWith('$'), cells = columns[key];
		const at = Array.isArray(cells) ? (i) => cells[i] : () => cells;
		getters.set(text ? key.slice(1) : key, text
			? (i) => at(i) === null ? null : raw.strings[at(i)]
			: at);
	}
	const get = (i, name) => getters.has(name) ? getters.get(name)(i) : null;
	const row = (i) => {
		const r = {};
		for (const [name, getter] of getters)
			if (name !== 'n')
				r[name] = getter(i);
		return r;
	};
	const {n} = columns;
	return {n, get, row, all: () => Array.from({length: n}, (_, i) => row(i))};
}

const tables = new Map();

// A table; one that the database lacks is empty.
function table(name) {
	if (!tables.has(name))
		tables.set(name, rowsOf(raw.tables[name]));
	return tables.get(name);
}

// --- tables of processes ---

const ofProcess = new Map();

function distinct(name) {
	if (!ofProcess.has(name))
		ofProcess.set(name, rowsOf(raw.of[name].rows));
	return ofProcess.get(name);
}

const idsOf = (name, p) => raw.of[name].ids[p.index] || [];
const rowsFor = (name, p) => idsOf(name, p).map((id) => distinct(name).row(id));

// Which processes have a row whose values in these columns fit: every distinct row is looked at once.
function processesWith(name, columns, fits) {
	const rows = distinct(name);
	const good = Array.from({length: rows.n}, (_, i) => fits(...columns.map((c) => rows.get(i, c))));
	return (p) => idsOf(name, p).some((id) => good[id]);
}

// Mappings with their addresses put together again.
function mappingsFor(p) {
	const resident = raw.of.process_memory_map.resident;
	let at = 0n;
	return rowsFor('process_memory_map', p).map((m, i) => {
		const start = at + BigInt(m.gap) * 4096n;
		at = start + BigInt(m.pages) * 4096n;
		return {...m, start, end: at, pages: Number(m.pages),
			resident: resident ? resident[p.index][i] : null, kind: mappingKind(m)};
	});
}

function mappingKind(m) {
	const name = m.path || m.name || '';
	if (/^\[(heap|stack|vdso|vvar|vsyscall|uprobes)/.test(name))
		return name.startsWith('[heap') ? 'heap' : name.startsWith('[stack') ? 'stack' : 'kernel';
	if (!name || name.startsWith('[anon'))
		return 'anonymous';
	if ((m.permissions || '').endsWith('s'))
		return 'shared';
	return /\.so(\.|$| )/.test(name) ? 'library' : 'file';
}

// --- processes, and who is whose child ---

const processes = table('processes').all();
const byPid = new Map();
const byTask = new Map();

processes.forEach((p, index) => {
	p.index = index;
	p.children = [];
	p.life = LIVES.has(p.lifecycle) ? p.lifecycle : 'unknown';
	if (p.pid !== null && !byPid.has(p.pid))
		byPid.set(p.pid, p);
	if (p.task_addr !== null)
		byTask.set(p.task_addr, p);
});

// Parents that go round in circles, which a made-up database can have, end at the first of them.
function plant() {
	const roots = [], placed = new Set();
	for (const p of processes) {
		const parent = byPid.get(p.parent);
		if (parent && parent !== p)
			parent.children.push(p);
		else
			roots.push(p);
	}
	const place = (root, depth) => {
		const todo = [[root, depth]];
		while (todo.length) {
			const [p, d] = todo.pop();
			placed.add(p);
			p.depth = d;
			p.children = p.children.filter((c) => !placed.has(c));
			p.children.forEach((c) => {
				placed.add(c);
				c.up = p;
				todo.push([c, d + 1]);
			});
		}
	};
	roots.forEach((p) => place(p, 0));
	for (const p of processes)
		if (!placed.has(p)) {
			roots.push(p);
			place(p, 0);
		}
	return roots;
}
const roots = plant();

// What is known of a task beyond its row: findings by the task or, of threads, by the process.
const findings = table('inconsistencies').all();
const findingsOf = new Map(processes.map((p) => [p, []]));
for (const f of findings) {
	f.process = byTask.get(f.task_addr) || byPid.get(f.pid) || null;
	if (f.process)
		findingsOf.get(f.process).push(f);
}

// --- sockets ---

const FAMILIES = new Map([[1, 'unix'], [2, 'IPv4'], [10, 'IPv6'], [16, 'netlink'], [17, 'packet']]);
const PROTOCOLS = new Map([[1, 'ICMP'], [6, 'TCP'], [17, 'UDP'], [33, 'DCCP'], [58, 'ICMPv6'],
	[132, 'SCTP']]);
const isInternet = (s) => s.family === 2 || s.family === 10;
const protocolOf = (s) => isInternet(s)
	? (PROTOCOLS.get(s.protocol) || 'protocol ' + s.protocol) + (s.family === 10 ? '6' : '')
	: FAMILIES.get(s.family) || 'family ' + s.family;
const endpoint = (address, port) => address === null || address === undefined ? null
	: (address.includes(':') ? '[' + address + ']' : address) + ':' + (port === 0 ? '*' : port);
const hasPeer = (s) => isInternet(s) && Number(s.remote_port) > 0;
const isLoopback = (a) => a === '::1' || /^127\./.test(a || '') || /^::ffff:127\./.test(a || '');

// Every socket once, with the processes that have it open.
let socketList = null;
function sockets() {
	if (socketList)
		return socketList;
	const known = new Map();
	socketList = table('sockets').all().map((s) => ({...s, owners: new Map()}));
	socketList.forEach((s) => known.set(s.socket_addr, s));
	for (const p of processes)
		for (const o of rowsFor('process_open_sockets', p)) {
			if (!known.has(o.socket_addr)) {
				known.set(o.socket_addr, {...o, owners: new Map()});
				socketList.push(known.get(o.socket_addr));
			}
			known.get(o.socket_addr).owners.set(p, o.fd);
		}
	return socketList;
}

// --- search ---

const words = (query) => query.toLowerCase().split(/\s+/).filter(Boolean);
const holds = (text, terms) => terms.every((t) => text.includes(t));

// All that a search looks at: the process's own texts, and those of its rows.
function textOf(p) {
	if (p.text)
		return p.text;
	const parts = [p.pid, p.name, p.path, p.cmdline, p.cwd, p.lifecycle, p.phase, p.cgroup_path, p.tty,
		p.task_addr, userOf(p.uid)];
	const add = (name, ...columns) => {
		const rows = distinct(name);
		for (const id of idsOf(name, p))
			for (const c of columns)
				parts.push(rows.get(id, c));
	};
	add('process_open_files', 'path');
	add('process_memory_map', 'path');
	add('process_open_sockets', 'local_address', 'remote_address', 'remote_port', 'local_port', 'path');
	add('process_envs', 'key', 'value');
	add('threads', 'name', 'tid');
	p.text = parts.filter((t) => t !== null && t !== undefined).join('\n').toLowerCase();
	return p.text;
}

// Names of users, where the database has them.
const users = new Map(table('users').all().map((u) => [u.uid, u.username]));
const userOf = (uid) => uid === null || uid === undefined ? null
	: users.get(uid) || (uid === 0 ? 'root' : String(uid));
