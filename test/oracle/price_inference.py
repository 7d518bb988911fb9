"""Intervals, tests and verdicts of the price reports, worked out from their
definitions by NumPy and SciPy: each estimate of a jackknife is computed anew from
the rows that are left.

From Python:

    expected(rows, reference, alpha=.05, min_premium_pct=1, min_rows=5) -> list of dicts
    expected_items(the same) -> list of dicts
    expected_slope(slope_rows, alpha=.05) -> dict

rows are (item, period, group, price, quantity, member), slope_rows are (item,
period, x, price, member).  Items, periods and groups are text, or numbers; a period
may be None.  Prices are numbers, best as text or Decimal.  Members are int
(bigint), UUID, str (text, in UTF-8) or None; where no row has one, rows have none,
and where some have, the rows that have none are skipped like others that lack
something.  Keys of the dicts are the columns below; what does not exist is None.
All take fold_of, a function of a member, in place of the hash, and is_effective, for
the degrees of freedom and the items and folds that count: see Fit.

As a program, for tests that have rows in a file:

    price_inference.py REPORT FILE [PARAMETER...]
    price_inference.py < JOBS       one such line after the other, tab-separated

    price_gaps FILE REFERENCE [ALPHA [MIN_PREMIUM_PCT [MIN_ROWS]]]
    price_gap_items FILE REFERENCE [ALPHA [MIN_PREMIUM_PCT [MIN_ROWS]]]
    price_slopes FILE [ALPHA [PART]]    PART: "row" or "item_fold", see expected_slope
    folds FILE                          member, fold
    effective REPORT ...                the report by is_effective

FILE is CSV with a header: item, member_group and price, with or without period, quantity and
member; for price_slopes x in place of member_group.  Members are text; in columns called
member_number and member_uuid they are bigint and uuid, and items in item_number are
bigint.  FILE may be "-" for folds, and the members are the parameters.  Answers are as those of
price_fairness.py, in these columns, of price_gaps, price_gap_items and
price_slopes:

    member_group reference items cells rows reference_rows premium_pct
    premium_pct_low premium_pct_high std_error df effective_items design_effect
    rank_z z p_value premium_p_value verdict

    item member_group rows reference_rows premium_pct folds rank_z design_effect z
    p_value q_value is_flagged

    items cells rows slope std_error df premium_pct premium_pct_low
    premium_pct_high p_value

rank_z is van Elteren's statistic, z the same over the root of the design effect.
The dicts of price_gaps and price_slopes have the parts, too: premium (its
logarithm), item_variance, member_variance, row_variance, variance and folds.
"""

import struct
import sys
from collections import namedtuple
from fractions import Fraction
from uuid import UUID

import numpy as np

from price_fairness import adjusted, log, read, relative_gap, text, two_sided_t, upper_quantile_t, van_elteren

FOLDS = 32

# Residuals of that size (root of their mean square), relative to what is explained or
# not, are the rounding of logarithms: everybody pays exactly the same premium.
ROUNDING = 1e-12

Row = namedtuple("Row", "item period grp price member")
SlopeRow = namedtuple("SlopeRow", "item period x price member")


# ---------- folds ----------

PRIMES = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
WORD = (1 << 64) - 1


def xxh64(data, seed=0):
    """As the specification of xxHash has it."""
    p1, p2, p3, p4, p5 = PRIMES

    def rotated(x, bits):
        return (x << bits | x >> 64 - bits) & WORD

    def mixed(lane, word):
        return rotated(lane + word * p2 & WORD, 31) * p1 & WORD

    at = 0
    if len(data) < 32:
        h = seed + p5 & WORD
    else:
        lanes = [seed + p1 + p2 & WORD, seed + p2 & WORD, seed & WORD, seed - p1 & WORD]
        while at + 32 <= len(data):
            lanes = [mixed(*pair) for pair in zip(lanes, struct.unpack_from("<4Q", data, at))]
            at += 32
        h = sum(rotated(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18))) & WORD
        for lane in lanes:
            h = (h ^ mixed(0, lane)) * p1 + p4 & WORD
    h = h + len(data) & WORD
    while at + 8 <= len(data):
        h = rotated(h ^ mixed(0, struct.unpack_from("<Q", data, at)[0]), 27) * p1 + p4 & WORD
        at += 8
    if at + 4 <= len(data):
        h = rotated(h ^ struct.unpack_from("<I", data, at)[0] * p1 & WORD, 23) * p2 + p3 & WORD
        at += 4
    for byte in data[at:]:
        h = rotated(h ^ byte * p5 & WORD, 11) * p1 & WORD
    h = (h ^ h >> 33) * p2 & WORD
    h = (h ^ h >> 29) * p3 & WORD
    return h ^ h >> 32


def key_bytes(member):
    """A key as it is stored: docs/storage-format.md, "Books"."""
    if isinstance(member, UUID):
        return member.bytes
    return member.encode() if isinstance(member, str) else struct.pack(">q", member)


def fold(member):
    return xxh64(key_bytes(member)) % FOLDS


# ---------- premium, or slope ----------

def numbered(values):
    """Numbers from 0 in place of values, and how many there are."""
    number = {}
    return np.array([number.setdefault(value, len(number)) for value in values], dtype=int), len(number)


def relative_logs(prices, cells):
    """Logarithms relative to the first price of the cell: of a number near 1 no digit is lost."""
    first = {}
    found = []
    for price, cell in zip(prices, cells):
        excess = price / first.setdefault(cell, price) - 1
        found.append(float(np.log1p(float(excess))) if abs(excess) < Fraction(1, 2) else log(price) - log(first[cell]))
    return found


def centred(values, cell):
    """Deviations from the means of the cells."""
    return values - (np.bincount(cell, values) / np.maximum(1, np.bincount(cell)))[cell]


def effective(weights):
    return weights.sum() ** 2 / (weights**2).sum()


class Fit:
    """A regression of y on x with a constant for each cell, over those cells in which
    x differs, and the variance of its coefficient.

    A jackknife of k parts has k - 1 degrees of freedom where all parts weigh alike.
    is_effective: it has those of its effective number of parts, (sum w)^2 / sum w^2,
    at least 1; and no variance if there is a fold without which nothing compares,
    because members vary and nobody knows how much those of this fold do."""

    def __init__(self, x, y, cells, items, folds, is_effective=False, part="row"):
        x, y, cell = np.array(x, float), np.array(y, float), numbered(cells)[0]
        telling = self.differs(x, cell)[cell] if len(x) else np.zeros(0, bool)
        self.telling = telling
        self.cell, self.cells = numbered(cell[telling])
        self.item, self.items = numbered([i for i, is_telling in zip(items, telling) if is_telling])
        # Deviations, because they lose no digits when sums are taken of them.
        self.x, self.y = x[telling], centred(y[telling], self.cell)
        self.has_folds, self.is_effective, self.part = folds is not None, is_effective, part
        self.fold = numbered([f for f, is_telling in zip(folds, telling) if is_telling])[0] if self.has_folds else None
        self.coefficient = self.without(np.zeros(len(self.x), bool))
        self.folds = self.df = self.member_df = None
        self.item_variance = self.member_variance = self.row_variance = self.variance = None
        if self.coefficient is not None:
            self.weigh()

    @staticmethod
    def differs(x, cell):
        low, high = np.full(cell.max() + 1, np.inf), np.full(cell.max() + 1, -np.inf)
        np.minimum.at(low, cell, x)
        np.maximum.at(high, cell, x)
        return low < high

    def without(self, left_out):
        """The coefficient when these rows are left out: None if no cell is left to tell."""
        x, y, cell = self.x[~left_out], self.y[~left_out], self.cell[~left_out]
        if not len(x):
            return None
        telling = self.differs(x, cell)[cell]
        if not telling.any():
            return None
        x, y, cell = x[telling], y[telling], cell[telling]
        x, y = centred(x, cell), centred(y, cell)
        return (x * y).sum() / (x * x).sum()

    def jackknife(self, part):
        """Variance when a part is left out at a time, of those parts without which
        there is a coefficient; and their number."""
        estimates = [self.without(part == one) for one in range(part.max() + 1)]
        if self.is_effective and part is self.fold and None in estimates:
            return None, 0
        estimates = np.array([one for one in estimates if one is not None])
        k = len(estimates)
        return (None if k < 2 else (k - 1) / k * ((estimates - self.coefficient) ** 2).sum()), k

    def weigh(self):
        x = centred(self.x, self.cell)
        residual = self.y - self.coefficient * x
        self.by_item = np.bincount(self.item, x * x)
        self.item_variance, _ = self.jackknife(self.item)
        scores = x * residual
        if self.part == "item_fold" and self.has_folds:
            scores = np.bincount(self.item * FOLDS + self.fold, scores)
        # Sums of an item tell nothing of its rows.
        if self.part == "row" or self.has_folds:
            self.row_variance = (scores**2).sum() / (x * x).sum() ** 2
        self.member_variance = 0.0
        if self.has_folds:
            self.member_variance, self.folds = self.jackknife(self.fold)
            self.member_df = self.folds - 1
            if self.is_effective:
                self.member_df = max(1.0, effective(np.bincount(self.fold, x * x)) - 1)
        if (residual**2).mean() <= ROUNDING**2 * (self.y**2).mean():
            self.row_variance = None if self.row_variance is None else 0.0
            self.item_variance = None if self.item_variance is None else 0.0
            self.member_variance = None if self.member_variance is None else 0.0
        if None in (self.item_variance, self.member_variance):
            return
        self.df = max(1.0, self.effective_items - 1) if self.is_effective else self.items - 1
        if self.has_folds:
            self.variance = max(
                self.item_variance + self.member_variance - self.row_variance, self.item_variance, self.member_variance)
            self.df = min(self.df, self.member_df)
        else:
            self.variance = max(self.item_variance, self.row_variance or 0.0)

    @property
    def effective_items(self):
        return effective(self.by_item)


def design_effect(variance, row_variance):
    if variance is None:
        return None
    # Without residuals the jackknife has nothing to see either.
    return 1.0 if row_variance == 0 else max(1.0, variance / row_variance)


def t_test(estimate, variance, df):
    """p of Student's test, None if there is no variance."""
    if variance is None:
        return None
    if variance == 0:
        return 0.0 if estimate else 1.0
    return two_sided_t(estimate / np.sqrt(variance), df)


def percent(coefficient, variance, df, alpha):
    """Percent, and its interval"""
    if coefficient is None:
        return None, None, None
    if variance is None:
        return 100 * np.expm1(coefficient), None, None
    half = upper_quantile_t(alpha / 2, df) * np.sqrt(variance)
    with np.errstate(over="ignore"):
        return tuple(100 * np.expm1(coefficient + side * half) for side in (0, -1, 1))


# ---------- reports ----------

def sales(rows):
    """The rows that are sales."""
    rows = list(rows)
    has_members = any(row[5] is not None for row in rows)
    return [
        Row(item, period, grp, Fraction(price), member)
        for item, period, grp, price, quantity, member in rows
        if None not in (item, grp, price, quantity) and not (has_members and member is None)
        and Fraction(price) > 0 and Fraction(quantity) > 0]


def groups(rows, reference):
    found = {row.grp for row in rows}
    assert reference in found
    return sorted(found - {reference}, key=lambda grp: str(grp).encode())


def folds_of(rows, fold_of):
    """Folds of the rows, or None if they have no members."""
    known = {member: fold_of(member) for member in {row.member for row in rows} if member is not None}
    return [known[row.member] for row in rows] if known else None


def compare(rows, grp, reference, fold_of, is_effective):
    """The fit, the rows of the cells that compare, and the rank statistic."""
    rows = [row for row in rows if row.grp in (grp, reference)]
    fit = Fit(
        [float(row.grp == grp) for row in rows], relative_logs([row.price for row in rows], [(row.item, row.period) for row in rows]),
        [(row.item, row.period) for row in rows], [row.item for row in rows], folds_of(rows, fold_of), is_effective)
    compared = [row for row, is_telling in zip(rows, fit.telling) if is_telling]
    cells = {}
    for row in compared:
        cells.setdefault((row.item, row.period), ([], []))[row.grp == reference].append(row.price)
    return fit, compared, van_elteren(cells.values()) if cells else (None, None)


def expected(rows, reference, alpha=0.05, min_premium_pct=1, min_rows=5, fold_of=fold, is_effective=False):
    rows, reports = sales(rows), []
    for grp in groups(rows, reference):
        fit, compared, (rank_z, _) = compare(rows, grp, reference, fold_of, is_effective)
        premium, low, high = percent(fit.coefficient, fit.variance, fit.df, alpha)
        n = sum(row.grp == grp for row in compared)
        effect = design_effect(fit.variance, fit.row_variance)
        z = None if effect is None else rank_z / np.sqrt(effect)
        p_value = None if effect is None else two_sided_t(z, fit.df)
        premium_p_value = t_test(fit.coefficient, fit.variance, fit.df)
        verdict = "not comparable"
        if effect is not None and min(n, len(compared) - n) >= min_rows:
            verdict = "fair"
            # What is just min_premium_pct is not above it, however it was rounded.
            if max(p_value, premium_p_value) < alpha and z * premium > 0 and abs(premium) > min_premium_pct + 1e-9:
                verdict = "unfair" if premium > 0 else "favoured"
        reports.append({
            "member_group": grp, "reference": reference, "items": fit.items, "cells": fit.cells, "rows": n, "reference_rows": len(compared) - n,
            "premium_pct": premium, "premium_pct_low": low, "premium_pct_high": high,
            "std_error": None if fit.variance is None else np.sqrt(fit.variance), "df": fit.df,
            "effective_items": fit.effective_items if compared else None, "design_effect": effect, "rank_z": rank_z, "z": z,
            "p_value": p_value, "premium_p_value": premium_p_value, "verdict": verdict, **parts(fit)})
    return reports


def expected_items(rows, reference, alpha=0.05, min_premium_pct=1, min_rows=5, fold_of=fold, is_effective=False):
    """Sorted by item and group."""
    rows, reports = sales(rows), []
    by_item = {}
    for row in rows:
        by_item.setdefault(row.item, []).append(row)
    for grp in groups(rows, reference):
        its_reports = []
        for item, its_rows in by_item.items():
            fit, compared, (rank_z, p_value) = compare(its_rows, grp, reference, fold_of, is_effective)
            if not compared:
                continue
            effect, z = None, rank_z
            if fit.has_folds:
                effect = design_effect(fit.member_variance, fit.row_variance)
                z = None if effect is None else rank_z / np.sqrt(effect)
                p_value = None if effect is None else two_sided_t(z, fit.member_df)
            sides = [[row for row in compared if (row.grp == grp) == is_own] for is_own in (True, False)]
            n = len(sides[0])
            its_reports.append({
                # Means and ranks may speak of different directions: both are to say dearer.
                "is_flagged": (z or 0) > 0 and relative_gap(*sides) > min_premium_pct and min(n, len(compared) - n) >= min_rows,
                "item": item, "member_group": grp, "rows": n, "reference_rows": len(compared) - n,
                "premium_pct": 100 * np.expm1(fit.coefficient), "folds": fit.folds, "rank_z": rank_z, "design_effect": effect, "z": z,
                "p_value": p_value, "q_value": None, "member_variance": fit.member_variance if fit.has_folds else None,
                "row_variance": fit.row_variance})
        tested = [report for report in its_reports if report["p_value"] is not None]
        for report, q in zip(tested, adjusted([report["p_value"] for report in tested]) if tested else []):
            report["q_value"] = q
        for report in its_reports:
            report["is_flagged"] = report["q_value"] is not None and bool(report["q_value"] < alpha and report["is_flagged"])
        reports += its_reports

    def order(report):
        item = report["item"]
        return (item if isinstance(item, int) else str(item).encode(), str(report["member_group"]).encode())

    return sorted(reports, key=order)


def expected_slope(rows, alpha=0.05, part="row", fold_of=fold, is_effective=False):
    """part says whose variance both jackknives have and is taken off once: that of
    rows, or of the sums of an item's rows in a fold, which needs no more than sums."""
    rows = list(rows)
    has_members = any(row[4] is not None for row in rows)
    rows = [
        SlopeRow(item, period, float(x), Fraction(price), member) for item, period, x, price, member in rows
        if None not in (item, x, price) and not (has_members and member is None) and Fraction(price) > 0]
    fit = Fit(
        [row.x for row in rows], relative_logs([row.price for row in rows], [(row.item, row.period) for row in rows]), [(row.item, row.period) for row in rows],
        [row.item for row in rows], folds_of(rows, fold_of), is_effective, part)
    variance, df = fit.variance, fit.df
    # Members tell of one item alone what items cannot.
    if fit.items == 1 and fit.has_folds and fit.member_variance is not None:
        variance, df = fit.member_variance, fit.member_df
    premium, low, high = percent(fit.coefficient, variance, df, alpha)
    return {
        "items": fit.items, "cells": fit.cells, "rows": len(fit.x), "slope": fit.coefficient,
        "std_error": None if variance is None else np.sqrt(variance), "df": df,
        "premium_pct": premium, "premium_pct_low": low, "premium_pct_high": high,
        "p_value": t_test(fit.coefficient, variance, df), **parts(fit), "variance": variance}


def parts(fit):
    return {
        "premium": fit.coefficient, "item_variance": fit.item_variance, "member_variance": fit.member_variance if fit.has_folds else None,
        "row_variance": fit.row_variance, "variance": fit.variance, "folds": fit.folds}


# ---------- as a program ----------

COLUMNS = {
    "price_gaps": "member_group reference items cells rows reference_rows premium_pct premium_pct_low premium_pct_high std_error df"
    " effective_items design_effect rank_z z p_value premium_p_value verdict",
    "price_gap_items": "item member_group rows reference_rows premium_pct folds rank_z design_effect z p_value q_value is_flagged",
    "price_slopes": "items cells rows slope std_error df premium_pct premium_pct_low premium_pct_high p_value"}


def records_of(file):
    """Records as tuples: item, period, group, price, quantity, member, x."""
    records, order = read(file)
    for r in records:
        member = r.get("member")
        if r.get("member_number") is not None:
            member = int(r["member_number"])
        if r.get("member_uuid") is not None:
            member = UUID(r["member_uuid"])
        item = int(r["item"]) if order is int and r["item"] is not None else r["item"]
        # A period that is NULL makes a sale no sale, unlike periods that nobody gave.
        if r.get("period", "") is None:
            item = None
        yield item, r.get("period"), r.get("member_group"), r["price"], r.get("quantity", "1"), member, r.get("x")


def run(report, file, *parameters):
    is_effective = report == "effective"
    if is_effective:
        report, file, *parameters = file, *parameters
    if report == "folds":
        members = parameters if file == "-" else sorted({r[5] for r in records_of(file)} - {None}, key=key_bytes)
        lines = [(member, fold(member)) for member in members]
    else:
        records = list(records_of(file))
        if report == "price_slopes":
            alpha, part, *_ = (*parameters, *("0.05", "row")[len(parameters):])
            rows = [(r[0], r[1], r[6], r[3], r[5]) for r in records]
            found = [expected_slope(rows, float(alpha), part, is_effective=is_effective)]
        else:
            reference, *numbers = parameters
            function = {"price_gaps": expected, "price_gap_items": expected_items}[report]
            found = function([r[:6] for r in records], reference, *map(float, numbers), is_effective=is_effective)
        lines = [[one[column] for column in COLUMNS[report].split()] for one in found]
    for line in lines:
        print("\t".join(text(value) for value in line))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(*sys.argv[1:])
    else:
        for job in sys.stdin:
            run(*job.rstrip("\n").split("\t"))
            print()
