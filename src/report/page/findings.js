// SPDX-License-Identifier: LGPL-2.1-or-later
// The board of inconsistencies, and the rules that make the verdict.

const SCOPES = [
	['intrinsic', 'True of the guest', 'at any instant: being born, dying, dead'],
	['extrinsic', 'Made by the snapshot', 'it was read at more than one instant'],
	['cross-view', 'The kernel disagrees with itself', 'one list has what another should have'],
];
const CARDS_AT_MOST = 300;

const findingText = (f) => [f.class, f.phase, f.scope, f.evidence, f.missing, f.pid, f.tid, f.process && f.process.name]
	.filter((t) => t !== null && t !== undefined).join(' ').toLowerCase();

const ruleTable = (rules) => grid([
	['Rule', (r) => data(r.invariant, 'code')],
	['', (r) => r.violated ? el('span.alarm', null, 'broken') : r.evaluated ? el('span.fine', null, 'holds') : el('span.note', null, 'not checked')],
	['Checked', (r) => count(r.evaluated ?? 0), 'num'], ['Broken', (r) => count(r.violated ?? 0), 'num'],
	['Lock held', (r) => count(r.excused_by_lock ?? 0), 'num'], ['Unknown', (r) => count(r.unevaluable ?? 0), 'num'],
	['Weight', (r) => r.weight], ['What holds', (r) => [data(r.description),
		r.worst_example ? el('div.note', null, data(r.worst_example)) : null]],
], rules, 'Rules of atomicity');

const boardHost = {};
function updateFindings() {
	const terms = words(state.query);
	const fits = (text) => !terms.length || holds(text, terms);
	const shownFindings = findings.filter((f) => fits(findingText(f)));
	const known = SCOPES.map(([id]) => id);
	const columns = SCOPES.map(([id, title, note], i) => [title, note,
		shownFindings.filter((f) => f.scope === id || (i === 0 && !known.includes(f.scope)))]);
	const rules = table('atomicity').all().filter((r) => fits(`${r.invariant} ${r.description}`.toLowerCase()));
	const board = el('div.board', null, columns.map(([title, note, list]) => el('section.lane', null,
			el('h2', null, title, el('span.tally', null, count(list.length))), el('p.note', null, note),
			el('div.cards', null, list.slice(0, CARDS_AT_MOST).map((f) => findingCard(f, true))),
			list.length > CARDS_AT_MOST ? el('p.note', null, `${count(list.length - CARDS_AT_MOST)} more: search for them`) : null,
			list.length ? null : el('p.nothing', null, 'None.'))));
	// a lane that has nothing needs no room
	board.style.setProperty('--lanes', columns.map(([, , l]) => l.length ? 'minmax(0, 2fr)' : 'minmax(0, .8fr)').join(' '));
	boardHost.host.replaceChildren(board,
		panel('Rules that memory of one instant keeps', 'they make the verdict', ruleTable(rules)));
}

function renderFindings(host) {
	boardHost.host = host;
	updateFindings();
}
