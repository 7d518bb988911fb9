// What a program that uses JDBC gets to see, as lines "what: value", for
// test/t/051_drivers.pl.  Run it as: java -cp DRIVER Jdbc.java URL.  The time zone of
// the JVM is the caller's choice.

import java.sql.*;
import java.time.*;
import java.util.*;
import org.postgresql.util.PSQLException;

public class Jdbc {
	static final String TAGGED = "SELECT count(*) FROM profiles WHERE ";
	static final String MEMBERS = "SELECT * FROM rfm_members((SELECT rfm_book(customer_id, ordered_at, amount) FROM orders)) ORDER BY member";
	static Connection connection;

	interface Parameters {
		void bind(PreparedStatement statement) throws SQLException;
	}

	static void say(String what, Object value) {
		System.out.println(what + ": " + value);
	}

	// The first column of the first row.
	static Object value(String sql, Parameters parameters) throws SQLException {
		try (PreparedStatement statement = connection.prepareStatement(sql)) {
			parameters.bind(statement);
			try (ResultSet result = statement.executeQuery()) {
				result.next();
				return result.getObject(1);
			}
		}
	}

	static String rows(ResultSet result, String... columns) throws SQLException {
		StringJoiner rows = new StringJoiner(",");
		while (result.next()) {
			StringJoiner row = new StringJoiner("|");
			for (String column : columns)
				row.add(result.getString(column));
			rows.add(row.toString());
		}
		return rows.toString();
	}

	static void error(String what, String sql, Parameters parameters) throws SQLException {
		try {
			say(what, "no error, but " + value(sql, parameters));
		} catch (PSQLException e) {
			String hint = e.getServerErrorMessage() == null ? null : e.getServerErrorMessage().getHint();
			say(what, e.getSQLState() + " " + hint);
		}
		say("after " + what, value("SELECT 'still there'", s -> { }));
	}

	static void tags() throws SQLException {
		String[] both = { "7", "9" }, either = { "7", "nobody" };
		Array array = connection.createArrayOf("text", both);

		try (Statement statement = connection.createStatement();
				ResultSet result = statement.executeQuery(TAGGED + "tags ?? '7'")) {
			result.next();
			say("tags ?? constant", result.getLong(1));
		}
		say("tags ?? ?", value(TAGGED + "tags ?? ?", s -> s.setString(1, "7")));
		say("tags ??& ?", value(TAGGED + "tags ??& ?", s -> s.setArray(1, array)));
		say("tags ??| ?", value(TAGGED + "tags ??| ?", s -> s.setObject(1, either)));
		say("has_tag", value(TAGGED + "has_tag(tags, ?)", s -> s.setString(1, "7")));
		say("has_all_tags", value(TAGGED + "has_all_tags(tags, ?)", s -> s.setArray(1, array)));
		say("has_any_tag", value(TAGGED + "has_any_tag(tags, ?)", s -> s.setObject(1, either)));
		say("tags @@ ?::tagquery", value(TAGGED + "tags @@ ?::tagquery", s -> s.setString(1, "7 & !nobody")));
		say("tags @@ ? as OTHER", value(TAGGED + "tags @@ ?", s -> s.setObject(1, "7 & !nobody", Types.OTHER)));
		error("tags @@ ?", TAGGED + "tags @@ ?", s -> s.setString(1, "7 & !nobody"));
		error("tags ? constant", TAGGED + "tags ? '7'", s -> { });
		// A set of tags goes to the program and comes back.
		Object tags = value("SELECT tags FROM profiles WHERE customer_id = 651", s -> { });
		say("tags again", value("SELECT customer_id FROM profiles WHERE tags = ?", s -> s.setObject(1, tags)));
	}

	// Retention of a column of dates and one of timestamps, in time zones on both
	// sides of that of the program, with all that Java has for a day or a time.
	static void retention() throws SQLException {
		for (String zone : new String[] { "UTC", "Asia/Tokyo", "America/New_York" })
			for (String column : new String[] { "day", "clock" })
				for (String day : new String[] { "2026-05-31", "2026-06-01" }) {
					String sql = "SELECT md5(string_agg(r::text, ',')) FROM cohort_retention(("
						+ "SELECT retention_book(customer_id, " + column + ", amount, 'month', '" + zone + "') FROM visits), ?) r";
					LocalDate date = LocalDate.parse(day);
					Map<String, Parameters> asOf = new LinkedHashMap<>();

					asOf.put("Date", s -> s.setDate(1, java.sql.Date.valueOf(day)));
					asOf.put("LocalDate", s -> s.setObject(1, date));
					asOf.put("String", s -> s.setString(1, day));
					asOf.put("LocalDateTime", s -> s.setObject(1, date.atStartOfDay()));
					asOf.put("OffsetDateTime", s -> s.setObject(1, date.atStartOfDay(ZoneId.of(zone)).toOffsetDateTime()));
					asOf.put("Timestamp", s -> s.setTimestamp(1, Timestamp.from(date.atStartOfDay(ZoneId.of(zone)).toInstant())));
					for (Map.Entry<String, Parameters> a : asOf.entrySet())
						say(String.join(" ", "retention", zone, column, day, a.getKey()), value(sql, a.getValue()));
				}
	}

	static void types() throws SQLException {
		for (String view : new String[] { "members_bi", "cohorts", "portraits" })
			try (Statement statement = connection.createStatement();
					ResultSet result = statement.executeQuery("SELECT * FROM " + view + " LIMIT 1")) {
				ResultSetMetaData columns = result.getMetaData();
				StringJoiner types = new StringJoiner(" ");

				result.next();
				for (int i = 1; i <= columns.getColumnCount(); i++)
					types.add(columns.getColumnTypeName(i) + "=" + result.getObject(i).getClass().getSimpleName());
				say("types of " + view, types);
			}
	}

	// From the fifth time on the driver prepares a statement, and then asks for
	// binary values; with a threshold of -1 it does so at once.
	static void values() throws SQLException {
		for (int threshold : new int[] { 0, 5, -1 })
			try (PreparedStatement statement = connection.prepareStatement(MEMBERS)) {
				Set<String> answers = new HashSet<>();

				statement.unwrap(org.postgresql.PGStatement.class).setPrepareThreshold(threshold);
				for (int i = 0; i < 7; i++)
					try (ResultSet result = statement.executeQuery()) {
						StringJoiner rows = new StringJoiner(",");
						while (result.next())
							rows.add(result.getLong("member") + "|" + result.getLong("frequency") + "|" + result.getBigDecimal("monetary").toPlainString()
								+ "|" + result.getObject("first_order", OffsetDateTime.class).toInstant() + "|" + Math.round(result.getDouble("recency") * 10000) + "|" + result.getInt("score")
								+ "|" + result.getString("segment"));
						answers.add(rows.toString());
					}
				say("answers with threshold " + threshold, answers.size());
				say("members with threshold " + threshold, answers.iterator().next());
			}
		try (PreparedStatement statement = connection.prepareStatement("SELECT DISTINCT cohort FROM cohorts ORDER BY cohort")) {
			statement.unwrap(org.postgresql.PGStatement.class).setPrepareThreshold(-1);
			for (int i = 0; i < 2; i++) {
				StringJoiner days = new StringJoiner(",");
				try (ResultSet result = statement.executeQuery()) {
					while (result.next())
						days.add(result.getObject(1, LocalDate.class) + "|" + result.getDate(1));
				}
				say("cohorts, time " + i, days);
			}
		}
	}

	static void cursor() throws SQLException {
		connection.setAutoCommit(false);
		try (PreparedStatement statement = connection.prepareStatement(MEMBERS)) {
			statement.setFetchSize(64);
			try (ResultSet result = statement.executeQuery(); Statement other = connection.createStatement();
					ResultSet cursors = other.executeQuery("SELECT count(*) FROM pg_cursors WHERE name <> ''")) {
				cursors.next();
				say("cursors", cursors.getLong(1));
				say("fetched", rows(result, "member", "monetary", "segment"));
			}
		}
		connection.commit();
		connection.setAutoCommit(true);
	}

	static void tables() throws SQLException {
		StringJoiner types = new StringJoiner(" ");

		try (ResultSet columns = connection.getMetaData().getColumns(null, "public", "members_bi", null)) {
			while (columns.next())
				types.add(columns.getString("COLUMN_NAME") + "=" + columns.getString("TYPE_NAME"));
		}
		say("columns of members_bi", types);
	}

	public static void main(String[] arguments) throws Exception {
		connection = DriverManager.getConnection(arguments[0]);
		say("time zone", value("SHOW timezone", s -> { }));
		tags();
		retention();
		types();
		values();
		cursor();
		tables();
		error("early as_of", "SELECT * FROM rfm_members((SELECT rfm_book(customer_id, ordered_at, amount) FROM orders), ?)",
			s -> s.setObject(1, OffsetDateTime.parse("2020-01-01T00:00:00Z")));
		error("wrong query", TAGGED + "tags @@ ?::tagquery", s -> s.setString(1, "7 &"));
	}
}
