-- custmart: install script, made of sql/install/*.sql by make
\echo Use "CREATE EXTENSION custmart" to load this file. \quit
