# expand.awk: makes the install script from the topic files beside it
#
#     awk -f expand.awk FILE...
#
# The files are SQL, which is copied, and directives, each a comment on a line of
# its own:
#
#     -- @each NAME VALUE...
#     ...
#     -- @end
#
# repeats the lines in between for every value, which replaces {NAME} in them.
#
#     -- @template NAME PARAMETER...
#     ...
#     -- @end
#
# defines a template.  A parameter is a name, or name=value if it has a default.
#
#     -- @NAME PARAMETER=VALUE...
#
# inserts the lines of the template NAME, defined further up or in an earlier
# file, with the values in place of {PARAMETER}.  A template sees its own
# parameters only, not the names that are known where it is used.
#
# A value that contains blanks is written in "double quotes"; one that ends up in
# an SQL string has its apostrophes doubled.  @each and uses of templates are
# allowed in any block, @template in none.  Names consist of lower-case letters,
# digits and _.  Anything that looks like {name} is a placeholder, so SQL that
# needs '{vip}' must write '{"vip"}'.
#
# A comment directly above @template describes the template and is not copied.
# Several empty lines in a row become one.
#
# Mistakes stop make and are reported with file and line: an unknown name, a
# parameter that is missing, given twice or not used in the template, a block
# without @end, a template that is never used.

{
	text[NR] = $0
	file[NR] = FILENAME
	place[NR] = FILENAME ":" FNR
}

END {
	split("", nothing)
	expand(1, NR, nothing, "")
	for (name in template)
		if (!(name in used))
			fail(template[name], "nothing uses @" name)
	for (i = 1; i <= written; i++)
		print output[i]
}

function fail(i, problem)
{
	print place[i] ": " problem user > "/dev/stderr"
	exit 1
}

# Write the lines from first to last, carrying out the directives among them.
# value: what replaces each name; inside: the directive whose block the lines are.
# The arguments after these are local variables, here and below.
function expand(first, last, value, inside,    i, k, n, name, end, word, given, above)
{
	for (i = first; i <= last; i++) {
		if (file[i] != file[i - 1])
			write("")
		name = directive(i)
		if (name == "") {
			write(fill(i, value))
			continue
		}
		n = split_words(i, value, word)
		if (name == "each") {
			end = find_end(i, last)
			declare(i, end, word[1], value)
			if (n < 2)
				fail(i, "no values for " word[1])
			for (k = 2; k <= n; k++) {
				value[word[1]] = word[k]
				expand(i + 1, end - 1, value, name)
			}
			delete value[word[1]]
			i = end
		} else if (name == "template") {
			if (inside != "")
				fail(i, "@template inside of @" inside)
			end = find_end(i, last)
			define(i, end, n, word)
			while (output[written] ~ /^--/)
				written--
			i = end
		} else if (name in template) {
			if (name in open)
				fail(i, "@" name " uses itself")
			bind(i, name, n, word, given)
			above = user
			user = ", used at " place[i] above
			used[name] = 1
			open[name] = 1
			expand(template[name] + 1, template_end[name] - 1, given, name)
			delete open[name]
			user = above
		} else
			fail(i, name == "end" ? "@end without a block" : "unknown directive @" name)
	}
}

# The name after the @ of a directive, or "" if the line is another one.
function directive(i,    s)
{
	s = text[i]
	if (s !~ /^[ \t]*--[ \t]*@[A-Za-z]/)
		return ""
	sub(/^[^@]*@/, "", s)
	sub(/[ \t].*/, "", s)
	return s
}

# The line of the @end that belongs to line i.
function find_end(i, last,    j, depth, name)
{
	for (j = i + 1; j <= last && file[j] == file[i]; j++) {
		name = directive(j)
		if (name == "each" || name == "template")
			depth++
		else if (name == "end" && depth-- == 0)
			return j
	}
	fail(i, "no @end for @" directive(i))
}

# What follows the directive's name, in word[1] ... word[n], without the quotes.
function split_words(i, value, word,    s, n)
{
	split("", word)
	s = fill(i, value) " "
	sub(/^[^@]*@[^ \t]*[ \t]+/, "", s)
	while (s != "") {
		if (!match(s, /^([a-z0-9_]+=)?("[^"]*"|[^" \t]+)[ \t]+/))
			fail(i, "cannot be read from here on: " s)
		word[++n] = substr(s, 1, RLENGTH)
		s = substr(s, RLENGTH + 1)
		sub(/[ \t]+$/, "", word[n])
		gsub(/"/, "", word[n])
	}
	return n + 0
}

# Check that name may be declared at line i for the lines up to end.
function declare(i, end, name, value,    j)
{
	if (name !~ /^[a-z][a-z0-9_]*$/)
		fail(i, "\"" name "\" is no name")
	if (name in value)
		fail(i, name " is declared twice")
	for (j = i + 1; j < end; j++)
		if (index(text[j], "{" name "}"))
			return
	fail(i, "nothing uses {" name "}")
}

# Remember the template of lines i to end.
function define(i, end, n, word,    k, at, name, parameter, seen)
{
	name = word[1]
	if (name !~ /^[a-z][a-z0-9_]*$/ || name ~ /^(each|end|template)$/)
		fail(i, "\"" name "\" is no name for a template")
	if (name in template)
		fail(i, "@" name " is defined twice, before at " place[template[name]])
	template[name] = i
	template_end[name] = end
	for (k = 2; k <= n; k++) {
		at = index(word[k], "=")
		parameter = at ? substr(word[k], 1, at - 1) : word[k]
		declare(i, end, parameter, seen)
		seen[parameter] = 1
		parameters[name] = parameters[name] " " parameter
		if (at)
			default_value[name, parameter] = substr(word[k], at + 1)
	}
}

# The values that the words of line i give to the parameters of a template.
function bind(i, name, n, word, given,    k, at, known, parameter)
{
	split("", given)
	for (k = 1; k <= n; k++) {
		at = index(word[k], "=")
		parameter = substr(word[k], 1, at - 1)
		if (!index(parameters[name] " ", " " parameter " "))
			fail(i, "@" name " has no parameter " (at ? parameter : word[k]))
		if (parameter in given)
			fail(i, parameter " is given twice")
		given[parameter] = substr(word[k], at + 1)
	}
	n = split(parameters[name], known, " ")
	for (k = 1; k <= n; k++) {
		parameter = known[k]
		if (!(parameter in given) && !((name, parameter) in default_value))
			fail(i, "@" name " needs " parameter)
		if (!(parameter in given))
			given[parameter] = default_value[name, parameter]
	}
}

# Line i with its placeholders replaced.
function fill(i, value,    s, done, name)
{
	s = text[i]
	while (match(s, /[{][a-z][a-z0-9_]*[}]/)) {
		name = substr(s, RSTART + 1, RLENGTH - 2)
		if (!(name in value))
			fail(i, "unknown placeholder {" name "}")
		done = done substr(s, 1, RSTART - 1) value[name]
		s = substr(s, RSTART + RLENGTH)
	}
	return done s
}

function write(line)
{
	if (line != "" || (written && output[written] != ""))
		output[++written] = line
}
