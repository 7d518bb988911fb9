/*
 * order_checks_scan.h
 *	  Goes through a check_book and finds what the checks look for.
 */
#ifndef CUSTMART_ORDER_CHECKS_SCAN_H
#define CUSTMART_ORDER_CHECKS_SCAN_H

#include "order_checks/order_checks_findings.h"

extern void order_checks_scan(CheckFindings *findings);

#endif							/* CUSTMART_ORDER_CHECKS_SCAN_H */
