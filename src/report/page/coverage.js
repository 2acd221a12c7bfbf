// SPDX-License-Identifier: LGPL-2.1-or-later
// What could not be read, and why.

const cover = {};
const lower = (...texts) => texts.filter((t) => t !== null && t !== undefined).join(' ').toLowerCase();

function coverageSummary(rows) {
	const by = [...STATUSES.keys()].map((s) => [s, rows.filter((r) => r.status === s).length]).filter(([, n]) => n);
	return el('ul.legend', null, by.map(([s, n]) => el('li', null, statusMark(s), ' ', el('b', null, count(n)))));
}

function updateCoverage() {
	const terms = words(state.query);
	const fits = (text) => !terms.length || holds(text, terms);
	const rank = (r) => ['unavailable', 'partial', 'skipped', 'complete'].indexOf(r.status);
	const rows = table('coverage').all().filter((r) => fits(lower(r.table_name, r.status, r.reason)))
		.sort((a, b) => rank(a) - rank(b));
	const problems = table('problems').all().filter((r) => fits(lower(r.severity, r.table_name, r.message, r.task_addr)));
	cover.host.replaceChildren(
		panel('Problems', plural(problems.length, 'row'), problems.length ? grid([
			['Severity', (r) => el('span.level.level-' + (r.severity || '').replace(/[^a-z]/g, ''), null, r.severity || '')],
			['Table', (r) => r.table_name ? data(r.table_name, 'code') : 'the run'],
			['What', (r) => r.message],
			['Task', (r) => byTask.has(r.task_addr) ? processLink(byTask.get(r.task_addr)) : r.task_addr ? data(r.task_addr, 'code') : ''],
			['Address', (r) => r.addr ? data(r.addr, 'code') : ''],
		], problems, 'Problems') : el('p.nothing', null, 'No faults were met.')),
		panel('Tables', null, coverageSummary(table('coverage').all()), grid([
			['Status', (r) => statusMark(r.status)],
			['Table', (r) => data(r.table_name, 'code')],
			['Rows', (r) => count(r.rows ?? 0), 'num'], ['Faults', (r) => count(r.faults ?? 0), 'num'],
			['Time', (r) => r.duration_ms === null ? '' : r.duration_ms + ' ms', 'num'],
			['Why', (r) => r.reason || ''],
		], rows, 'Coverage')),
		raw.strange ? panel('This database', null, el('p', null,
			`${plural(raw.strange, 'value')} or rows of it make no sense and are left out: it may be damaged, or changed.`)) : '');
}

function renderCoverage(host) {
	cover.host = host;
	updateCoverage();
}
