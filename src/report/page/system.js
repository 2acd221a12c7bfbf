// SPDX-License-Identifier: LGPL-2.1-or-later
// Every table that no other view shows: the well-known ones first and with the columns that matter,
// all others as they are.

// What stands in another view, or in its first lines.
const ELSEWHERE = new Set(['run', 'coverage', 'problems', 'system_info', 'os_version', 'kernel_info', 'time', 'uptime',
	'memory_info', 'dmesg', 'processes', 'sockets', 'inconsistencies', 'atomicity']);

const WELL_KNOWN = new Map([
	['kernel_modules', ['name', 'size', 'status', 'refcount', 'used_by', 'taints', 'version', 'arguments', 'address']],
	['interface_details', ['interface', 'state', 'mac', 'mtu', 'kind', 'driver', 'ipackets', 'ibytes', 'opackets', 'obytes', 'net_namespace']],
	['interface_addresses', ['interface', 'address', 'prefix_length', 'scope', 'type', 'net_namespace']],
	['routes', null], ['arp_cache', null], ['iptables', null],
	['mounts', ['path', 'type', 'device', 'flags', 'root', 'blocks', 'blocks_free', 'mount_namespace']],
	['block_devices', null],
	['users', null], ['groups', null], ['user_groups', null], ['logged_in_users', null], ['last', null],
	['cpu_info', ['device_id', 'model', 'manufacturer', 'number_of_cores', 'logical_processors', 'mhz', 'cache_size_kb', 'microcode']],
	['cpu_time', null], ['load_average', null], ['shared_memory', null], ['system_controls', null],
	['vcpus', ['cpu', 'rip', 'rsp', 'cr3', 'cr4', 'gs_base', 'task_addr']],
	['memory_ranges', ['start_pa', 'end_pa', 'state']],
	['evidence', ['role', 'path', 'format', 'compression', 'size', 'sha256', 'truncated_reason']],
]);
const ACRONYMS = new Map([['cpu', 'CPU'], ['vcpus', 'Virtual CPUs'], ['arp', 'ARP'], ['iptables', 'iptables'], ['last', 'Logins'],
	['evidence', 'Files read']]);
const system = {};

const systemTables = () => [...new Set([...WELL_KNOWN.keys(), ...Object.keys(raw.tables)])]
	.filter((name) => !ELSEWHERE.has(name) && table(name).n);

const titleOf = (name) => name.split('_').map((word, i) => ACRONYMS.get(word)
	|| (i ? word : word[0].toUpperCase() + word.slice(1))).join(' ');

const columnsOf = (name) => WELL_KNOWN.get(name) || Object.keys(raw.tables[name])
	.map((key) => key.replace(/^\$/, '')).filter((c) => c !== 'n');

const systemCell = (name) => (row) => {
	const v = row[name];
	if (v === null || v === undefined)
		return v;
	if (name === 'task_addr' && byTask.has(v))
		return processLink(byTask.get(v));
	if (/^(pid|creator_pid|owner_pid)$/.test(name) && byPid.has(v))
		return processLink(byPid.get(v));
	if (name.endsWith('_ns') && !Number.isNaN(Number(v)))
		return instant(v);
	if (typeof v === 'string' && v.startsWith('0x'))
		return data(v, 'code');
	return name === 'size' && typeof v === 'number' ? bytes(v) : v;
};

function systemPanel(name, terms) {
	const rows = table(name).all().filter((r) => !terms.length || holds(lower(...Object.values(r)), terms));
	const used = columnsOf(name).filter((c) => rows.some((r) => r[c] !== null && r[c] !== undefined && r[c] !== ''));
	const title = titleOf(name);
	return panel(title, [count(rows.length), el('span.about', null, raw.about[name] || '')],
		grid(used.map((c) => [c.replaceAll('_', ' '), systemCell(c),
			rows.some((r) => typeof r[c] === 'number') ? 'num' : '']), rows, title));
}

function updateSystem() {
	const terms = words(state.query);
	system.host.replaceChildren(...systemTables().map((name) => systemPanel(name, terms)));
}

function renderSystem(host) {
	system.host = host;
	updateSystem();
}
