# Puts into columns what clang-format does not: as pgindent has it, the name that
# is declared stands 12 columns behind the indent, and a comment behind code in
# column 32 or at the next tab stop.  Continued lines move along.

# The column after a text, tabs being 4 wide.
function width(text,    i, column) {
	for (i = 1; i <= length(text); i++)
		column += substr(text, i, 1) == "\t" ? 4 - column % 4 : 1
	return column + 0
}

# Tabs, then blanks, from one column to another.
function gap(from, to,    text) {
	for (; from - from % 4 + 4 <= to; from += 4 - from % 4)
		text = text "\t"
	for (; from < to; from++)
		text = text " "
	return text
}

# How many brackets a line opens and does not close.
function opened(code) {
	gsub(/\\./, "", code)
	gsub(/"[^"]*"|'[^']*'|\/\*.*\*\//, "", code)
	return gsub(/[({]/, "", code) - gsub(/[)}]/, "", code)
}

BEGIN {
	word = "[A-Za-z_][A-Za-z_0-9]*"
	type = "^\t*((static|const|extern|volatile|struct|enum|union|unsigned) )*" word "( const)? "
	pointer = type "\\(\\*" word "\\)\\("
	declaration = type "\\**" word "(;|,| = .*|\\[.*|\\(.*)$"
	other = "^\t*(return|goto|else|case|typedef|struct|enum|union|do|if|static inline) "
	starts = 1
}

{
	code = $0
	comment = ""
	if (!in_comment && match(code, /[^ \t] \/\*.*\*\/$/)) {
		comment = substr(code, RSTART + 2)
		code = substr(code, 1, RSTART)
	}
	if (code ~ /\/\*/ && code !~ /\*\//)
		in_comment = 1
	if (code ~ /^#/)
		in_macro = 1

	if (!in_comment && !in_macro) {
		match(code, /^[\t ]*/)
		indent = width(substr(code, 1, RLENGTH))
		if (depth > 0 && moved && indent > margin)
			code = gap(0, indent + moved) substr(code, RLENGTH + 1)
		else if (depth == 0) {
			moved = 0
			if (starts && code ~ declaration && code !~ other) {
				margin = indent
				match(code, type)
				before = substr(code, 1, RLENGTH - 1)
				after = substr(code, RLENGTH + 1)
				match(after, /^\**/)
				place = indent + 12 - RLENGTH
				if (place <= width(before))
					place = width(before) + 1
				moved = place - width(before) - 1
				# A single tab of a single column is a blank.
				if (width(before) % 4 == 3 && place - width(before) < 5)
					before = before " "
				code = before gap(width(before), place) after
			} else if (starts && match(code, pointer)) {
				margin = indent
				after = substr(code, RLENGTH)
				code = substr(code, 1, RLENGTH - 1)
				match(code, type)
				before = substr(code, 1, RLENGTH - 1)
				code = substr(code, RLENGTH + 1)
				place = indent + 12
				if (place <= width(before))
					place = width(before) + 1
				moved = place - width(before)
				code = before gap(width(before), place) code " " after
			}
		}
		if (depth > 0 || code !~ /\{$/)
			depth += opened(code)
		if (depth < 0)
			depth = 0
		starts = depth == 0 && (code == "" || code ~ /[;{}:]$|^[ \t]*\/\*.*\*\/$/)
	} else
		starts = 1
	if (code ~ /\*\//)
		in_comment = 0
	if (code !~ /\\$/)
		in_macro = 0

	if (comment != "") {
		place = width(code)
		code = code gap(place, place < 32 ? 32 : place + 4 - place % 4) comment
	}
	print code
}
