# Reads an install script and reports what is missing in it: comments on objects,
# and properties that a function must set because their defaults are seldom right.
# test/pgtap/custmart.sql checks the same in the catalog; this needs no server.

function complain(what) {
	print FILENAME ":" line ": " what
	wrong = 1
}

# Kind and name of the object that a statement is about.
function object(text,    kind) {
	kind = text ~ /^OPERATOR CLASS / ? "OPERATOR CLASS" : text
	if (kind == text)
		sub(/ .*/, "", kind)
	text = substr(text, length(kind) + 2)
	sub(kind == "CAST" ? "[)].*" : "[ (].*", "", text)
	return kind " " text
}

function statement(text,    s) {
	if (text ~ /OR REPLACE|IF NOT EXISTS/)
		complain("an install script makes what was not there before: no OR REPLACE, no IF NOT EXISTS")
	if (text ~ /SECURITY DEFINER/)
		complain("no function runs with its owner's rights")
	if (text ~ /^CREATE TYPE [a-z_]+$/)		# comes again, complete
		return
	if (text ~ /^COMMENT ON /) {
		s = object(substr(text, 12))
		comments[s]++
		return
	}
	if (text !~ /^CREATE (FUNCTION|AGGREGATE|TYPE|OPERATOR|CAST|VIEW|TABLE) /)
		return
	s = object(substr(text, 8))
	if (!(s in at))
		at[s] = line
	objects[s]++
	if (s !~ /^FUNCTION/)
		return
	# What writes says so, and why no worker may run it.
	if (text !~ / VOLATILE.* PARALLEL UNSAFE/) {
		if (text !~ / (IMMUTABLE|STABLE)/)
			complain(s ": neither IMMUTABLE nor STABLE")
		# What runs a query of the caller may need what no worker may do.
		if (text !~ / PARALLEL SAFE/ && text !~ /\(statement text\).* STABLE .* PARALLEL RESTRICTED/)
			complain(s ": not PARALLEL SAFE")
	}
	if (text !~ / COST [0-9]/)
		complain(s ": no COST")
	if (text ~ /RETURNS (SETOF|TABLE)/ && text !~ / ROWS [0-9]/)
		complain(s ": no ROWS")
}

# Statements on one line each, strings without what is in them.
{
	for (rest = $0; rest != "";) {
		if (in_string) {
			if (!(end = index(rest, in_string)))
				break
			rest = substr(rest, end + length(in_string))
			in_string = ""
		} else if (match(rest, /'|[$][$]|--|;/)) {
			mark = substr(rest, RSTART, RLENGTH)
			text = text substr(rest, 1, RSTART - 1)
			rest = substr(rest, RSTART + RLENGTH)
			if (text ~ /[^ \t\n]/ && !line)
				line = FNR
			if (mark == "'" || mark == "$$")
				in_string = mark
			else if (mark == "--")
				break
			else {
				gsub(/[ \t\n]+/, " ", text)
				sub(/^ /, "", text)
				sub(/ $/, "", text)
				statement(text)
				text = ""
				line = 0
			}
		} else {
			text = text rest
			break
		}
	}
	if (text ~ /[^ \t\n]/ && !line)
		line = FNR
	text = text " "
}

END {
	for (s in objects)
		if (objects[s] > comments[s] + 0) {
			line = at[s]
			complain(objects[s] - comments[s] " of " objects[s] " objects without a COMMENT: " s)
		}
	exit wrong
}
