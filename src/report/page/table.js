// SPDX-License-Identifier: LGPL-2.1-or-later
// A table of rows that are made as they are wanted: the first ones, then more.

const ROWS_AT_ONCE = 250;

// columns: [heading, (row) => text or node, class].
function grid(columns, rows, caption) {
	const body = el('tbody');
	const head = el('thead', null, el('tr', null, columns.map(([h, , kind]) =>
		el('th' + (kind ? '.' + kind : ''), {scope: 'col'}, h))));
	const more = el('button.more', {type: 'button', onclick: () => add()});
	let n = 0;
	const add = () => {
		for (const row of rows.slice(n, n + ROWS_AT_ONCE))
			body.appendChild(el('tr', null, columns.map(([, cell, kind]) => {
				const value = cell(row);
				return el('td' + (kind ? '.' + kind : ''), null,
					value instanceof Node || Array.isArray(value) ? value : data(value));
			})));
		n = Math.min(n + ROWS_AT_ONCE, rows.length);
		more.hidden = n === rows.length;
		more.textContent = `Show ${count(Math.min(ROWS_AT_ONCE, rows.length - n))} more of ${count(rows.length - n)}`;
	};
	add();
	if (!rows.length)
		return el('p.nothing', null, 'Nothing here.');
	return el('div.scroll', {tabindex: '0', role: 'region', 'aria-label': caption || 'Table'},
		el('table.grid', null, caption ? el('caption.hidden', null, caption) : null, head, body), more);
}

// Pairs as a list of definitions; absent values are left out.
const pairs = (entries) => el('dl.pairs', null, entries
	.filter(([, value]) => value !== null && value !== undefined && value !== '')
	.map(([label, value]) => [el('dt', null, label),
		el('dd', null, value instanceof Node || Array.isArray(value) ? value : data(value))]));

const panel = (title, note, ...children) => el('section.panel', null,
	el('h2', null, title, note ? el('span.note', null, note) : null), children);
