// SPDX-License-Identifier: LGPL-2.1-or-later
// What joins the facts of the first screen: the life cycle in one bar, and what is worth a look.

function lifeBar() {
	const counts = new Map([...LIVES.keys()].map((l) => [l, 0]));
	processes.forEach((p) => counts.set(p.life, counts.get(p.life) + 1));
	const present = [...counts].filter(([, n]) => n);
	const bar = el('div.lifebar', {'aria-hidden': 'true'}, present.map(([life, n]) => {
		const part = el('i.life-' + life);
		part.style.flexGrow = n;
		return part;
	}));
	return panel('Life cycle', null, bar, el('ul.legend', null, present.map(([life, n]) =>
		el('li', null, lifeMark(life), ' ', el('span', null, life), ' ', el('b', null, count(n))))));
}

function leadList() {
	const found = leads().map(([id, title, note, fits]) => [id, title, note, processes.filter(fits)])
		.filter(([, , , ps]) => ps.length);
	if (!found.length)
		return panel('Worth a look', null, el('p.nothing', null, 'Nothing of what is looked for.'));
	return panel('Worth a look', 'facts, not judgements', el('ul.leads', null, found.map(([id, title, note, ps]) =>
		el('li', null, el('button', {type: 'button', onclick: () => showLead(id)},
			el('b', null, count(ps.length)),
			el('span.what', null, title, el('small', null, note)),
			el('span.who-list', null, ps.slice(0, 4).map((p, i) => [i ? ', ' : '', data(p.name)]),
				ps.length > 4 ? ', …' : ''))))));
}

function coverageNote() {
	const rows = table('coverage').all();
	const lacking = rows.filter((r) => r.status !== 'complete');
	if (!lacking.length)
		return panel('Coverage', null, el('p', null, `All ${rows.length} tables are complete.`));
	return panel('Coverage', null,
		el('p', null, `${rows.length - lacking.length} of ${rows.length} tables are complete. Not so:`),
		el('ul.plainlist', null, lacking.map((r) =>
			el('li', null, statusMark(r.status), ' ', data(r.table_name, 'code'), ' ', r.reason ? data(r.reason) : ''))));
}

function renderOverview(host) {
	const facts = host.querySelector('.facts');
	const side = el('div.side', null, lifeBar(), leadList(), coverageNote());
	const columns = el('div.columns');
	facts.replaceWith(columns);
	columns.append(facts, side);
}
