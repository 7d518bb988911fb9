"""What campaign's reports should say, from the definitions in docs/campaign.md, with
exact fractions for sums and SciPy for distributions.

Reads members, one a line: case, segment, score, treated (t or f), y, y before, with
tabs between; prints one figure a line: case, report, row, column, value, an empty
value for NULL."""

import sys
from collections import defaultdict
from fractions import Fraction
from math import fsum, hypot, sqrt

import scipy.stats

ALPHA = 0.05
MARGIN, CONTACT, DISCOUNT = 8, 0.1, 1
Z = scipy.stats.norm.isf(ALPHA / 2)


def wilson(count, n):
    """scipy.stats.binomtest has the same interval, but is slow."""
    p = count / n
    center, margin = (p + Z * Z / (2 * n)) / (1 + Z * Z / n), Z / (1 + Z * Z / n) * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return max(center - margin, 0.0) if count else 0.0, min(center + margin, 1.0) if count < n else 1.0


def conversion(x1, n1, x0, n0):
    """difference, low, high, error, z, p; the last three None where too few are expected"""
    p1, p0 = x1 / n1, x0 / n0
    (l1, u1), (l0, u0) = wilson(x1, n1), wilson(x0, n0)
    d = float(Fraction(x1, n1) - Fraction(x0, n0))
    pooled = (x1 + x0) / (n1 + n0)
    found = [d, d - hypot(p1 - l1, u0 - p0), d + hypot(u1 - p1, p0 - l0), None, None, None]
    if min(pooled, 1 - pooled) * min(n1, n0) >= 5:
        error = sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0))
        found[3:] = [error, d / error, 2 * scipy.stats.norm.sf(abs(d / error))]
    return found


def student_quantile(df):
    """SciPy's has nine digits; Newton's iteration has more."""
    t = scipy.stats.t.isf(ALPHA / 2, df)
    for _ in range(3):
        t += (scipy.stats.t.sf(t, df) - ALPHA / 2) / scipy.stats.t.pdf(t, df)
    return t


def welch(treated, control):
    """difference, low, high, error, t, df, p of two lists of numbers"""
    def parts(values):
        n = len(values)
        mean = sum(values) / n
        return n, mean, sum((v - mean) ** 2 for v in values) / (n - 1)
    (n1, m1, v1), (n0, m0, v0) = parts(treated), parts(control)
    a, b = float(v1 / n1), float(v0 / n0)
    error = sqrt(a + b)
    df = (a + b) ** 2 / (a * a / (n1 - 1) + b * b / (n0 - 1))
    d = float(m1 - m0)
    margin = student_quantile(df) * error
    return d, d - margin, d + margin, error, d / error, df, 2 * scipy.stats.t.sf(abs(d / error), df)


def slope(groups):
    """theta of pairs (y, before) in each group"""
    xy = xx = Fraction(0)
    for pairs in groups:
        my, mx = sum(y for y, _ in pairs) / len(pairs), sum(x for _, x in pairs) / len(pairs)
        xy += sum((y - my) * (x - mx) for y, x in pairs)
        xx += sum((x - mx) ** 2 for _, x in pairs)
    return xy / xx


def benjamini_hochberg(p):
    return [min(1.0, min(len(p) / sum(other <= q for other in p) * q for q in p if q >= mine)) for mine in p]


def results(members):
    groups = [[(y, before) for t, y, before in members if t == side] for side in (True, False)]
    treated, control = groups
    n1, n0 = len(treated), len(control)
    d, low, high, error, z, p = conversion(sum(y != 0 for y, _ in treated), n1, sum(y != 0 for y, _ in control), n0)
    yield "conversion", dict(uplift=d, uplift_low=low, uplift_high=high, std_error=error, statistic=z, df=None, p_value=p, incremental=d * n1)
    names = ("uplift", "uplift_low", "uplift_high", "std_error", "statistic", "df", "p_value")
    found = welch([y for y, _ in treated], [y for y, _ in control])
    yield "spend", dict(zip(names, found), incremental=found[0] * n1)
    theta = slope(groups)
    mean = sum(before for g in groups for _, before in g) / (n1 + n0)
    found = welch(*([y - theta * (before - mean) for y, before in g] for g in groups))
    yield "adjusted spend", dict(zip(names, found), incremental=found[0] * n1)
    share = 2 / 3
    planned = (n1 + n0) * share
    chi = (n1 - planned) ** 2 / planned + (n0 - (n1 + n0 - planned)) ** 2 / (n1 + n0 - planned)
    yield "ratio", dict(chi_squared=chi, p_value=scipy.stats.chi2.sf(chi, 1))


def rate_variance(x, n):
    p = x / n if min(x, n - x) >= 5 else (x + 1) / (n + 2)
    return p * (1 - p) / n


def segments(by_segment):
    """by_segment: name -> (x1, n1, x0, n0)"""
    whole = {name: c for name, c in by_segment.items() if c[1] and c[3]}
    measured = {name: conversion(*c) for name, c in whole.items()}
    tested = [name for name in whole if measured[name][5] is not None]
    q = dict(zip(tested, benjamini_hochberg([measured[name][5] for name in tested])))
    v1 = {name: rate_variance(*c[:2]) for name, c in whole.items()}
    v0 = {name: rate_variance(*c[2:]) for name, c in whole.items()}
    v = {name: v1[name] + v0[name] for name in whole}
    k = len(whole)
    w = {name: 1 / v[name] for name in whole}
    sum_w = fsum(w.values())
    center = fsum(w[n] * measured[n][0] for n in whole) / sum_w
    cochran = fsum(w[n] * (measured[n][0] - center) ** 2 for n in whole)
    tau2 = max(0.0, (cochran - (k - 1)) / (sum_w - fsum(x * x for x in w.values()) / sum_w)) if k > 1 else 0.0
    star = {name: 1 / (v[name] + tau2) for name in whole}
    mu = fsum(star[n] * measured[n][0] for n in whole) / fsum(star.values())
    wider = tau2 + sqrt(2 / fsum(x * x for x in star.values()))
    yield "differences", "", dict(segments=k, mean_uplift=mu, uplift_sd=sqrt(tau2), cochran_q=cochran, df=k - 1, p_value=scipy.stats.chi2.sf(cochran, k - 1) if k > 1 else None)
    overall = sum(c[2] for c in by_segment.values()) / sum(c[3] for c in by_segment.values())
    for name, c in by_segment.items():
        if name not in whole:
            yield "segments", name, dict.fromkeys(("uplift", "uplift_low", "uplift_high", "p_value", "q_value", "shrunk_uplift", "shrunk_low", "shrunk_high"))
            yield "offers", name, dict.fromkeys(("label", "observed_profit", "expected_profit", "probability", "offer"))
            continue
        d, low, high, _, _, p = measured[name]
        kept = tau2 / (tau2 + v[name])
        shrunk, variance = (kept * d + (1 - kept) * mu, wider * v[name] / (wider + v[name]) + (1 - kept) ** 2 / fsum(star.values())) if k >= 4 else (d, v[name])
        margin = Z * sqrt(variance)
        yield "segments", name, dict(uplift=d, uplift_low=low, uplift_high=high, p_value=p, q_value=q.get(name), shrunk_uplift=shrunk, shrunk_low=shrunk - margin, shrunk_high=shrunk + margin)
        p1, p0 = c[0] / c[1], c[2] / c[3]
        # The rate without the campaign, given the uplift, is a line: from two of its points follow slope and level.
        level = (p0 * v1[name] + p1 * v0[name]) / v[name]
        falls = v0[name] / v[name]
        profit = shrunk * MARGIN - CONTACT - DISCOUNT * (level - falls * shrunk + shrunk)
        spread = variance * (MARGIN - DISCOUNT * (1 - falls)) ** 2 + DISCOUNT ** 2 * v1[name] * v0[name] / v[name]
        probability = scipy.stats.norm.cdf(profit / sqrt(spread))
        label = "persuadable" if shrunk > margin else "sleeping dog" if shrunk < -margin else "sure thing" if p0 >= overall else "lost cause"
        yield "offers", name, dict(label=label, observed_profit=(p1 - p0) * MARGIN - CONTACT - DISCOUNT * p1, expected_profit=profit, probability=probability, offer="t" if probability >= 0.8 else "f")


def curve(kind, rows):
    """rows: (score, treated, y), any order; area above chance, by its definition"""
    levels = sorted({score for score, _, _ in rows}, reverse=True)
    last, value, area = 0, Fraction(0), Fraction(0)
    for level in levels:
        n, y = [0, 0], [Fraction(0), Fraction(0)]
        for score, treated, outcome in rows:
            if score >= level:
                n[treated] += 1
                y[treated] += outcome
        if kind == "qini":
            height = y[1] - (y[0] * n[1] / n[0] if n[0] else 0)
        else:
            height = ((y[1] / n[1] if n[1] else 0) - (y[0] / n[0] if n[0] else 0)) * sum(n)
        area += (sum(n) - last) * (value + height) / 2
        last, value = sum(n), height
    return value, area, area - last * value / 2


def curves(rows):
    treated_in_vain = sum(t and not y for _, t, y in rows)
    lost = sum(not t and y != 0 for _, t, y in rows)
    best = {"qini": lambda t, y: y * t - y * (1 - t), "gain": lambda t, y: 2 * (y == t) + (y if treated_in_vain < lost else t)}
    binary = [(score, t, Fraction(int(y != 0))) for score, t, y in rows]
    for kind in best:
        value, area, above = curve(kind, binary)
        perfect = curve(kind, [(best[kind](t, int(y)), t, y) for _, t, y in binary])[2]
        yield kind, dict(last_value=float(value), area=float(area), above_chance=float(above), perfect=float(perfect), coefficient=float(above / perfect) if perfect else None)
        value, area, above = curve(kind, rows)
        yield kind + " of money", dict(last_value=float(value), area=float(area), above_chance=float(above))


def main():
    cases = defaultdict(list)
    for line in open(sys.argv[1], encoding="utf-8"):
        case, segment, score, treated, y, before = line.rstrip("\n").split("\t")
        cases[case].append((segment, float(score), treated == "t", Fraction(y), Fraction(before)))
    for case, rows in cases.items():
        counts = defaultdict(lambda: [0, 0, 0, 0])
        for segment, _, treated, y, _ in rows:
            at = 0 if treated else 2
            counts[segment][at] += y != 0
            counts[segment][at + 1] += 1
        found = [("results", name, columns) for name, columns in results([(t, y, b) for _, _, t, y, b in rows])]
        found += segments(counts)
        found += [("curves", name, columns) for name, columns in curves([(s, int(t), y) for _, s, t, y, _ in rows])]
        for report, row, columns in found:
            for column, value in columns.items():
                print(case, report, row, column, "" if value is None else repr(float(value)) if not isinstance(value, str) else value, sep="\t")


main()
