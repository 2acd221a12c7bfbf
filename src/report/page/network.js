// SPDX-License-Identifier: LGPL-2.1-or-later
// Sockets by who has them open, and by who is at the other end.

const net = {by: 'process', kind: 'internet', host: null};
const SOCKET_KINDS = [['internet', 'Internet', isInternet], ['unix', 'Unix', (s) => s.family === 1],
	['other', 'Other', (s) => !isInternet(s) && s.family !== 1]];

const socketText = (s) => [protocolOf(s), s.state, s.local_address, s.local_port, s.remote_address, s.remote_port,
	s.path, s.inode, ...[...s.owners.keys()].flatMap((p) => [p.name, p.pid])]
	.filter((t) => t !== null && t !== undefined).join(' ').toLowerCase();

const stateMark = (s) => s.state ? el('span.state.state-' + s.state.toLowerCase().replace(/[^a-z_]/g, ''), null, s.state)
	: el('span.state', null, '–');

const place = (s) => isInternet(s)
	? [data(endpoint(s.local_address, s.local_port), 'code'),
		hasPeer(s) ? [el('span.arrow', {'aria-label': 'to'}, ' → '), data(endpoint(s.remote_address, s.remote_port), 'code')] : null]
	: s.path ? data(s.path, 'code') : el('span.note', null, 'no name');

// Of a listening socket the queues are connections that wait, and how many may.
const queues = (s) => s.state === 'LISTEN'
	? [s.rx_queue ? badge('plain', count(s.rx_queue) + ' waiting') : null]
	: [s.rx_queue ? badge('plain', bytes(s.rx_queue) + ' in') : null,
		s.tx_queue ? badge('plain', bytes(s.tx_queue) + ' out') : null];

function socketRow(s, withOwners) {
	return el('li', null, el('span.protocol', null, protocolOf(s)), stateMark(s), el('span.place', null, place(s)),
		withOwners ? el('span.owners', null, s.owners.size
			? [...s.owners.keys()].slice(0, 6).map((p) => [processLink(p), '  '])
			: el('span.note', null, 'no process')) : null,
		el('span.badges', null, queues(s)));
}

// [heading node, sockets, whether the owners are to be told].
function groupsByProcess(list) {
	const groups = processes.map((p) => [processLink(p), list.filter((s) => s.owners.has(p)), false]);
	groups.push([el('span', null, 'No process', el('span.note', null, 'the kernel’s own, and connections that are over')),
		list.filter((s) => !s.owners.size), false]);
	return groups;
}

function groupsByRemote(list) {
	const remotes = new Map();
	const at = (key) => remotes.get(key) || remotes.set(key, []).get(key);
	for (const s of list)
		at(hasPeer(s) ? s.remote_address : s.state === 'LISTEN' ? '\0listen' : '\0none').push(s);
	const title = new Map([['\0listen', 'Listening'], ['\0none', 'No peer']]);
	return [...remotes].sort(([a, x], [b, y]) => (a[0] === '\0') - (b[0] === '\0') ||
		isLoopback(a) - isLoopback(b) || y.length - x.length)
		.map(([key, group]) => [title.get(key) || [data(key, 'code'), isLoopback(key) ? el('span.note', null, 'loopback') : null],
			group, true]);
}

function updateNetwork() {
	const terms = words(state.query);
	const kind = SOCKET_KINDS.find(([id]) => id === net.kind)[2];
	const list = sockets().filter((s) => kind(s) && (!terms.length || holds(socketText(s), terms)));
	const groups = (net.by === 'process' ? groupsByProcess(list) : groupsByRemote(list)).filter(([, g]) => g.length);
	net.status.textContent = plural(list.length, 'socket');
	net.list.replaceChildren(...groups.map(([title, group, owners]) => el('section.group', null,
		el('h3', null, title, el('span.tally', null, count(group.length))),
		el(owners ? 'ul.sockets' : 'ul.sockets.two', null, group.slice(0, 500).map((s) => socketRow(s, owners)),
			group.length > 500 ? el('li.note', null, `${count(group.length - 500)} more: search for them`) : null))),
	groups.length ? '' : el('p.nothing', null, 'No socket fits.'));
	net.choices.forEach((c) => c());
}

function choice(key, id, text) {
	const button = el('button.chip', {type: 'button', onclick: () => {
		net[key] = id;
		updateNetwork();
	}}, text);
	net.choices.push(() => button.setAttribute('aria-pressed', String(net[key] === id)));
	return button;
}

function renderNetwork(host) {
	net.choices = [];
	net.status = el('p.count-line', {role: 'status'});
	net.list = el('div.groups');
	host.append(el('div.tools', null, el('div.chips', {role: 'group', 'aria-label': 'Grouped and filtered'},
		choice('by', 'process', 'By process'), choice('by', 'remote', 'By remote address'),
		el('span.divider', {'aria-hidden': 'true'}),
		SOCKET_KINDS.map(([id, text]) => choice('kind', id, text))), net.status), net.list);
	updateNetwork();
}
