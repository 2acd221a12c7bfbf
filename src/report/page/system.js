// SPDX-License-Identifier: LGPL-2.1-or-later
// Modules, network devices, mounts, processors and memory, as tables.

const SYSTEM = [
	['kernel_modules', 'Kernel modules', ['name', 'size', 'status', 'refcount', 'used_by', 'taints', 'version', 'arguments', 'address']],
	['interface_details', 'Network devices', ['interface', 'state', 'mac', 'mtu', 'kind', 'driver', 'ipackets', 'ibytes', 'opackets', 'obytes', 'net_namespace']],
	['interface_addresses', 'Addresses', ['interface', 'address', 'prefix_length', 'scope', 'type', 'net_namespace']],
	['mounts', 'Mounts', ['path', 'type', 'device', 'flags', 'root', 'blocks', 'blocks_free', 'mount_namespace']],
	['cpu_info', 'Processors', ['device_id', 'model', 'manufacturer', 'number_of_cores', 'logical_processors', 'mhz', 'cache_size_kb', 'microcode']],
	['vcpus', 'Registers of virtual CPUs', ['cpu', 'rip', 'rsp', 'cr3', 'cr4', 'gs_base', 'task_addr']],
	['memory_ranges', 'Physical memory', ['start_pa', 'end_pa', 'state']],
	['evidence', 'Files read', ['role', 'path', 'format', 'compression', 'size', 'sha256', 'truncated_reason']],
];
const system = {};

const systemCell = (name) => (row) => {
	const v = row[name];
	if (name === 'task_addr' && byTask.has(v))
		return processLink(byTask.get(v));
	if (typeof v === 'string' && v.startsWith('0x'))
		return data(v, 'code');
	return name === 'size' && v !== null ? bytes(v) : v;
};

function updateSystem() {
	const terms = words(state.query);
	system.host.replaceChildren(...SYSTEM.filter(([name]) => table(name).n).map(([name, title, columns]) => {
		const rows = table(name).all().filter((r) => !terms.length || holds(lower(...Object.values(r)), terms));
		const used = columns.filter((c) => rows.some((r) => r[c] !== null && r[c] !== undefined && r[c] !== ''));
		return panel(title, count(rows.length), grid(used.map((c) => [c.replaceAll('_', ' '), systemCell(c),
			rows.some((r) => typeof r[c] === 'number') ? 'num' : '']), rows, title));
	}));
}

function renderSystem(host) {
	system.host = host;
	updateSystem();
}
