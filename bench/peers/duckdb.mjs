// DuckDB as a peer of bench/run, on the same rows, in its own memory.
//
//   node duckdb.mjs MODULES DIR NAME=STATEMENT.sql...
//
// MODULES is where npm has put @duckdb/node-api.  Loads DIR/orders.csv and
// DIR/segment_of.csv, writes the answer of each statement to DIR/NAME.csv, and prints
// the version and how long loading took.  From then on it reads lines of a number of
// threads and a name, runs that statement and prints the seconds.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [modules, dir, ...named] = process.argv.slice(2);
const { DuckDBInstance, version } = createRequire(modules + '/')('@duckdb/node-api');
const statements = new Map(named.map((argument) => {
	const [name, file] = argument.split('=');
	return [name, readFileSync(file, 'utf8')];
}));
const text = (string) => `'${string.replaceAll("'", "''")}'`;

// Times are compared as UTC, which is what the orders were exported in.
const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();

async function timed(sql) {
	const start = process.hrtime.bigint();
	await connection.run(sql);
	return Number(process.hrtime.bigint() - start) / 1e9;
}

const load = (table, columns) => timed(`CREATE TABLE ${table} AS FROM read_csv(${text(`${dir}/${table}.csv`)},
	header = false, columns = ${columns})`);

await connection.run('SET threads = 1');
const seconds = await load('orders', "{customer_id: 'bigint', ordered_at: 'timestamp', amount: 'decimal(12, 2)'}");
await load('segment_of', "{score: 'integer', segment: 'varchar'}");
for (const [name, statement] of statements)
	await connection.run(`COPY (${statement}) TO ${text(`${dir}/${name}.csv`)} (header false)`);
console.log(`${version()} ${seconds}`);

// The answer is made whole, but not carried over to JavaScript.
for await (const line of createInterface({ input: process.stdin })) {
	const [threads, name] = line.split(' ');
	await connection.run(`SET threads = ${threads}`);
	console.log(await timed(statements.get(name)));
}
