// SPDX-License-Identifier: LGPL-2.1-or-later
// The tree of processes. Only the rows in sight exist: ten thousand cost as much as fifty.

const tree = {
	rows: [], closed: new Set(), selected: null, lead: null, only: 'all',
	host: null, list: null, detail: null,
};

const rowHeight = () => matchMedia('(max-width: 700px)').matches ? 52 : 30;

const GROUPS = [['all', 'All', () => true], ['user', 'Programs', (p) => p.is_kthread !== 1],
	['kernel', 'Kernel threads', (p) => p.is_kthread === 1]];

// What is asked for, and the ancestors that lead there.
function wantedProcesses() {
	const terms = words(state.query);
	const lead = leads().find(([id]) => id === tree.lead);
	const group = GROUPS.find(([id]) => id === tree.only)[2];
	const good = new Set(processes.filter((p) => group(p) && (!lead || lead[3](p)) &&
		(!terms.length || holds(textOf(p), terms))));
	const all = new Set(good);
	for (const p of good)
		for (let up = p.up; up && !all.has(up); up = up.up)
			all.add(up);
	return {good, all, narrowed: terms.length > 0 || Boolean(lead)};
}

// Rows in the order of sight; a narrowed tree is open all over.
function layTree() {
	const {good, all, narrowed} = wantedProcesses();
	tree.rows = [];
	const todo = [...roots].reverse();
	while (todo.length) {
		const p = todo.pop();
		if (!all.has(p))
			continue;
		const children = p.children.filter((c) => all.has(c));
		const open = narrowed || !tree.closed.has(p);
		tree.rows.push({p, good: good.has(p), children: children.length, open});
		if (open)
			for (let i = children.length; i-- > 0;)
				todo.push(children[i]);
	}
	tree.found = good.size;
}

function badgesOf(p) {
	const list = [];
	if (p.exe_deleted === 1)
		list.push(badge('warn', 'unlinked', 'its executable has no name any more'));
	if (p.found_by !== null && p.found_by !== 'tasks')
		list.push(badge('warn', 'by ' + p.found_by, 'not in the task list'));
	if (findingsOf.get(p).some((f) => f.scope !== 'intrinsic'))
		list.push(badge('warn', '!', 'contradicts itself'));
	const n = idsOf('process_open_sockets', p).length;
	if (n)
		list.push(badge('plain', n + ' ⇄', plural(n, 'socket')));
	return list;
}

function treeRow(row, at) {
	const {p} = row;
	const line = el('div.row' + (row.good ? '' : '.way') + (p.is_kthread === 1 ? '.kthread' : ''), {
		role: 'treeitem', id: 'row' + p.index, 'aria-level': p.depth + 1,
		'aria-expanded': row.children ? String(row.open) : null,
		'aria-selected': String(p === tree.selected), 'aria-posinset': at + 1, 'aria-setsize': tree.rows.length,
		onclick: () => selectProcess(p, true)},
	el('span.name', null,
		el('span.twist' + (row.open ? '.open' : ''), {'aria-hidden': 'true', onclick: (e) => {
			e.stopPropagation();
			toggle(row);
		}}, row.children ? '▸' : ''),
		lifeMark(p.life), el('span.pid', null, p.pid), data(p.name)),
	el('span.command', null, el('span.text', null, p.cmdline ? data(p.cmdline) : p.path ? data(p.path) : ''), badgesOf(p)),
	el('span.user', null, p.is_kthread === 1 ? '' : data(userOf(p.uid))),
	el('span.minibox', null, miniBar(p)),
	el('span.size', null, p.resident_size ? bytes(p.resident_size) : ''));
	line.style.setProperty('--depth', Math.min(p.depth, 12) * 16 + 'px');
	line.style.top = at * rowHeight() + 'px';
	return line;
}

function paintTree() {
	const h = rowHeight(), {list, host} = tree;
	const first = Math.max(0, Math.floor(host.scrollTop / h) - 10);
	const last = Math.min(tree.rows.length, Math.ceil((host.scrollTop + host.clientHeight) / h) + 10);
	list.style.height = tree.rows.length * h + 'px';
	list.replaceChildren(...tree.rows.slice(first, last).map((r, i) => treeRow(r, first + i)));
	const at = tree.rows.findIndex((r) => r.p === tree.selected);
	if (at >= first && at < last)
		host.setAttribute('aria-activedescendant', 'row' + tree.selected.index);
	else
		host.removeAttribute('aria-activedescendant');
}

function updateTree() {
	layTree();
	tree.status.textContent = tree.found === processes.length ? plural(processes.length, 'process', 'processes')
		: `${count(tree.found)} of ${plural(processes.length, 'process', 'processes')}`;
	tree.empty.hidden = tree.rows.length > 0;
	tree.chips.forEach((c) => c());
	paintTree();
}

function toggle(row) {
	if (!row.children)
		return;
	if (tree.closed.has(row.p))
		tree.closed.delete(row.p);
	else
		tree.closed.add(row.p);
	updateTree();
}

function reveal(p) {
	for (let up = p.up; up; up = up.up)
		tree.closed.delete(up);
	layTree();
	const at = tree.rows.findIndex((r) => r.p === p), h = rowHeight();
	if (at * h < tree.host.scrollTop)
		tree.host.scrollTop = at * h;
	else if ((at + 1) * h > tree.host.scrollTop + tree.host.clientHeight)
		tree.host.scrollTop = (at + 1) * h - tree.host.clientHeight;
}

function selectProcess(p, open) {
	tree.selected = p;
	reveal(p);
	paintTree();
	renderDetail(tree.detail, p, closeDetail);
	if (open)
		tree.detail.classList.add('open');
	history.replaceState(null, '', '#processes/' + p.pid);
}

function closeDetail() {
	tree.detail.classList.remove('open');
	tree.host.focus();
}

// --- keyboard: as trees have it ---

function treeKey(e) {
	const {rows} = tree;
	const at = rows.findIndex((r) => r.p === tree.selected), row = rows[at];
	const page = Math.max(1, Math.floor(tree.host.clientHeight / rowHeight()) - 1);
	const go = (to) => rows.length && selectProcess(rows[Math.min(rows.length - 1, Math.max(0, to))].p, false);
	const acts = {
		ArrowDown: () => go(at + 1), ArrowUp: () => go(at - 1), Home: () => go(0), End: () => go(rows.length - 1),
		PageDown: () => go(at + page), PageUp: () => go(at - page),
		ArrowRight: () => row && row.children && (row.open ? go(at + 1) : toggle(row)),
		ArrowLeft: () => row && (row.children && row.open ? toggle(row) : row.p.up && selectProcess(row.p.up, false)),
		Enter: () => row && (selectProcess(row.p, true), tree.detail.focus()),
		'*': () => (tree.closed.clear(), updateTree()),
	};
	if (!acts[e.key] || e.ctrlKey || e.altKey || e.metaKey)
		return;
	e.preventDefault();
	acts[e.key]();
}

// --- the view ---

function chip(text, title, on, act) {
	const button = el('button.chip', {type: 'button', title, onclick: () => (act(), updateTree())}, text);
	tree.chips.push(() => button.setAttribute('aria-pressed', String(on())));
	return button;
}

function treeChips() {
	tree.chips = [];
	const present = leads().filter(([, , , fits]) => processes.some(fits));
	return el('div.chips', {role: 'group', 'aria-label': 'Filter'},
		GROUPS.map(([id, title]) => chip(title, null, () => tree.only === id, () => {
			tree.only = id;
		})),
		el('span.divider', {'aria-hidden': 'true'}),
		present.map(([id, title, note, , short]) => chip(short, title + ': ' + note, () => tree.lead === id, () => {
			tree.lead = tree.lead === id ? null : id;
		})));
}

function renderProcesses(host) {
	tree.status = el('p.count-line', {role: 'status'});
	tree.empty = el('p.nothing', null, 'No process fits.');
	tree.list = el('div.tree-list', {role: 'presentation'});
	tree.host = el('div.tree', {role: 'tree', tabindex: '0', 'aria-label': 'Processes', onkeydown: treeKey,
		onscroll: () => requestAnimationFrame(paintTree)}, tree.list);
	tree.detail = el('aside.detail', {'aria-label': 'The chosen process', tabindex: '-1'});
	host.append(el('div.tools', null, treeChips(), tree.status),
		el('div.split', null, el('div.pane', null, tree.empty, tree.host), tree.detail));
	updateTree();
	tree.selected = tree.rows.length ? tree.rows[0].p : null;
	renderDetail(tree.detail, tree.selected, closeDetail);
	paintTree();
	addEventListener('resize', () => requestAnimationFrame(paintTree));
}

const processLink = (p) => el('a.process', {href: '#processes/' + p.pid}, lifeMark(p.life), ' ', data(p.name),
	el('span.pid', null, p.pid));

function showLead(id) {
	tree.lead = id;
	tree.only = 'all';
	go('processes');
	updateTree();
}
