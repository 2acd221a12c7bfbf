// SPDX-License-Identifier: LGPL-2.1-or-later
// Elements and text. What comes from the image becomes text nodes here and nothing else; characters
// that move, hide or turn text around are shown by their numbers, as on a terminal (src/base/text.c).

const ACTIVE = new RegExp('[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u200b-\\u200f\\u2028-\\u202e' +
	'\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}]', 'u');

function number(c) {
	const code = c.codePointAt(0);
	const hex = code.toString(16);
	return code < 0x100 ? '\\x' + hex.padStart(2, '0') : '\\u{' + hex + '}';
}

// Nodes that show the text.
function shown(text) {
	if (!ACTIVE.test(text))
		return [document.createTextNode(text)];
	const nodes = [];
	let plain = '';
	const flush = () => {
		if (plain)
			nodes.push(document.createTextNode(plain));
		plain = '';
	};
	for (const c of text) {
		if (!ACTIVE.test(c)) {
			plain += c;
			continue;
		}
		flush();
		const mark = document.createElement('span');
		mark.className = 'escape';
		mark.textContent = number(c);
		nodes.push(mark);
	}
	flush();
	return nodes;
}

// The same as one string, for attributes.
function visible(text) {
	return ACTIVE.test(text) ? Array.from(text, (c) => ACTIVE.test(c) ? number(c) : c).join('') : text;
}

function append(parent, child) {
	if (child === null || child === undefined || child === false)
		return;
	if (Array.isArray(child))
		child.forEach((c) => append(parent, c));
	else if (child instanceof Node)
		parent.appendChild(child);
	else
		parent.append(...shown(String(child)));
}

// el('a.b.c', {attribute: value, onclick: f}, child, ...): a class after each dot.
function el(kind, attributes, ...children) {
	const [tag, ...classes] = kind.split('.');
	const e = document.createElement(tag || 'div');
	if (classes.length)
		e.className = classes.join(' ');
	for (const [name, value] of Object.entries(attributes || {})) {
		if (name.startsWith('on'))
			e.addEventListener(name.slice(2), value);
		else if (value === true)
			e.setAttribute(name, '');
		else if (value !== null && value !== undefined && value !== false)
			e.setAttribute(name, visible(String(value)));
	}
	append(e, children);
	return e;
}

// Text of the image, isolated so that its direction is its own affair.
const data = (text, kind = 'bdi') => text === null || text === undefined
	? el('span.absent', {title: 'absent or unreadable'}, '–')
	: el(kind, null, text);

// --- numbers ---

function bytes(n) {
	if (n === null || n === undefined)
		return '–';
	const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
	let v = Number(n), u = 0;
	for (; v >= 1024 && u + 1 < units.length; u++)
		v /= 1024;
	return (u && v < 10 ? v.toFixed(1) : String(Math.round(v))) + ' ' + units[u];
}

// 1,234: with thin spaces.
const count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, '\u2009');

const plural = (n, one, many) => `${count(n)} ${n === 1 ? one : many || one + 's'}`;

// Nanoseconds since 1970, which may be a string of digits.
function instant(ns) {
	if (ns === null || ns === undefined)
		return null;
	const ms = Number(BigInt(ns) / 1000000n);
	const date = new Date(ms);
	return Number.isNaN(date.getTime()) ? String(ns) : date.toISOString().replace('T', ' ').replace('Z', '');
}

// Milliseconds as 1 d 02:03:04.567
function span(ms) {
	const sign = ms < 0 ? '−' : '';
	ms = Math.abs(ms);
	const days = Math.floor(ms / 86400000);
	const clock = new Date(ms % 86400000).toISOString().slice(11, 23);
	return sign + (days ? days + ' d ' : '') + clock;
}
