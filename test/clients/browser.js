// browser.js CHROMIUM PAGE PICTURES [AXE]: a page of custmart_report() as a browser shows it.
//
// Prints lines of "what: value" for test/t/101_chart.pl, and leaves pictures of the page in the directory PICTURES: at
// three widths, light and dark, and as it is printed.  AXE is the file axe.min.js of axe-core.
//
// Speaks the protocol of Chromium's developer tools over a pipe, so that nothing has to be installed but Chromium.
'use strict';
const { spawn } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { pathToFileURL } = require('url');

const [chromium, page, pictures, axe] = process.argv.slice(2);
const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'browser-'));
const browser = spawn(chromium, ['--headless=new', '--remote-debugging-pipe', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
	'--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-extensions', '--disable-crash-reporter',
	'--hide-scrollbars', '--force-device-scale-factor=1', `--user-data-dir=${profile}`],
{ stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: profile } });

// Messages are JSON, each ended by a zero byte.
const waiting = new Map();
const listeners = [];
let last = 0;
let buffer = Buffer.alloc(0);
browser.stdio[4].on('data', (chunk) => {
	buffer = Buffer.concat([buffer, chunk]);
	for (let end; (end = buffer.indexOf(0)) >= 0; buffer = buffer.subarray(end + 1)) {
		const message = JSON.parse(buffer.subarray(0, end).toString());
		if (message.id) {
			const { resolve, reject, method } = waiting.get(message.id);
			waiting.delete(message.id);
			message.error ? reject(new Error(`${method}: ${message.error.message}`)) : resolve(message.result);
		} else {
			listeners.forEach((listener) => listener(message));
		}
	}
});
browser.on('exit', () => waiting.forEach(({ reject, method }) => reject(new Error(`${method}: the browser has ended`))));
function call(method, params = {}, sessionId = undefined) {
	return new Promise((resolve, reject) => {
		waiting.set(++last, { resolve, reject, method });
		browser.stdio[3].write(JSON.stringify({ id: last, method, params, sessionId }) + '\0');
	});
}

const say = (what, value) => console.log(`${what}: ${value}`);

// Run in the page.

// What does not fit: texts that leave their picture, and texts in a picture that lie on each other.
function misplaced() {
	const found = [];
	for (const svg of document.querySelectorAll('svg')) {
		const frame = svg.getBoundingClientRect();
		const texts = [...svg.querySelectorAll('text')].map((text) => ({ text, box: text.getBoundingClientRect() })).filter(({ box }) => box.width > 0);
		const named = (text) => `"${text.textContent}" in "${svg.querySelector('title').textContent}"`;
		const tolerance = frame.width / 360;
		texts.forEach(({ text, box }, i) => {
			if (box.left < frame.left - tolerance || box.right > frame.right + tolerance || box.top < frame.top - tolerance || box.bottom > frame.bottom + 3 * tolerance)
				found.push(`${named(text)} leaves it`);
			for (const { text: other, box: b } of texts.slice(i + 1)) {
				const wide = Math.min(box.right, b.right) - Math.max(box.left, b.left);
				const high = Math.min(box.bottom, b.bottom) - Math.max(box.top, b.top);
				// Lines of text are higher than their letters.
				if (wide > tolerance && high > 0.45 * Math.min(box.height, b.height) && !text.classList.contains('h') && !other.classList.contains('h'))
					found.push(`${named(text)} lies on "${other.textContent}"`);
			}
		});
	}
	return found.join('; ');
}

function smallest() {
	return Math.min(...[...document.querySelectorAll('svg text')].map((text) => parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.getBoundingClientRect().width / 360));
}

// All that the page says in numbers: titles of parts, and their tables and statements.
function contents() {
	return [...document.querySelectorAll('section')].map((section) => ({
		name: section.querySelector('h2').textContent,
		statement: section.querySelector('pre')?.textContent,
		columns: [...section.querySelectorAll('th')].map((th) => th.textContent),
		rows: [...section.querySelectorAll('tbody tr')].map((tr) => [...tr.cells].map((td) => td.querySelector('data')?.value ?? td.textContent)),
	}));
}

(async () => {
	const { targetId } = await call('Target.createTarget', { url: 'about:blank' });
	const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true });
	const tab = (method, params) => call(method, params, sessionId);
	const requests = [];
	const messages = [];
	let loaded;
	listeners.push(({ method, params }) => {
		if (method === 'Network.requestWillBeSent' && !/^data:/.test(params.request.url)) requests.push(params.request.url);
		if (method === 'Runtime.consoleAPICalled') messages.push(params.args.map((a) => a.value ?? a.description).join(' '));
		if (method === 'Runtime.exceptionThrown') messages.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
		if (method === 'Log.entryAdded') messages.push(params.entry.text);
		if (method === 'Page.loadEventFired') loaded();
		if (method === 'Page.javascriptDialogOpening') messages.push(`dialog: ${params.message}`);
	});
	for (const domain of ['Network', 'Runtime', 'Log', 'Page']) await tab(`${domain}.enable`);
	// Whatever a page asks for, it gets nothing: only the asking is looked for.
	await tab('Network.emulateNetworkConditions', { offline: true, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
	const evaluate = async (expression) => {
		const { result, exceptionDetails } = await tab('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
		if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
		return result.value;
	};
	const run = (f) => evaluate(`(${f})()`);
	const url = pathToFileURL(page).href;
	const loading = new Promise((resolve) => { loaded = resolve; });
	await tab('Page.navigate', { url });
	await loading;

	say('scripts', await evaluate('document.querySelectorAll("script, iframe, object, embed, a, img, form, base").length'));
	say('handlers', await evaluate('[...document.querySelectorAll("*")].flatMap((e) => [...e.attributes].filter((a) => /^on|href|src|^style$/i.test(a.name) && e.localName !== "link").map((a) => e.localName + " " + a.name)).join(", ")'));
	say('title', await evaluate('document.title'));
	say('text', JSON.stringify(await evaluate('document.body.textContent')));
	say('contents', JSON.stringify(await run(contents)));

	const name = path.join(pictures, path.basename(page, '.html'));
	const axeSource = axe ? fs.readFileSync(axe, 'utf8') : null;
	if (axeSource) await evaluate(`${axeSource}; undefined`);
	for (const scheme of ['light', 'dark']) {
		await tab('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
		for (const width of [320, 768, 1400]) {
			await tab('Emulation.setDeviceMetricsOverride', { width, height: 900, deviceScaleFactor: width < 768 ? 2 : 1, mobile: false });
			const height = await evaluate('document.documentElement.scrollHeight');
			await tab('Emulation.setDeviceMetricsOverride', { width, height: Math.max(height, 900), deviceScaleFactor: width < 768 ? 2 : 1, mobile: false });
			const { data } = await tab('Page.captureScreenshot', { format: 'png' });
			fs.writeFileSync(`${name}-${width}-${scheme}.png`, Buffer.from(data, 'base64'));
			say(`wider than ${width} ${scheme}`, await evaluate(`Math.max(0, document.documentElement.scrollWidth - ${width})`));
			say(`misplaced at ${width} ${scheme}`, await run(misplaced));
			say(`smallest letters at ${width} ${scheme}`, Math.round(10 * await run(smallest)) / 10);
			// With the tables open and closed.
			if (axeSource) {
				for (const open of [false, true]) {
					await evaluate(`document.querySelectorAll('details').forEach((d) => { d.open = ${open}; })`);
					const violations = await evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
						violations.map((v) => v.impact + ' ' + v.id + ' ' + v.nodes.map((n) => n.html.slice(0, 150)).slice(0, 3).join(' | ')))`);
					say(`serious findings at ${width} ${scheme}${open ? ', open' : ''}`, violations.filter((v) => /^(serious|critical) /.test(v)).join('; '));
					say(`other findings at ${width} ${scheme}${open ? ', open' : ''}`, violations.filter((v) => !/^(serious|critical) /.test(v)).join('; '));
				}
				say(`wider than ${width} ${scheme}, open`, await evaluate(`Math.max(0, document.documentElement.scrollWidth - ${width})`));
				await evaluate('document.querySelectorAll(\'details\').forEach((d) => { d.open = false; })');
			}
		}
	}
	// As printed, and without colours.
	await tab('Emulation.setDeviceMetricsOverride', { width: 1400, height: 900, deviceScaleFactor: 1, mobile: false });
	await tab('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: 'light' }] });
	await evaluate('document.documentElement.style.filter = "grayscale(1)"');
	const { data: grey } = await tab('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true });
	fs.writeFileSync(`${name}-1400-grey.png`, Buffer.from(grey, 'base64'));
	await evaluate('document.documentElement.removeAttribute("style")');
	const { data: print } = await tab('Page.printToPDF', { printBackground: false });
	fs.writeFileSync(`${name}.pdf`, Buffer.from(print, 'base64'));

	say('requests', requests.filter((r) => r !== url).join(' '));
	say('messages', JSON.stringify(messages));
})().catch((error) => {
	console.error(error.stack);
	process.exitCode = 1;
}).finally(async () => {
	browser.removeAllListeners('exit');
	const ended = new Promise((resolve) => browser.on('exit', resolve));
	// Closed, it waits for its other processes, which write into the profile.
	if (process.exitCode) browser.kill('SIGKILL');
	else call('Browser.close').catch(() => {});
	await ended;
	fs.rmSync(profile, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
});
