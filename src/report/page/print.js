// SPDX-License-Identifier: LGPL-2.1-or-later
// On paper nothing can be opened or scrolled: everything is laid out, the tree as an indented list.

const deep = (p) => {
	const cell = el('span.name', null, lifeMark(p.life), ' ', data(p.name));
	cell.style.paddingInlineStart = Math.min(p.depth, 12) + 'em';
	return cell;
};

function everything(columns, rows) {
	return el('table.grid', null, el('thead', null, el('tr', null, columns.map(([h]) => el('th', {scope: 'col'}, h)))),
		el('tbody', null, rows.map((r) => el('tr', null, columns.map(([, cell]) => {
			const v = cell(r);
			return el('td', null, v instanceof Node || Array.isArray(v) ? v : data(v));
		})))));
}

function inTreeOrder() {
	const list = [], todo = [...roots].reverse();
	while (todo.length) {
		const p = todo.pop();
		list.push(p);
		for (let i = p.children.length; i-- > 0;)
			todo.push(p.children[i]);
	}
	return list;
}

function paper() {
	const internet = sockets().filter(isInternet);
	return el('div.paper', null,
		el('h2', null, 'Findings'), findings.length ? findings.map((f) => findingCard(f, true)) : el('p', null, 'None.'),
		el('h2', null, 'Processes'), everything([['Name', deep], ['PID', (p) => p.pid], ['User', (p) => userOf(p.uid)],
			['Life', (p) => p.life + (p.phase ? ' ' + p.phase : '')], ['Started', (p) => el('time', null, instant(p.start_ns) ?? '–')],
			['Command', (p) => p.cmdline || p.path || '']], inTreeOrder()),
		el('h2', null, 'Internet sockets'), everything([['Protocol', protocolOf], ['State', (s) => s.state || ''],
			['Local', (s) => endpoint(s.local_address, s.local_port)],
			['Remote', (s) => hasPeer(s) ? endpoint(s.remote_address, s.remote_port) : ''],
			['Processes', (s) => [...s.owners.keys()].map((p) => `${p.name} ${p.pid}`).join(', ')]], internet),
		el('h2', null, 'Coverage'), everything([['Table', (r) => r.table_name], ['Status', (r) => r.status],
			['Rows', (r) => r.rows], ['Faults', (r) => r.faults], ['Why', (r) => r.reason || '']], table('coverage').all()),
		table('problems').n ? [el('h2', null, 'Problems'), everything([['Severity', (r) => r.severity],
			['Table', (r) => r.table_name], ['What', (r) => r.message]], table('problems').all())] : null);
}

let onPaper = null;
addEventListener('beforeprint', () => {
	onPaper = onPaper || document.body.appendChild(paper());
});
addEventListener('afterprint', () => {
	if (onPaper)
		onPaper.remove();
	onPaper = null;
});
