// SPDX-License-Identifier: LGPL-2.1-or-later
// Signs that tell by shape and letter as well as by colour.

// Of the life cycle: letter, and what it means.
const LIVES = new Map([
	['live', ['', '']],
	['fresh', ['F', 'being born: fork or exec is under way']],
	['dying', ['D', 'exit is under way']],
	['as-good-as-dead', ['A', 'a fatal signal is pending']],
	['zombie', ['Z', 'dead, and not yet asked for by its parent']],
	['unknown', ['?', 'life cycle unknown']],
]);

function lifeMark(life) {
	const [letter, meaning] = LIVES.get(life) || LIVES.get('unknown');
	return el('span.mark.life-' + life, {role: 'img', 'aria-label': life, title: meaning},
		el('span', {'aria-hidden': 'true'}, letter));
}

// Kinds of mappings, in the order of the legend.
const KINDS = new Map([
	['file', 'program and files'], ['library', 'libraries'], ['heap', 'heap'],
	['anonymous', 'anonymous'], ['stack', 'stack'], ['shared', 'shared'], ['kernel', 'vdso and vvar'],
]);

// Of coverage: sign and word.
const STATUSES = new Map([['complete', '✓'], ['partial', '◐'], ['unavailable', '✕'], ['skipped', '–']]);
const statusMark = (status) => el('span.status.status-' + (STATUSES.has(status) ? status : 'unknown'), null,
	el('span.sign', {'aria-hidden': 'true'}, STATUSES.get(status) || '?'), ' ', data(status, 'span'));

const badge = (kind, text, title) => el('span.badge.badge-' + kind, {title}, text);

// What is worth a look: a fact of a process each, not a judgement. [id, title, note, which, short].
const KTHREAD_NAMES = /^(\[.*\]?$|kworker|kthreadd|ksoftirqd|migration\/|rcu_|kswapd|khugepaged|jbd2)/;
const OUT_OF_PLACE = /^\/(tmp|dev\/shm|var\/tmp|run\/user|memfd:)/;
const findLeads = () => {
	const writesAndRuns = processesWith('process_memory_map', ['permissions'], (p) => /^.wx/.test(p || ''));
	const preloads = processesWith('process_envs', ['key', 'value'], (k, v) => k === 'LD_PRELOAD' && v !== '');
	const talks = processesWith('process_open_sockets', ['family', 'remote_port', 'remote_address', 'state'],
		(family, remote_port, address, s) => hasPeer({family, remote_port}) && !isLoopback(address) &&
			!['CLOSE', 'LISTEN'].includes(s));
	const listens = processesWith('process_open_sockets', ['family', 'state', 'local_address'],
		(family, s, address) => s === 'LISTEN' && isInternet({family}) && !isLoopback(address));
	return [
		['not-live', 'Not alive', 'being born, dying, or a zombie',
			(p) => p.life !== 'live', 'Not alive'],
		['unlisted', 'Not in the task list', 'found in the pid table or in the slabs of tasks',
			(p) => p.found_by !== null && p.found_by !== 'tasks', 'Unlisted'],
		['deleted', 'Executable unlinked', 'runs a file that has no name any more',
			(p) => p.exe_deleted === 1, 'Unlinked'],
		['place', 'Runs from a place for data', '/tmp, /dev/shm, /var/tmp or a memfd',
			(p) => OUT_OF_PLACE.test(p.path || ''), 'From /tmp, memfd'],
		['disguise', 'Named like a kernel thread', 'but is none',
			(p) => p.is_kthread === 0 && KTHREAD_NAMES.test(p.name || ''), 'Like a kernel thread'],
		['wx', 'Writable and executable memory', 'a mapping with w and x',
			writesAndRuns, 'w + x memory'],
		['preload', 'LD_PRELOAD is set', 'in its environment',
			preloads, 'LD_PRELOAD'],
		['talks', 'Talks to another host', 'a socket with a remote address',
			talks, 'Talks out'],
		['listens', 'Can be reached', 'listens beyond loopback',
			listens, 'Reachable'],
		['contradicts', 'Contradicts itself', 'an extrinsic or cross-view finding',
			(p) => findingsOf.get(p).some((f) => f.scope !== 'intrinsic'), 'Contradictory'],
	];
};
let leadsFound = null;
const leads = () => leadsFound || (leadsFound = findLeads());
