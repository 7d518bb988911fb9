// DuckDB as a peer of bench/run, on the same rows and with one thread.
//
//   node duckdb.mjs MODULES ORDERS.csv STATEMENT.sql ANSWER.csv
//
// MODULES is where npm has put @duckdb/node-api.  Loads the orders, writes the
// statement's answer to a file, and prints the version and how long loading took.
// From then on it runs the statement once per line of input and prints the seconds.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [modules, orders, statement, answer] = process.argv.slice(2);
const { DuckDBInstance, version } = createRequire(modules + '/')('@duckdb/node-api');
const text = (string) => `'${string.replaceAll("'", "''")}'`;

const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
const connection = await instance.connect();
const query = readFileSync(statement, 'utf8');

async function timed(sql) {
	const start = process.hrtime.bigint();
	await connection.run(sql);
	return Number(process.hrtime.bigint() - start) / 1e9;
}

await connection.run('CREATE TABLE orders (customer_id bigint, ordered_at timestamp, amount decimal(12, 2))');
const load = await timed(`INSERT INTO orders FROM read_csv(${text(orders)}, header = false, columns =
	{customer_id: 'bigint', ordered_at: 'timestamp', amount: 'decimal(12, 2)'})`);
await connection.run(`COPY (SELECT member, frequency, monetary, last_order FROM (${query})) TO ${text(answer)} (header false)`);
console.log(`${version()} ${load}`);

// The answer is made whole, but not carried over to JavaScript.
for await (const line of createInterface({ input: process.stdin })) console.log(await timed(query));
