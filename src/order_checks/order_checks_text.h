/*
 * order_checks_text.h
 *	  What a finding does to results, in a sentence, and the SQL that leaves it out.
 */
#ifndef CUSTMART_ORDER_CHECKS_TEXT_H
#define CUSTMART_ORDER_CHECKS_TEXT_H

#include "order_checks/order_checks_findings.h"

#include "lib/stringinfo.h"

/* The caller's columns, in the order of the arguments of check_book; quoted. */
#define CHECK_SQL_COLUMNS 7

typedef struct CheckSql
{
	const char *member;
	const char *order_id;
	const char *item;
	const char *ordered_at;
	const char *quantity;
	const char *price;
	const char *currency;
} CheckSql;

extern bool check_effect(const CheckFindings *findings, OrderCheck check, StringInfo text);
extern bool check_filter(CheckFindings *findings, OrderCheck check, const CheckSql *sql, StringInfo text);
extern void append_money(StringInfo text, const CheckFindings *findings, const DecimalTotal *total, bool negated);
extern Decimal check_money(const CheckFindings *findings, const DecimalTotal *total);

#endif							/* CUSTMART_ORDER_CHECKS_TEXT_H */
