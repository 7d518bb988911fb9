// What a program that uses pg, the driver of Node.js, gets to see, as lines "what: value",
// for test/t/051_drivers.pl.  Run it as: node pg.js HOST PORT.  The time zone of the
// program is the caller's choice.
'use strict';

const { Client } = require('pg');

const [host, port] = process.argv.slice(2);
const tagged = 'SELECT count(*) FROM profiles WHERE ';
const members = 'SELECT * FROM rfm_members((SELECT rfm_book(customer_id, ordered_at, amount) FROM orders)) ORDER BY member';

const say = (what, value) => console.log(`${what}: ${value}`);
const local = (date) => [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((n) => String(n).padStart(2, '0')).join('-');

async function run(client) {
	const rows = async (sql, values) => (await client.query(sql, values)).rows;
	const value = async (sql, values) => Object.values((await rows(sql, values))[0])[0];
	const error = async (what, sql, values) => {
		try {
			say(what, 'no error, but ' + (await value(sql, values)));
		} catch (e) {
			say(what, `${e.code} ${e.hint}`);
		}
		say('after ' + what, await value("SELECT 'still there'"));
	};

	say('time zone', await value('SHOW timezone'));

	say('tags ? $1', await value(tagged + 'tags ? $1', ['7']));
	say('tags ?& $1', await value(tagged + 'tags ?& $1', [['7', '9']]));
	say('tags ?| $1', await value(tagged + 'tags ?| $1', [['7', 'nobody']]));
	say('has_tag', await value(tagged + 'has_tag(tags, $1)', ['7']));
	say('tags @@ $1', await value(tagged + 'tags @@ $1', ['7 & !nobody']));
	const tags = await value('SELECT tags FROM profiles WHERE customer_id = 651');
	say('tags again', await value('SELECT customer_id FROM profiles WHERE tags = $1', [tags]));

	for (const zone of ['UTC', 'Asia/Tokyo', 'America/New_York'])
		for (const column of ['day', 'clock'])
			for (const [year, month, day] of [[2026, 5, 31], [2026, 6, 1]]) {
				const sql = (asOf) => "SELECT md5(string_agg(r::text, ',')) FROM cohort_retention((" +
					`SELECT retention_book(customer_id, ${column}, amount, 'month', '${zone}') FROM visits), ${asOf}) r`;
				const date = new Date(year, month - 1, day);
				say(['retention', zone, column, local(date), 'string'].join(' '), await value(sql('$1'), [local(date)]));
				say(['retention', zone, column, local(date), 'Date'].join(' '), await value(sql('$1::date'), [date]));
			}

	for (const view of ['members_bi', 'cohorts', 'portraits']) {
		const [row] = await rows(`SELECT * FROM ${view} LIMIT 1`);
		say('types of ' + view, Object.values(row).map((v) => v.constructor.name).join(' '));
	}
	for (const name of [undefined, 'prepared', 'prepared']) {
		const result = await client.query({ name, text: members });
		say('members', result.rows.map((r) =>
			[r.member, r.frequency, r.monetary, r.first_order.toISOString().replace('.000', ''), Math.round(r.recency * 10000), r.score, r.segment].join('|')).join());
	}
	const cohorts = await rows('SELECT DISTINCT cohort FROM cohorts ORDER BY cohort');
	say('cohorts', cohorts.map((r) => local(r.cohort)).join());
	say('cohorts as ISO', cohorts.map((r) => r.cohort.toISOString().slice(0, 10)).join());

	await client.query('BEGIN');
	await client.query(`DECLARE report CURSOR FOR ${members}`);
	const fetched = [];
	for (;;) {
		const some = await rows('FETCH 64 FROM report');
		if (some.length === 0)
			break;
		fetched.push(...some.map((r) => [r.member, r.monetary, r.segment].join('|')));
	}
	await client.query('COMMIT');
	say('fetched', fetched.join());

	await error('early as_of', 'SELECT * FROM rfm_members((SELECT rfm_book(customer_id, ordered_at, amount) FROM orders), $1)', ['2020-01-01']);
	await error('wrong query', tagged + 'tags @@ $1', ['7 &']);
}

(async () => {
	const client = new Client({ host, port, user: 'dashboard', database: 'shop' });
	await client.connect();
	await run(client);
	await client.end();
})();
