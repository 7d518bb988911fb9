"""Simulated shops, to see how often an interval holds the truth and a verdict is false.

    price_shops.py lines                            names of the kinds of shops, and what they are
    price_shops.py rows LINE SHOPS [SEED]           CSV with a header: shop, item, period, member_group,
                                                    price, quantity, member
    price_shops.py expected LINE SHOPS [SEED]       of each shop, tab-separated: shop, premium_pct,
                                                    premium_pct_low, premium_pct_high, std_error,
                                                    df, effective_items, design_effect, rank_z, z,
                                                    p_value, premium_p_value, verdict
    price_shops.py table SHOPS [LINE...]            shares of the shops: where intervals hold the
                                                    truth, where p < .05, what is called unfair
    price_shops.py slopes SHOPS [LINE...]           the same of slopes, of prices by how long members
                                                    have been such, which none depends on
    price_shops.py check                            the fast sums against price_inference.py

"effective" before the rest has everything by is_effective of price_inference.py.

A shop's group is "1" and its reference "0".  Shops are numbered from 0, and shop
number n of a seed is the same however many are asked for.  The rows of 500 shops
fit in one table: COPY them, and make books GROUP BY shop.

Logarithms of prices are the item's level, plus the premium of its item in group
1, plus the member's own level, plus noise of 10 %.  Members are in either group by turns,
unless the line says how many are in group 1; who buys what is chance.
"""

import math
import sys
from collections import namedtuple

import numpy as np
import scipy.stats

from price_fairness import text, upper_quantile_t
from price_inference import FOLDS, effective, expected, expected_slope, fold

ROWS, NOISE, DECIMALS = 4000, 0.1, 4

# sizes: "alike", "one" item with 80 % of the rows, or the exponent of Zipf's law.
# favourites: each member buys one item alone.
# sd of what each item's premium, and each member's price level, differs from the rest.
Line = namedtuple(
    "Line", "items sizes members item_sd member_sd premium in_group member_sizes rows periods favourites",
    defaults=(0, 0, 0, None, "alike", ROWS, 1, False))

LINES = {
    "alike": Line(30, "alike", 2000),
    "five": Line(5, "alike", 2000, item_sd=0.02),
    "zipf": Line(30, 1, 2000, item_sd=0.03, rows=12000),
    "one": Line(30, "one", 2000),
    "one_varied": Line(30, "one", 2000, item_sd=0.03),
    "members_40_2": Line(30, "alike", 40, member_sd=0.02),
    "members_40_5": Line(30, "alike", 40, member_sd=0.05),
    "members_200": Line(30, "alike", 200, member_sd=0.05, rows=8000),
    "both": Line(30, 1, 200, item_sd=0.03, member_sd=0.05, rows=8000),
    "power": Line(30, "alike", 2000, premium=0.03)}

# Shops that are harder than those for which the definitions were made.
HARDER = {
    "zipf_1.5": Line(30, 1.5, 2000, item_sd=0.03),
    "five_zipf": Line(5, 1, 2000, item_sd=0.03),
    "both_1.5": Line(30, 1.5, 200, item_sd=0.03, member_sd=0.05),
    "both_one": Line(30, "one", 200, item_sd=0.03, member_sd=0.05),
    "zipf_members": Line(30, "alike", 200, member_sd=0.05, member_sizes=1),
    "zipf_members_2000": Line(30, "alike", 2000, member_sd=0.05, member_sizes=1),
    "group_of_20": Line(30, "alike", 200, member_sd=0.05, in_group=20),
    "group_of_5": Line(30, "alike", 200, member_sd=0.05, in_group=5),
    "group_of_2": Line(30, "alike", 200, member_sd=0.05, in_group=2),
    "group_of_1": Line(30, "alike", 200, member_sd=0.05, in_group=1),
    "eight": Line(30, "alike", 8, member_sd=0.05),
    "two_items": Line(2, "alike", 2000, item_sd=0.03),
    "periods": Line(30, 1, 200, item_sd=0.03, member_sd=0.05, periods=10),
    "sparse": Line(1000, "alike", 2000, member_sd=0.05),
    "favourites": Line(30, "alike", 200, member_sd=0.05, favourites=True),
    "power_both": Line(30, 1, 200, item_sd=0.03, member_sd=0.05, premium=0.03),
    "power_200": Line(30, "alike", 200, member_sd=0.05, premium=0.03)}

Shop = namedtuple("Shop", "item period grp price member")


def shares(sizes, n):
    if sizes == "alike":
        return np.full(n, 1 / n)
    if sizes == "one":
        return np.array([0.8] + [0.2 / (n - 1)] * (n - 1))
    weights = np.arange(1, n + 1, dtype=float) ** -sizes
    return weights / weights.sum()


def shop(name, number, seed=0):
    """A shop's rows as arrays.  Prices are whole numbers, of units of 10^-DECIMALS."""
    names = {**LINES, **HARDER}
    line = names[name]
    random = np.random.default_rng([seed, list(names).index(name), number])
    base = random.uniform(1, 5, line.items)
    premium = math.log1p(line.premium) + random.normal(0, 1, line.items) * line.item_sd
    level = random.normal(0, 1, line.members) * line.member_sd
    item = random.choice(line.items, line.rows, p=shares(line.sizes, line.items))
    # So that neither group has all of the large ones.
    member = random.permutation(line.members)[random.choice(line.members, line.rows, p=shares(line.member_sizes, line.members))]
    if line.favourites:
        item = (member // 2 + member % 2) % line.items
    period = random.integers(line.periods, size=line.rows)
    grp = member % 2 if line.in_group is None else (member < line.in_group).astype(int)
    logarithm = base[item] + premium[item] * grp + level[member] + random.normal(0, NOISE, line.rows)
    return Shop(item, period, grp, np.rint(np.exp(logarithm) * 10**DECIMALS).astype(np.int64), member)


def rows(one):
    """As price_inference.expected() takes them"""
    for item, period, grp, price, member in zip(*(column.tolist() for column in one)):
        yield f"item {item}", f"2026-01-{period + 1:02}", str(grp), f"{price / 10**DECIMALS:.{DECIMALS}f}", "1", member


# ---------- the same from sums by cell and fold ----------

FOLD_OF = np.array([fold(member) for member in range(2000)])


def premium(n, s):
    """Of rows and sums with axes cell, group and any others: h and h·d by cell."""
    (n0, n1), (s0, s1) = np.moveaxis(n, 1, 0), np.moveaxis(s, 1, 0)
    compares = (n0 > 0) & (n1 > 0)
    one, other = np.where(compares, n1, 1), np.where(compares, n0, 1)
    h = np.where(compares, one * other / (one + other), 0)
    return h, np.where(compares, h * (s1 / one - s0 / other), 0)


def jackknife(estimates, whole):
    k = len(estimates)
    return (k - 1) / k * ((estimates - whole) ** 2).sum() if k > 1 else np.nan


def van_elteren(cell, grp, price):
    key, of_key, tied = np.unique(cell * 2**40 + price, return_inverse=True, return_counts=True)
    size = np.bincount(cell)
    m = np.bincount(cell, grp)
    before = np.concatenate([[0], np.cumsum(size)[:-1]])
    rank = (np.cumsum(tied) - (tied - 1) / 2)[of_key] - before[cell]
    ties = np.bincount(key >> 40, tied.astype(float) ** 3 - tied, minlength=len(size))
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = 1 / (size + 1)
        variance = m * (size - m) / 12 * (size + 1 - np.where(size > 1, ties / (size * (size - 1)), 0))
        top = (weight * (np.bincount(cell, grp * rank) - m * (size + 1) / 2)).sum()
    return top / np.sqrt((weight**2 * variance).sum())


def quick(one, alpha=0.05, min_premium_pct=1, is_effective=False):
    """A dict like that of price_inference.expected(), with today's variance, clustered
    by item."""
    _, cell = np.unique(one.item * 1000 + one.period, return_inverse=True)
    y = np.log(one.price)
    y = y - (np.bincount(cell, y) / np.bincount(cell))[cell]
    shape = (cell.max() + 1, 2, FOLDS)
    at = np.ravel_multi_index((cell, one.grp, FOLD_OF[one.member]), shape)
    n = np.bincount(at, minlength=math.prod(shape)).reshape(shape).astype(float)
    s = np.bincount(at, y, minlength=math.prod(shape)).reshape(shape)
    n_all, s_all = n.sum(axis=2), s.sum(axis=2)
    h, hd = premium(n_all, s_all)
    gamma = hd.sum() / h.sum()

    item_of = np.zeros(len(h), int)
    item_of[cell] = one.item
    h_item, hd_item = np.bincount(item_of, h), np.bincount(item_of, hd)
    hd_item, h_item = hd_item[h_item > 0], h_item[h_item > 0]
    items = len(h_item)
    item_variance = jackknife((hd.sum() - hd_item) / (h.sum() - h_item) if items > 1 else [], gamma)

    h_left, hd_left = (part.sum(axis=0) for part in premium(n_all[:, :, None] - n, s_all[:, :, None] - s))
    exists = (n[h > 0].sum(axis=(0, 1)) > 0) & (h_left > 0)
    member_variance = jackknife(hd_left[exists] / h_left[exists], gamma)
    folds = exists.sum()
    if is_effective and not (h_left > 0).all():
        return nothing(gamma)

    compared = (h > 0)[cell]
    x = one.grp - (n_all[:, 1] / n_all.sum(axis=1))[cell]
    scores = (x * (y - gamma * x))[compared]
    row_variance = (scores**2).sum() / h.sum() ** 2
    clustered = items / max(1, items - 1) * (np.bincount(one.item[compared], scores) ** 2).sum() / h.sum() ** 2

    variance = max(item_variance + member_variance - row_variance, item_variance, member_variance)
    df = min(items, folds) - 1
    if is_effective:
        df = max(1.0, min(effective(h_item), effective(np.bincount(FOLD_OF[one.member[compared]], x[compared] ** 2))) - 1)
    effect = max(1.0, variance / row_variance)
    _, its_cell = np.unique(cell[compared], return_inverse=True)
    rank_z = van_elteren(its_cell, one.grp[compared], one.price[compared])
    z = rank_z / math.sqrt(effect)
    se = math.sqrt(variance)
    half = upper_quantile_t(alpha / 2, df) * se
    p_value, premium_p_value = (2 * scipy.stats.t.sf(abs(t), df) for t in (z, gamma / se))
    pct = 100 * np.expm1(gamma)
    verdict = "fair"
    if max(p_value, premium_p_value) < alpha and z * gamma > 0 and abs(pct) > min_premium_pct:
        verdict = "unfair" if gamma > 0 else "favoured"
    return {
        "premium_pct": pct, "premium_pct_low": 100 * np.expm1(gamma - half), "premium_pct_high": 100 * np.expm1(gamma + half),
        "std_error": se, "df": df, "effective_items": h_item.sum() ** 2 / (h_item**2).sum(), "design_effect": effect,
        "rank_z": rank_z, "z": z, "p_value": p_value, "premium_p_value": premium_p_value, "verdict": verdict,
        "premium": gamma, "items": items, "folds": folds, "item_variance": item_variance, "member_variance": member_variance,
        "row_variance": row_variance, "clustered": clustered}


def nothing(gamma):
    """What is said of a group that one fold is all of"""
    pct = 100 * np.expm1(gamma)
    found = dict.fromkeys((*EXPECTED.split(), "items", "folds", "item_variance", "member_variance", "row_variance", "clustered"), np.nan)
    return {**found, "premium": gamma, "premium_pct": pct, "verdict": "not comparable"}


def check():
    """Of small shops, among them such as lose cells when a fold is left out"""
    for name, line in {**LINES, **HARDER}.items():
        full = shop(name, 0)
        few = Shop(*(column[:150 if line.in_group is None else 600] for column in full))
        for is_effective in (False, True):
            got, [want] = quick(few, is_effective=is_effective), expected(rows(few), "0", min_rows=0, is_effective=is_effective)
            if got["verdict"] == "not comparable":
                got = {key: got[key] for key in ("premium", "premium_pct", "verdict")}
            for key, value in got.items():
                other = want.get(key, value)
                if other is None or value != other and not math.isclose(value, other, rel_tol=1e-8):
                    raise AssertionError(f"{name}, {key}: {value}, not {other}")


def table(shops, *names, is_effective=False):
    print(f"{'line':18} today rank  | folds items two-way rank/D  t    both  unfair favoured | eff.items  se ratio  sd of z ({shops} shops)")
    for name in names or list(LINES) + list(HARDER):
        truth = math.log1p({**LINES, **HARDER}[name].premium)
        found = [quick(shop(name, number), is_effective=is_effective) for number in range(shops)]
        found = [one for one in found if one["verdict"] != "not comparable"]
        if not found:
            print(f"{name:18} not comparable")
            continue
        column = {key: np.array([one[key] for one in found]) for key in found[0]}
        distance = abs(column["premium"] - truth)

        def holds(variance, df):
            return (distance <= scipy.stats.t.isf(0.025, df) * np.sqrt(variance)).mean()

        both = np.maximum(column["p_value"], column["premium_p_value"]) < 0.05
        shares_of = [
            holds(column["clustered"], column["items"] - 1), (2 * scipy.stats.norm.sf(abs(column["rank_z"])) < 0.05).mean(),
            holds(column["member_variance"], column["folds"] - 1), holds(column["item_variance"], column["items"] - 1),
            holds(column["std_error"] ** 2, column["df"]), (column["p_value"] < 0.05).mean(), (column["premium_p_value"] < 0.05).mean(),
            both.mean(), (column["verdict"] == "unfair").mean(), (column["verdict"] == "favoured").mean()]
        print(
            f"{name:18} " + " ".join(f"{share:.3f}" for share in shares_of[:2]) + " | " + " ".join(f"{share:.3f}" for share in shares_of[2:])
            + f" | {column['effective_items'].mean():5.1f} {column['std_error'].mean() / column['premium'].std():5.2f} {column['z'].std():5.2f}",
            flush=True)


def slopes(shops, *names, is_effective=False):
    print(f"{'line':18} holds the truth, p < .05 ({shops} shops)")
    for name in names or LINES:
        found = []
        for number in range(shops):
            one = shop(name, number)
            years = np.random.default_rng([1, number]).integers(1000, size=one.member.max() + 1) / 100
            found.append(expected_slope(
                ((item, period, x, price, member) for (item, period, _, price, _, member), x in zip(rows(one), years[one.member].tolist())),
                is_effective=is_effective))
        holds = np.mean([one["premium_pct_low"] <= 0 <= one["premium_pct_high"] for one in found])
        print(f"{name:18} {holds:.3f} {np.mean([one['p_value'] < 0.05 for one in found]):.3f}", flush=True)


def number_or_none(value):
    return None if np.isnan(value) else float(value)


EXPECTED = "premium_pct premium_pct_low premium_pct_high std_error df effective_items design_effect rank_z z p_value premium_p_value verdict"

if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    is_effective = command == "effective"
    if is_effective:
        command, *arguments = arguments
    if command == "check":
        check()
    elif command in ("table", "slopes"):
        (table if command == "table" else slopes)(int(arguments[0]), *arguments[1:], is_effective=is_effective)
    elif command == "lines":
        for name, line in {**LINES, **HARDER}.items():
            print(name, *(f"{key}={value}" for key, value in line._asdict().items()), sep="\t")
    else:
        name, shops, *seed = arguments
        if command == "rows":
            print("shop,item,period,member_group,price,quantity,member")
        for number in range(int(shops)):
            one = shop(name, number, *map(int, seed))
            if command == "rows":
                print("\n".join(f"{number}," + ",".join(map(str, row)) for row in rows(one)))
            else:
                found = quick(one, is_effective=is_effective)
                print(number, *(found[key] if key == "verdict" else text(number_or_none(found[key])) for key in EXPECTED.split()), sep="\t")
