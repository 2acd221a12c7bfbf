// SPDX-License-Identifier: LGPL-2.1-or-later
// Views, search, keys, the switch of dark and light; and the start.

const state = {view: 'overview', query: ''};

const VIEWS = [
	['overview', 'Overview', renderOverview, () => {}],
	['processes', 'Processes', renderProcesses, updateTree],
	['connections', 'Connections', renderNetwork, updateNetwork],
	['timeline', 'Timeline', renderTimeline, updateTimeline],
	['findings', 'Findings', renderFindings, updateFindings],
	['coverage', 'Coverage', renderCoverage, updateCoverage],
	['system', 'System', renderSystem, updateSystem],
];
const rendered = new Set();
const host = (id) => document.getElementById(id);
const section = (view) => host('view-' + view); // no id is a hash: nothing scrolls by itself

// Shows a view, which is made when it is first shown.
function go(id) {
	const [, title, render, update] = VIEWS.find(([v]) => v === id) || VIEWS[0];
	state.view = id;
	document.body.classList.toggle('fixed', id === 'processes'); // before anything is measured
	for (const [v] of VIEWS) {
		section(v).hidden = v !== state.view;
		const link = host('to-' + v);
		if (v === state.view)
			link.setAttribute('aria-current', 'page');
		else
			link.removeAttribute('aria-current');
	}
	host('to-' + state.view).scrollIntoView({block: 'nearest', inline: 'nearest'});
	if (!rendered.has(state.view)) {
		rendered.add(state.view);
		render(section(state.view));
	} else {
		update();
	}
	search.placeholder = state.view === 'overview' ? 'Search processes' : 'Search ' + title.toLowerCase();
}

function follow() {
	const [view, pid] = location.hash.slice(1).split('/');
	go(VIEWS.some(([v]) => v === view) ? view : 'overview');
	const p = view === 'processes' && pid !== undefined && byPid.get(Number(pid));
	if (p)
		selectProcess(p, true);
	else if (view !== 'processes')
		scrollTo(0, 0);
}

// --- search ---

let waiting = 0;
function searched() {
	clearTimeout(waiting);
	waiting = setTimeout(() => {
		state.query = search.value;
		if (state.view === 'overview' && state.query) {
			location.hash = '#processes';
			return;
		}
		VIEWS.find(([v]) => v === state.view)[3]();
	}, 80);
}
const search = el('input', {type: 'search', 'aria-label': 'Search', autocomplete: 'off', spellcheck: 'false',
	placeholder: 'Search', oninput: searched});

// --- dark and light ---

const THEMES = [['', 'As the system', '◐'], ['dark', 'Dark', '●'], ['light', 'Light', '○']];
let theme = 0;
const themeButton = el('button.icon', {type: 'button', onclick: () => setTheme(theme + 1)});
function setTheme(n) {
	theme = n % THEMES.length;
	document.documentElement.dataset.theme = THEMES[theme][0];
	themeButton.replaceChildren(THEMES[theme][2]);
	themeButton.title = 'Colours: ' + THEMES[theme][1].toLowerCase();
	themeButton.setAttribute('aria-label', themeButton.title);
}

// --- help ---

const KEYS = [['/', 'search'], ['1 – 7', 'views'], ['↑ ↓', 'through the processes'], ['→ ←', 'open, close, to the parent'],
	['Home End', 'first, last'], ['Enter', 'to the details'], ['← →', 'through the details’ tabs'], ['*', 'open all'],
	['Esc', 'back: clear, close'], ['t', 'dark, light'], ['?', 'this help']];
const help = el('dialog.help', {'aria-label': 'Help'},
	el('h2', null, 'Keys'), el('dl.keys', null, KEYS.map(([k, what]) => [el('dt', null, k.split(' ').map((w) =>
		w === '–' ? ' – ' : el('kbd', null, w))), el('dd', null, what)])),
	el('h2', null, 'Life cycle'), el('ul.plainlist', null, [...LIVES].filter(([l]) => l !== 'unknown').map(([life, [, meaning]]) =>
		el('li', null, lifeMark(life), ' ', el('b', null, life), ' ', meaning))),
	el('h2', null, 'Mappings'), el('ul.legend', null, [...KINDS].map(([k, name]) =>
		el('li', null, el('i.swatch.kind-' + k), ' ', name))),
	el('p.note', null, 'Characters that would act, hide or turn text around are shown by number, such as ',
		el('span.escape', null, '\\x1b'), '. Nothing of the image is ever more than text here.'),
	el('button.more', {type: 'button', onclick: () => help.close()}, 'Close'));

function key(e) {
	const typing = e.target === search;
	if (e.ctrlKey || e.altKey || e.metaKey || help.open)
		return;
	const acts = {
		'/': () => (search.focus(), search.select()), '?': () => help.showModal(), t: () => setTheme(theme + 1),
	};
	const view = VIEWS[Number(e.key) - 1];
	if (e.key === 'Escape') {
		if (typing && search.value) {
			search.value = '';
			searched();
		} else if (typing) {
			host('main').focus();
		} else if (state.view === 'processes') {
			closeDetail();
		}
	} else if (!typing && acts[e.key]) {
		e.preventDefault();
		acts[e.key]();
	} else if (!typing && view) {
		location.hash = '#' + view[0];
	}
}

// --- the start ---

function start() {
	const sizes = {processes: processes.length, connections: table('sockets').n, findings: findings.length};
	const nav = el('nav', {'aria-label': 'Views'}, VIEWS.map(([id, title]) =>
		el('a', {href: '#' + id, id: 'to-' + id}, title, sizes[id] ? el('small', null, count(sizes[id])) : null)));
	host('bar').append(el('a.skip', {href: '#main', onclick: (e) => {
		e.preventDefault();
		host('main').focus();
	}}, 'Skip to the content'),
	el('span.brand', null, 'vmiscan'), nav,
	el('label.search', null, search, el('kbd', {'aria-hidden': 'true'}, '/')), themeButton,
	el('button.icon', {type: 'button', 'aria-label': 'Help', title: 'Help (?)', onclick: () => help.showModal()}, '?'));
	for (const [id, title] of VIEWS.slice(1))
		host('main').appendChild(el('section.view', {id: 'view-' + id, 'aria-label': title, hidden: true}));
	document.body.append(help);
	document.documentElement.classList.add('scripted');
	host('bar').hidden = false;
	setTheme(0);
	addEventListener('hashchange', follow);
	addEventListener('keydown', key);
	follow();
	document.documentElement.dataset.ready = String(Math.round(performance.now()));
}
start();
