-- Nothing but TAP is printed, and the first error ends the file.
\set ECHO none
\set QUIET on
\pset format unaligned
\pset tuples_only true
\pset pager off
\set ON_ERROR_ROLLBACK 1
\set ON_ERROR_STOP true
