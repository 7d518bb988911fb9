"""What the price reports should say, by NumPy and SciPy.

    price_fairness.py REPORT FILE [PARAMETER...]
    price_fairness.py < JOBS        one such line after the other, tab-separated

    skipped FILE                    cells, rows skipped: all, null, price, quantity
    price_gaps FILE REFERENCE [ALPHA [MIN_PREMIUM_PCT [MIN_ROWS]]]
    price_gap_money FILE REFERENCE  without the number of items that are flagged
    price_gap_item_money FILE REFERENCE
                                    without what comes from tests
    price_gap_items FILE REFERENCE [ALPHA [MIN_PREMIUM_PCT [MIN_ROWS]]]
    price_gap_mix FILE REFERENCE
    fair_prices FILE REFERENCE
    welch_test - N1 MEAN1 VARIANCE1 N2 MEAN2 VARIANCE2 [ALPHA]
    benjamini_hochberg - P...

Intervals, tests and verdicts are those of price_inference.py.

FILE is CSV with a header: item, member_group and price, with or without period,
quantity and member (or member_number or member_uuid), which only has to be there.  A
column item_number in place of item has items that are numbers.  Answers are lines
of tab-separated columns as COPY writes them; in both, NULL is \\N.  After a job read
from JOBS comes an empty line.

Money is exact.  Where a library has a routine, it is used, and the regressions are
done with a dummy variable for each cell, as a textbook has them: the extension
does neither.
"""

import csv
import math
import sys
from collections import defaultdict
from decimal import Context, Decimal, Inexact
from fractions import Fraction

import numpy as np
import scipy.integrate
import scipy.stats
from scipy.special import gammaln

EXACT = Context(prec=2000, Emin=-3000, Emax=3000, traps=[Inexact])

# Up to so many, cells have dummy variables; the matrix has a column for each.
MOST_DUMMIES = 300


class Row:
    def __init__(self, item, period, member_group, price, quantity):
        self.item, self.period, self.member_group = item, period, member_group
        self.price, self.quantity = Fraction(price), Fraction(quantity)
        self.scale = max(0, -Decimal(price).as_tuple().exponent)
        self.cell = (item, period)


def read(file):
    """Records of the file, and how its items are sorted: texts as bytes."""
    with open(file, newline="", encoding="utf-8") as lines:
        records = list(csv.DictReader(lines))
    is_number = bool(records) and "item_number" in records[0]
    for record in records:
        for name, value in record.items():
            if value == "\\N":
                record[name] = None
        if is_number:
            record["item"] = record.pop("item_number")
    return records, (int if is_number else str.encode)


def rows_of(records):
    """Rows that are sales, and how many are not, by reason."""
    rows, skipped = [], {"null": 0, "price": 0, "quantity": 0}
    for r in records:
        quantity = r.get("quantity", "1")
        members = [r.get(name, "") for name in ("member", "member_number", "member_uuid")]
        if None in (r["item"], r.get("period", ""), r["member_group"], r["price"], quantity, *members):
            skipped["null"] += 1
        elif Fraction(r["price"]) <= 0:
            skipped["price"] += 1
        elif Fraction(quantity) <= 0:
            skipped["quantity"] += 1
        else:
            rows.append(Row(r["item"], r.get("period"), r["member_group"], r["price"], quantity))
    return rows, skipped


def by(rows, name):
    parts = defaultdict(list)
    for row in rows:
        parts[getattr(row, name)].append(row)
    return parts


def common(rows, name, member_group, reference):
    """The rows of both groups in those cells (or items) where both have rows."""
    kept = {
        key: ([r for r in part if r.member_group == member_group], [r for r in part if r.member_group == reference])
        for key, part in by(rows, name).items()
    }
    return {key: pair for key, pair in kept.items() if pair[0] and pair[1]}


# ---------- money ----------

def mean(rows):
    return sum(r.price for r in rows) / Fraction(len(rows))


def median(rows):
    prices = sorted(r.price for r in rows)
    return (prices[(len(prices) - 1) // 2] + prices[len(prices) // 2]) / 2


def average(rows):
    """The mean as avg(numeric) rounds it, with its zeros: PostgreSQL's
    select_div_scale()."""
    def leading(x):
        weight = 0
        while x >= 10000:
            x, weight = x / 10000, weight + 1
        while x < 1:
            x, weight = x * 10000, weight - 1
        return weight, int(x)

    total, n = sum(r.price for r in rows), len(rows)
    (weight1, digit1), (weight2, digit2) = leading(total), leading(Fraction(n))
    weight = weight1 - weight2 - (digit1 <= digit2)
    scale = min(1000, max(16 - 4 * weight, max(r.scale for r in rows)))
    return Decimal(int(total / n * 10**scale + Fraction(1, 2))).scaleb(-scale, EXACT)


def overcharge(cells, is_net=False):
    total = Fraction(0)
    for rows, reference in cells:
        fair = median(reference)
        total += sum((r.price - fair if is_net else max(Fraction(0), r.price - fair)) * r.quantity for r in rows)
    return total


def relative_gap(rows, reference):
    """Percent by which the first mean is above the second"""
    return float(100 * (mean(rows) / mean(reference) - 1))


# ---------- statistics ----------

def two_sided(z):
    """Twice the normal tail: by its logarithm where the tail itself underflows."""
    p = 2 * scipy.stats.norm.sf(abs(z))
    return p if p > 1e-290 else np.exp(np.log(2) + scipy.stats.norm.logsf(abs(z)))


def two_sided_t(t, df):
    """Twice the tail of Student's t: as an integral, relative to the density at t,
    where the tail itself underflows."""
    t = abs(t)
    p = 2 * scipy.stats.t.sf(t, df)
    if p > 1e-290 or not np.isfinite(t):
        return p
    density = scipy.stats.t.logpdf(t, df)
    step = (df + t**2) / (df + 1) / t
    integral, _ = scipy.integrate.quad(
        lambda u: np.exp(scipy.stats.t.logpdf(t + step * u, df) - density), 0, np.inf, epsabs=0, epsrel=1e-12)
    return np.exp(np.log(2 * step * integral) + density)


def upper_quantile_t(share, df):
    """Where the upper tail is that large.  SciPy before 1.17 stops some 1e-11 short of
    it, which one step of Newton's mends: its tails are right."""
    t = scipy.stats.t.isf(share, df)
    return t + (scipy.stats.t.sf(t, df) - share) / scipy.stats.t.pdf(t, df)


def van_elteren(cells):
    """z and p of the rank test stratified by cell, for lists of prices in pairs."""
    top = bottom = 0.0
    for prices, reference in cells:
        m, n = len(prices), len(reference)
        # Ranks of the numbers' order, since floats may not tell them apart.
        order = {price: i for i, price in enumerate(sorted(set(prices + reference)))}
        ranks = scipy.stats.rankdata([order[p] for p in prices + reference])
        _, tied = np.unique(ranks, return_counts=True)
        tied = tied.astype(float)
        size = m + n
        variance = m * n / 12 * (size + 1 - (tied**3 - tied).sum() / (size * (size - 1)))
        if len(tied) == 1:
            variance = 0.0
        top += (ranks[:m].sum() - m * (size + 1) / 2) / (size + 1)
        bottom += variance / (size + 1) ** 2
    if bottom == 0:
        return 0.0, 1.0
    z = top / np.sqrt(bottom)
    return z, two_sided(z)


def hedges_g(prices, reference):
    df = len(prices) + len(reference) - 2
    if df < 2:
        return None

    def squares(values):
        middle = sum(values) / Fraction(len(values))
        return sum((v - middle) ** 2 for v in values)

    pooled = (squares(prices) + squares(reference)) / df
    if pooled == 0:
        return None
    difference = sum(prices) / Fraction(len(prices)) - sum(reference) / Fraction(len(reference))
    # The root of the ratio of exact numbers: neither is too small for a float.
    d = np.sqrt(float(difference**2 / pooled)) * (1 if difference > 0 else -1)
    return d * np.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / np.sqrt(df / 2)


def adjusted(p):
    """Benjamini and Hochberg: the smallest level at which the step-up procedure
    rejects each hypothesis."""
    p = np.asarray(p)
    level = p * len(p) / scipy.stats.rankdata(p, "max")
    q = [min(1.0, level[p >= one].min()) for one in p]
    if hasattr(scipy.stats, "false_discovery_control"):
        assert np.allclose(q, scipy.stats.false_discovery_control(p), rtol=1e-12, atol=0)
    return q


def fixed_effects(x, y, cells):
    """Coefficient of x in a regression with a dummy variable for each cell."""
    _, cell = np.unique([repr(c) for c in cells], return_inverse=True)
    # Which changes nothing but the rounding: the dummies take it up.
    x, y = x - x.mean(), y - y.mean()
    if cell.max() < MOST_DUMMIES:
        design = np.column_stack([cell[:, None] == np.arange(cell.max() + 1), x]).astype(float)
    else:
        # Frisch, Waugh and Lovell: the same of deviations from the cell's means
        def centred(values):
            return values - (np.bincount(cell, values) / np.bincount(cell))[cell]

        y, design = centred(y), centred(x)[:, None]
    # X = QR: the coefficients are R^-1 Q'y, and x is the last of them.
    q, r = np.linalg.qr(design)
    return q[:, -1] @ y / r[-1, -1]


def log(price):
    """ln of an exact number, which may be beyond what a float can hold."""
    return math.log(price) if 1e-300 < price < 1e300 else math.log(price.numerator) - math.log(price.denominator)


# ---------- reports ----------

def skipped(records, _):
    rows, by_reason = rows_of(records)
    yield (len(by(rows, "cell")), sum(by_reason.values()), *by_reason.values())


def groups(rows, reference):
    assert any(r.member_group == reference for r in rows)
    return sorted({r.member_group for r in rows} - {reference}, key=str.encode)


def item_reports(rows, member_group, reference, order, alpha, min_premium_pct, min_rows):
    cells = common(rows, "cell", member_group, reference)
    items = defaultdict(list)
    for (item, _), pair in cells.items():
        items[item].append(pair)
    reports = []
    for item in sorted(items, key=order):
        its_cells = items[item]
        mine = [r for pair in its_cells for r in pair[0]]
        theirs = [r for pair in its_cells for r in pair[1]]
        prices = [[[r.price for r in side] for side in pair] for pair in its_cells]
        reports.append({
            "item": item, "member_group": member_group, "rows": len(mine), "reference_rows": len(theirs),
            "mean": average(mine), "reference_mean": average(theirs),
            "median": median(mine), "reference_median": median(theirs),
            "gap_pct": relative_gap(mine, theirs),
            "hedges_g": hedges_g([r.price for r in mine], [r.price for r in theirs]),
            "z": van_elteren(prices)[0], "p_value": van_elteren(prices)[1], "q_value": None,
            "overcharge": overcharge(its_cells)})
    for report, q in zip(reports, adjusted([r["p_value"] for r in reports])):
        report["q_value"] = q
        # Means and ranks may speak of different directions: both are to say dearer.
        z = report.pop("z")
        report["is_flagged"] = bool(
            q < alpha and z > 0 and report["gap_pct"] > min_premium_pct and min(report["rows"], report["reference_rows"]) >= min_rows)
    return reports


def price_gap_items(records, order, reference, alpha=0.05, min_premium_pct=1, min_rows=5):
    rows, _ = rows_of(records)
    reports = []
    for member_group in groups(rows, reference):
        reports += item_reports(rows, member_group, reference, order, float(alpha), float(min_premium_pct), int(min_rows))
    reports.sort(key=lambda r: (order(r["item"]), r["member_group"].encode()))
    return (r.values() for r in reports)


def price_gaps(records, order, reference, alpha=0.05, min_premium_pct=1, min_rows=5):
    alpha, min_premium_pct, min_rows = float(alpha), float(min_premium_pct), int(min_rows)
    rows, _ = rows_of(records)
    theirs = [r for r in rows if r.member_group == reference]
    for member_group in groups(rows, reference):
        mine = [r for r in rows if r.member_group == member_group]
        cells = common(rows, "cell", member_group, reference)
        items = len({item for item, _ in cells})
        compared = [r for pair in cells.values() for side in pair for r in side]
        n = sum(len(pair[0]) for pair in cells.values())
        revenue = [sum(r.price * r.quantity for r in part) for part in (mine, (r for r in compared if r.member_group == member_group))]
        premium = at_means = None
        if cells:
            premium = 100 * np.expm1(fixed_effects(
                np.array([float(r.member_group == member_group) for r in compared]), np.array([log(r.price) for r in compared]),
                [(r.item, r.period or "") for r in compared]))
            # What the group's rows would cost at the reference's mean prices.
            worth = sum(len(own) * mean(other) for own, other in cells.values())
            at_means = float(100 * (sum(r.price for own, _ in cells.values() for r in own) / worth - 1))
        flagged = sum(r["is_flagged"] for r in item_reports(rows, member_group, reference, order, alpha, min_premium_pct, min_rows)) if cells else 0
        yield (member_group, reference, items, len(cells), n, len(compared) - n, float(revenue[1] / revenue[0]),
               relative_gap(mine, theirs), at_means, premium, overcharge(cells.values()), overcharge(cells.values(), is_net=True), flagged)


def price_gap_money(*arguments):
    return (row[:-1] for row in price_gaps(*arguments))


def price_gap_item_money(*arguments):
    """Without p, q and the flag"""
    return ([*row][:10] + [[*row][12]] for row in map(list, price_gap_items(*arguments)))


def price_gap_mix(records, _, reference):
    rows, _ = rows_of(records)
    for member_group in groups(rows, reference):
        items = list(common(rows, "item", member_group, reference).values())
        if not items:
            yield (member_group, reference, 0, 0, 0, None, None, None, None, None)
            continue
        n = [sum(len(pair[side]) for pair in items) for side in (0, 1)]
        means = [sum(r.price for pair in items for r in pair[side]) / n[side] for side in (0, 1)]
        basket = price = Fraction(0)
        for pair in items:
            share = [Fraction(len(pair[side]), n[side]) for side in (0, 1)]
            paid = [mean(pair[side]) for side in (0, 1)]
            basket += (share[0] - share[1]) * (paid[0] + paid[1]) / 2
            price += (paid[0] - paid[1]) * (share[0] + share[1]) / 2
        assert basket + price == means[0] - means[1]
        yield (member_group, reference, len(items), *n, *(float(f) for f in (*means, means[0] - means[1], basket, price)))


def fair_prices(records, order, reference):
    rows, _ = rows_of(records)
    cells = by((r for r in rows if r.member_group == reference), "cell")
    for item, period in sorted(cells, key=lambda cell: (order(cell[0]), cell[1] or "")):
        cell = cells[item, period]
        yield (item, period, median(cell), len(cell))


def welch_test(_, __, n1, mean1, variance1, n2, mean2, variance2, alpha=0.05):
    n1, n2, mean1, mean2 = int(n1), int(n2), float(mean1), float(mean2)
    a, b = Fraction(float(variance1)) / n1, Fraction(float(variance2)) / n2
    df = float((a + b) ** 2 / (a**2 / (n1 - 1) + b**2 / (n2 - 1)))
    t = scipy.stats.ttest_ind_from_stats(
        mean1, np.sqrt(float(variance1)), n1, mean2, np.sqrt(float(variance2)), n2, equal_var=False).statistic
    half = upper_quantile_t(float(alpha) / 2, df) * np.sqrt(float(a + b))
    difference = mean1 - mean2
    yield (difference, difference - half, difference + half, t, df, two_sided_t(t, df))


def benjamini_hochberg(_, __, *p):
    yield from ((q,) for q in adjusted([float(one) for one in p]))


# ---------- text ----------

def text(value):
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Fraction):
        exact = EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))
        return format(exact.normalize(EXACT), "f")
    if isinstance(value, float):
        return repr(float(value))
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


REPORTS = [skipped, price_gaps, price_gap_money, price_gap_items, price_gap_item_money, price_gap_mix, fair_prices, welch_test, benjamini_hochberg]


def run(report, file, *parameters):
    function = {f.__name__: f for f in REPORTS}[report]
    records, order = ([], None) if file == "-" else read(file)
    for line in function(records, order, *parameters):
        print("\t".join(text(value) for value in line))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(*sys.argv[1:])
    else:
        for job in sys.stdin:
            run(*job.rstrip("\n").split("\t"))
            print()
