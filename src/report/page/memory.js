// SPDX-License-Identifier: LGPL-2.1-or-later
// Mappings as bars: small in the tree, by kind; large in the detail, by address.

const MAX_SEGMENTS = 400;

// Pages by kind; resident ones where that is known.
function kindsOf(p) {
	if (p.kinds)
		return p.kinds;
	p.kinds = new Map();
	p.pagesTotal = 0;
	for (const m of mappingsFor(p)) {
		const n = m.resident === null ? m.pages : m.resident;
		p.kinds.set(m.kind, (p.kinds.get(m.kind) || 0) + n);
		p.pagesTotal += n;
	}
	return p.kinds;
}

// The largest of all, to which the small bars' lengths refer; resident_size is at hand.
const largest = processes.reduce((most, p) => Math.max(most, Number(p.resident_size) || 0), 1);

function miniBar(p) {
	const bar = el('span.mini', {'aria-hidden': 'true'});
	if (!idsOf('process_memory_map', p).length)
		return bar;
	const kinds = kindsOf(p);
	const length = Math.sqrt(Math.min(1, (Number(p.resident_size) || 0) / largest));
	bar.style.width = Math.round(length * 100) + '%';
	const most = [...kinds].sort((a, b) => b[1] - a[1])[0][0];
	for (const kind of length < 0.2 ? [most] : KINDS.keys())
		if (kinds.get(kind)) {
			const part = el('i.kind-' + kind);
			part.style.flexGrow = kinds.get(kind) / p.pagesTotal;
			bar.appendChild(part);
		}
	return bar;
}

// Neighbours of a kind become one where there are too many to be seen.
function segmentsOf(mappings) {
	if (mappings.length <= MAX_SEGMENTS)
		return mappings;
	const merged = [];
	const most = Math.ceil(mappings.length / MAX_SEGMENTS);
	mappings.forEach((m, i) => {
		const last = merged[merged.length - 1];
		if (last && i % most)
			Object.assign(last, {end: m.end, pages: last.pages + m.pages,
				resident: last.resident === null ? null : last.resident + m.resident});
		else
			merged.push({...m});
	});
	return merged;
}

const hex = (n) => '0x' + n.toString(16);
const label = (m) => m.path || m.name || 'anonymous';

// A segment's width grows with the logarithm of its size: libraries and a large heap both show.
function addressBar(mappings, chosen) {
	const bar = el('div.address-bar', {role: 'img',
		'aria-label': plural(mappings.length, 'mapping') + ' by address; the table below has them'});
	let before = 0n;
	for (const m of segmentsOf(mappings)) {
		if (before && m.start - before > 0x40000000n)
			bar.appendChild(el('span.gap', {'aria-hidden': 'true'}));
		before = m.end;
		const s = el('span.segment.kind-' + m.kind + (/^.wx/.test(m.permissions || '') ? '.wx' : ''), {
			title: `${hex(m.start)}  ${m.permissions || ''}  ${bytes(m.pages * 4096)}  ${label(m)}`,
			onclick: () => chosen(m)});
		s.style.flexGrow = Math.log2(m.pages + 1);
		if (m.resident !== null) {
			const fill = el('i');
			fill.style.height = Math.round(100 * m.resident / m.pages) + '%';
			s.appendChild(fill);
			s.classList.add('measured');
		}
		bar.appendChild(s);
	}
	return bar;
}

function kindLegend(mappings) {
	const sums = new Map();
	for (const m of mappings) {
		const s = sums.get(m.kind) || {pages: 0, resident: 0};
		s.pages += m.pages;
		s.resident += m.resident || 0;
		sums.set(m.kind, s);
	}
	const known = mappings.some((m) => m.resident !== null);
	return el('ul.legend', null, [...KINDS].filter(([k]) => sums.has(k)).map(([k, name]) =>
		el('li', null, el('i.swatch.kind-' + k), ' ', name, ' ',
			el('b', null, bytes(sums.get(k).pages * 4096)),
			known ? el('span.note', null, bytes(sums.get(k).resident * 4096) + ' present') : null)));
}

function memoryPanel(p) {
	const mappings = mappingsFor(p);
	if (!mappings.length)
		return el('p.nothing', null, p.is_kthread === 1 ? 'A kernel thread has no memory of its own.'
			: 'No mappings: see what is missing under Summary.');
	const rows = new Map();
	const list = grid([
		['What', (m) => {
			const cell = [el('i.swatch.kind-' + m.kind), ' ', data(label(m)),
				m.deleted === 1 ? [' ', badge('warn', 'unlinked')] : null,
				el('span.where.mono', null, hex(m.start) + '–' + m.end.toString(16), ' ',
					el(/^.wx/.test(m.permissions || '') ? 'span.alarm' : 'span', null, m.permissions || ''))];
			rows.set(m.start, cell[0]);
			return cell;
		}],
		['Size', (m) => bytes(m.pages * 4096), 'num'],
		['Present', (m) => m.resident === null ? '–' : bytes(m.resident * 4096), 'num'],
	], mappings, 'Mappings');
	const choose = (m) => {
		const cell = rows.get(m.start);
		if (!cell)
			return;
		list.querySelectorAll('tr.chosen').forEach((r) => r.classList.remove('chosen'));
		cell.closest('tr').classList.add('chosen');
		cell.scrollIntoView({block: 'nearest'});
	};
	return [addressBar(mappings, choose), kindLegend(mappings), list];
}
