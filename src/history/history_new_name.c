/*
 * history_new_name.c
 *	  Errors of names that rows bring.
 */
#include "history/history_new_name.h"

#include "history/history_names.h"
#include "mb/pg_wchar.h"

/* Raises 54000: there are more names than fit. */
void
names_too_many_error(const char *noun, const char *type)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("%s cannot have more than %d %ss", type, NAMES_MAX, noun),
			 errhint("Name few %ss, such as email or sms, and leave out what tells single messages apart.", noun)));
}

/* Checks that a name which is not among n others may become one more; 54000. */
void
names_check_new(int n, const void *name, Size length, const char *noun, const char *type)
{
	if (length > NAME_LENGTH_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s must not be longer than %d bytes: \"%.*s...\"", noun, NAME_LENGTH_MAX,
						pg_mbcliplen(name, (int) Min(length, 1000), 60), (const char *) name),
				 errhint("Name few %ss, such as email or sms, and leave out what tells single messages apart.", noun)));
	if (n == NAMES_MAX)
		names_too_many_error(noun, type);
}
