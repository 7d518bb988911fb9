"""Checks price_inference.py by other means: published values, exact fractions,
regressions with a dummy variable for each cell, and tests that SciPy has of its
own where they come to the same.  Prints TAP."""

import struct
import subprocess
import sys
import tempfile
from fractions import Fraction
from math import isclose
from pathlib import Path
from uuid import UUID

import numpy as np
import scipy.stats

import price_inference
import price_shops
from price_fairness import log
from price_inference import PRIMES, expected, expected_items, expected_slope, fold, key_bytes, xxh64

# The example of the definitions: item, group, member, price.
EXAMPLE = [
    ("a", "1", "m1", "11"), ("a", "1", "m2", "12"), ("a", "0", "m3", "10"), ("b", "1", "m1", "22"), ("b", "0", "m3", "20"),
    ("b", "0", "m4", "21"), ("c", "1", "m2", "5.5"), ("c", "0", "m4", "5")]


def same(got, want, relative=1e-9, absolute=0.0):
    assert (got is None) == (want is None) and (got is None or isclose(got, want, rel_tol=relative, abs_tol=absolute)), f"{got}, not {want}"


def itself(member):
    return member


def shop(seed, items=6, periods=2, members=12, rows=200, grp_by_member=True):
    """Rows of a shop in which everything differs: (item, period, group, price, quantity, member)"""
    random = np.random.default_rng(seed)
    level, premium, base = random.normal(0, 0.05, members), random.normal(0.02, 0.03, items), random.uniform(1, 5, items)
    found = []
    for _ in range(rows):
        item, member, period = min(items - 1, int(random.exponential(2))), int(random.integers(members)), int(random.integers(periods))
        grp = member % 2 if grp_by_member else int(random.integers(2))
        price = np.exp(base[item] + 0.1 * period + premium[item] * grp + level[member] + random.normal(0, 0.1))
        found.append((f"item {item}", period, str(grp), f"{price:.2f}", 1, member))
    return found


# ---------- the same by other means ----------

def by_fractions(rows):
    """The premium as the mean of differences that is its definition, of logarithms as
    they are as floats; None if no cell compares."""
    cells = {}
    for item, period, grp, price, _, _ in rows:
        cells.setdefault((item, period), ([], []))[grp == "0"].append(Fraction(log(Fraction(price))))
    top = bottom = Fraction(0)
    for one, other in cells.values():
        if one and other:
            h = Fraction(len(one) * len(other), len(one) + len(other))
            top += h * (sum(one) / len(one) - sum(other) / len(other))
            bottom += h
    return top / bottom if bottom else None


def by_regression(x, y, cells):
    """The coefficient of x beside dummy variables, by least squares, and its variance
    if rows are independent (White's, HC0): None if x is a sum of the dummies."""
    names = sorted(set(cells))
    design = np.column_stack([[float(cell == name) for cell in cells] for name in names] + [np.array(x, float)])
    coefficients, _, rank, _ = np.linalg.lstsq(design, np.array(y), rcond=1e-10)
    if rank < design.shape[1]:
        return None
    solver = np.linalg.pinv(design)[-1]
    residuals = np.array(y) - design @ coefficients
    return coefficients[-1], ((solver * residuals) ** 2).sum()


def left_out(rows, part, estimate):
    """Jackknife variance, leaving out the rows of a part at a time, and number of parts."""
    whole = estimate(rows)
    estimates = [estimate([row for row in rows if part(row) != one]) for one in {part(row) for row in rows}]
    estimates = [one for one in estimates if one is not None]
    k = len(estimates)
    return Fraction(k - 1, k) * sum((one - whole) ** 2 for one in estimates), k


# ---------- checks ----------

def hash_values_that_are_published():
    for data, hashed in ((b"", 0xEF46DB3751D8E999), (b"a", 0xD24EC4F1A98C6E5B), (b"abc", 0x44BC2CF5AD770999)):
        assert xxh64(data) == hashed
    # The bytes that xxHash's own check hashes.
    generator, data = 2654435761, bytearray()
    for _ in range(222):
        data.append(generator >> 56)
        generator = generator * 11400714785074694797 % 2**64
    for length, seed, hashed in (
            (1, 0, 0xE934A84ADB052768), (1, 2654435761, 0x5014607643A9B4C3), (4, 0, 0x9136A0DCA57457EE), (14, 0, 0x8282DCC4994E35C8),
            (14, 2654435761, 0xC3BD6BF63DEB6DF0), (222, 0, 0xB641AE8CB691C174), (222, 2654435761, 0x20CB8AB7AE10C14A)):
        assert xxh64(bytes(data[:length]), seed) == hashed
    assert len(set(PRIMES)) == 5


def hash_of_the_library():
    try:
        import xxhash
    except ImportError:
        return "SKIP python3-xxhash is not installed"
    random = np.random.default_rng(1)
    for length in range(130):
        data = random.bytes(length)
        assert xxh64(data) == xxhash.xxh64_intdigest(data), length


def keys():
    assert key_bytes(1) == bytes(7) + b"\1" and key_bytes(-1) == b"\xff" * 8
    assert key_bytes(UUID("00112233-4455-6677-8899-aabbccddeeff")) == bytes.fromhex("00112233445566778899aabbccddeeff")
    assert key_bytes("é") == b"\xc3\xa9"
    assert fold(-(2**63)) == xxh64(struct.pack(">Q", 2**63)) % 32


def example():
    rows = [(item, None, grp, price, 1, member) for item, grp, member, price in EXAMPLE]
    [got] = expected(rows, "0", fold_of=itself)
    # By hand: h = 2/3, 2/3, 1/2; d = ln(sqrt(132) / 10), ln(22 / sqrt(420)), ln(5.5 / 5).
    h, d = np.array([2 / 3, 2 / 3, 1 / 2]), np.log([132**0.5 / 10, 22 / 420**0.5, 1.1])
    premium = (h * d).sum() / h.sum()
    same(got["premium"], premium)
    same(got["premium"], 0.1022594912, 1e-9)
    without = [(h * d)[np.arange(3) != i].sum() / h[np.arange(3) != i].sum() for i in range(3)]
    same(got["item_variance"], 2 / 3 * sum((one - premium) ** 2 for one in without))
    # Without m1: a and c; m2: a and b; m3: b and c; m4: a and b.
    without = [
        (0.5 * np.log(1.2) + 0.5 * np.log(1.1)) / 1, (0.5 * np.log(1.1) + 2 / 3 * d[1]) / (7 / 6),
        (0.5 * np.log(22 / 21) + 0.5 * np.log(1.1)) / 1, (2 / 3 * d[0] + 0.5 * np.log(1.1)) / (7 / 6)]
    same(got["member_variance"], 3 / 4 * sum((one - premium) ** 2 for one in without))
    # In a and in b a pair faces a single row: the deviation of its rows from the cell's
    # mean is 1/3, that of the single row 2/3.
    squares = 0.0
    for distance, off in ((np.log(12 / 11), d[0] - premium), (np.log(21 / 20), d[1] - premium)):
        squares += sum((1 / 3 * (1 / 3 * off + half * distance)) ** 2 for half in (-0.5, 0.5)) + (2 / 3 * 2 / 3 * off) ** 2
    squares += 2 * (1 / 2 * 1 / 2 * (d[2] - premium)) ** 2
    same(got["row_variance"], squares / h.sum() ** 2)
    same(got["variance"], max(
        got["item_variance"] + got["member_variance"] - got["row_variance"], got["item_variance"], got["member_variance"]))
    same(got["effective_items"], (11 / 6) ** 2 / (4 / 9 + 4 / 9 + 1 / 4))
    # W - E is 1, 1, 1/2 with weights 1/4, 1/4, 1/3; variances 2/3, 2/3, 1/4.
    same(got["rank_z"], (1 / 4 + 1 / 4 + 1 / 6) / (2 / 3 / 16 * 2 + 1 / 36) ** 0.5)
    assert (got["df"], got["folds"], got["items"], got["verdict"]) == (2, 4, 3, "not comparable")


def premium_by_fractions_and_by_regression():
    for seed in range(6):
        rows = shop(seed, grp_by_member=seed % 2 == 0)
        [got] = expected(rows, "0", fold_of=itself)
        compared = [row for row in rows if by_fractions([r for r in rows if r[:2] == row[:2]]) is not None]
        same(got["premium"], float(by_fractions(rows)), 1e-11)
        item_variance, items = left_out(compared, lambda row: row[0], by_fractions)
        member_variance, folds = left_out(compared, lambda row: row[5], by_fractions)
        same(got["item_variance"], float(item_variance))
        same(got["member_variance"], float(member_variance))

        def regression(some):
            return by_regression([row[2] == "1" for row in some], [np.log(float(row[3])) for row in some], [row[:2] for row in some])

        premium, row_variance = regression(compared)
        same(got["premium"], premium)
        same(got["row_variance"], row_variance)
        same(got["member_variance"], left_out(compared, lambda row: row[5], lambda some: (regression(some) or [None])[0])[0], 1e-8)
        variance = max(item_variance + member_variance - row_variance, item_variance, member_variance)
        same(got["std_error"], float(variance) ** 0.5)
        assert (got["items"], got["folds"], got["df"]) == (items, folds, min(items, folds) - 1)
        same(got["design_effect"], max(1, float(variance) / row_variance))
        same(got["z"], got["rank_z"] / got["design_effect"] ** 0.5)
        same(got["p_value"], 2 * scipy.stats.t.sf(abs(got["z"]), got["df"]))
        same(got["premium_p_value"], 2 * scipy.stats.t.sf(abs(premium) / got["std_error"], got["df"]))
        low, high = scipy.stats.t.interval(0.95, got["df"], premium, got["std_error"])
        same(got["premium_pct_low"], 100 * np.expm1(low), 1e-8)
        same(got["premium_pct_high"], 100 * np.expm1(high), 1e-8)


def items_alike_are_a_t_test():
    """With the same number of rows in each item, jackknife over items is Student's
    test of the items' differences."""
    random = np.random.default_rng(3)
    for verdict, shift in (("unfair", 0.05), ("favoured", -0.05), ("fair", 0.0)):
        rows, differences = [], []
        for item in range(12):
            prices = [np.round(np.exp(3 + shift * (side == 1) + random.normal(0, 0.02)), 4) for side in (1, 1, 1, 0, 0, 0)]
            rows += [(item, None, str(side), str(price), 1, None) for side, price in zip((1, 1, 1, 0, 0, 0), prices)]
            differences.append(np.log(prices[:3]).mean() - np.log(prices[3:]).mean())
        [got] = expected(rows, "0")
        same(got["item_variance"], scipy.stats.sem(differences) ** 2)
        if got["item_variance"] > got["row_variance"]:
            same(got["premium_p_value"], scipy.stats.ttest_1samp(differences, 0).pvalue)
        same(got["effective_items"], 12)
        assert got["verdict"] == verdict and got["df"] == 11 and got["folds"] is None, got


def members_alike_have_a_closed_form():
    """One cell, each member as many rows: what is left without a member moves the mean
    of its group by its distance over the others' number."""
    random = np.random.default_rng(4)
    members = {1: range(1, 7), 0: range(7, 16)}
    means, rows = {1: [], 0: []}, []
    for side in members:
        for member in members[side]:
            prices = np.round(np.exp(3 + random.normal(0, 0.1) + random.normal(0, 0.05, 4)), 4)
            rows += [("item", 7, str(side), str(price), 1, member) for price in prices]
            means[side].append(np.log(prices).mean())
    [got] = expected_items(rows, "0", fold_of=itself)
    want = 14 / 15 * sum(np.var(means[side]) * len(means[side]) / (len(means[side]) - 1) ** 2 for side in means)
    same(got["member_variance"], want)
    same(got["design_effect"], want / got["row_variance"])
    same(got["p_value"], 2 * scipy.stats.t.sf(abs(got["rank_z"]) / got["design_effect"] ** 0.5, 14))
    same(got["q_value"], got["p_value"])
    ranks = scipy.stats.mannwhitneyu(
        [float(r[3]) for r in rows if r[2] == "1"], [float(r[3]) for r in rows if r[2] == "0"], method="asymptotic", use_continuity=False)
    same(2 * scipy.stats.norm.sf(abs(got["rank_z"])), ranks.pvalue)
    [got] = expected(rows, "0", fold_of=itself)
    assert got["verdict"] == "not comparable" and got["std_error"] is None and got["premium_pct_low"] is None


def items_have_their_q():
    rows = shop(8, rows=600)
    got = expected_items(rows, "0")
    assert len(got) == 6
    for one in got:
        its_rows = [row for row in rows if row[0] == one["item"]]
        member_variance, folds = left_out(its_rows, lambda row: fold(row[5]), by_fractions)
        same(one["member_variance"], float(member_variance))
        assert one["folds"] == folds
        row_variance = by_regression(
            [row[2] == "1" for row in its_rows], [np.log(float(row[3])) for row in its_rows], [row[1] for row in its_rows])[1]
        same(one["design_effect"], max(1, float(member_variance) / row_variance))
        same(one["p_value"], 2 * scipy.stats.t.sf(abs(one["rank_z"]) / one["design_effect"] ** 0.5, folds - 1))
    p = sorted(one["p_value"] for one in got)
    for one in got:
        same(one["q_value"], min(1, *(p[i] * 6 / (i + 1) for i in range(6) if p[i] >= one["p_value"])))
    without = expected_items([(*row[:5], None) for row in rows], "0")
    for one in without:
        same(one["p_value"], 2 * scipy.stats.norm.sf(abs(one["rank_z"])))
        assert one["design_effect"] is None


def slopes_by_regression():
    random = np.random.default_rng(5)
    for items in (5, 1):
        rows = [(row[0], row[1], random.uniform(0, 9), row[3], row[5]) for row in shop(9, items=items)]
        rows.append(("alone", 3, 1.0, "10", 1))

        def regression(some):
            return by_regression([row[2] for row in some], [np.log(float(row[3])) for row in some], [row[:2] for row in some])

        telling = rows[:-1]
        got = expected_slope(rows)
        slope, row_variance = regression(telling)
        same(got["slope"], slope)
        same(got["row_variance"], row_variance)
        member_variance, folds = left_out(telling, lambda row: fold(row[4]), lambda some: regression(some)[0])
        same(got["member_variance"], member_variance)
        assert (got["items"], got["folds"], got["rows"]) == (items, folds, len(telling))
        if items == 1:
            variance, df = member_variance, folds - 1
        else:
            item_variance, _ = left_out(telling, lambda row: row[0], lambda some: regression(some)[0])
            same(got["item_variance"], item_variance)
            variance, df = max(item_variance + member_variance - row_variance, item_variance, member_variance), min(items, folds) - 1
        assert got["df"] == df
        same(got["std_error"], variance**0.5)
        same(got["p_value"], 2 * scipy.stats.t.sf(abs(slope) / variance**0.5, df))
        same(got["premium_pct_high"], 100 * np.expm1(slope + scipy.stats.t.isf(0.025, df) * variance**0.5), 1e-8)
    # What both jackknives have, as the sandwich of clusters that are an item's rows in a fold.
    rows = [(row[0], row[1], random.uniform(0, 9), row[3], row[5]) for row in shop(9)]
    got = expected_slope(rows, part="item_fold")
    design = np.column_stack([[float(row[:2] == cell) for row in rows] for cell in sorted({row[:2] for row in rows})] + [[row[2] for row in rows]])
    y = np.array([np.log(float(row[3])) for row in rows])
    scores = np.linalg.pinv(design)[-1] * (y - design @ np.linalg.lstsq(design, y, rcond=None)[0])
    clusters = [(row[0], fold(row[4])) for row in rows]
    want = sum(scores[[one == cluster for one in clusters]].sum() ** 2 for cluster in set(clusters))
    same(got["row_variance"], want)
    same(got["variance"], max(got["item_variance"] + got["member_variance"] - want, got["item_variance"], got["member_variance"]))
    # A group is an x of two values.
    rows = shop(10)
    [group], slope = expected(rows, "0"), expected_slope([(row[0], row[1], row[2], row[3], row[5]) for row in rows])
    for name in ("premium_pct", "premium_pct_low", "premium_pct_high", "std_error", "df", "row_variance"):
        same(group[name], slope[name])
    same(group["premium_p_value"], slope["p_value"])


def prices_without_residuals():
    """All pay exactly a tenth more: the premium is certain."""
    rows = [(item, None, grp, price, 1, member) for item, low, high in (("a", "10", "11"), ("b", "20", "22"), ("c", "70", "77"))
            for members, grp, price in ((range(6), "1", high), (range(6, 12), "0", low)) for member in members]
    [got] = expected(rows, "0")
    same(got["premium_pct"], 10)
    assert got["std_error"] == 0 and got["design_effect"] == 1 and got["premium_p_value"] == 0 and got["verdict"] == "unfair"
    same(got["z"], got["rank_z"])
    [got] = expected([(*row[:3], "5", *row[4:]) for row in rows], "0")
    assert got["premium_pct"] == 0 and got["p_value"] == 1 and got["premium_p_value"] == 1 and got["verdict"] == "fair"


def effective_numbers():
    rows = shop(12, items=3, rows=300)
    [got] = expected(rows, "0", is_effective=True)
    [plain] = expected(rows, "0")
    for name in ("premium", "item_variance", "member_variance", "row_variance", "std_error", "rank_z", "z"):
        same(got[name], plain[name])
    # Leverage, the diagonal of the hat matrix, less what the cell's own dummy has.
    grp, cells = np.array([float(row[2]) for row in rows]), [row[:2] for row in rows]
    dummies = np.column_stack([[float(cell == name) for cell in cells] for name in sorted(set(cells))])
    leverage = [np.diag(design @ np.linalg.pinv(design)) for design in (np.column_stack([dummies, grp]), dummies)]
    leverage = leverage[0] - leverage[1]
    sizes = []
    for part in ([row[0] for row in rows], [fold(row[5]) for row in rows]):
        weights = [leverage[[one == name for one in part]].sum() for name in set(part)]
        same(sum(weights), 1)
        sizes.append(1 / sum(weight**2 for weight in weights))
    same(got["effective_items"], sizes[0])
    same(got["df"], max(1, min(sizes) - 1))
    # A group of one member: what leaving out others tells is not how members of the group vary.
    lonely = [row for row in rows if row[2] == "0" or row[5] == 1]
    [got], [plain] = expected(lonely, "0", is_effective=True), expected(lonely, "0")
    assert got["std_error"] is None and got["verdict"] == "not comparable" and plain["std_error"] is not None
    for one in expected_items(lonely, "0", is_effective=True):
        assert one["p_value"] is None and one["q_value"] is None


def simulated_shops():
    price_shops.check()


def the_program():
    def asked(text, *arguments):
        return subprocess.run(
            [sys.executable, price_inference.__file__, *arguments], input=text, capture_output=True, check=True, encoding="utf-8").stdout

    assert asked("", "folds", "-", "m1", "m2", "é") == "".join(f"{member}\t{fold(member)}\n" for member in ("m1", "m2", "é"))
    # The last four are no sales.
    records = [(row[0][5:], *row[1:]) for row in shop(11)] + [
        ("\\N", 1, 1, 9, 1, 3), (1, 1, 1, 9, 1, "\\N"), (1, "\\N", 1, 9, 1, 4), (1, 1, 1, 0, 1, 4)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        file.write_text("".join(
            ",".join(map(str, record)) + "\n" for record in [("item_number", "period", "member_group", "price", "quantity", "member_number"), *records]))
        gaps, items, effective, end = asked(
            f"price_gaps\t{file}\t0\nprice_gap_items\t{file}\t0\t.1\neffective\tprice_gaps\t{file}\t0\n").split("\n\n")
    for line, is_effective in ((gaps, False), (effective, True)):
        [want] = expected(shop(11), "0", is_effective=is_effective)
        assert line.split("\t") == [price_inference.text(want[name]) for name in price_inference.COLUMNS["price_gaps"].split()], line
    assert len(items.split("\n")) == 6 and end == ""


CHECKS = [
    hash_values_that_are_published, hash_of_the_library, keys, example, premium_by_fractions_and_by_regression, items_alike_are_a_t_test,
    members_alike_have_a_closed_form, items_have_their_q, slopes_by_regression, prices_without_residuals, effective_numbers, simulated_shops,
    the_program]

if __name__ == "__main__":
    print(f"1..{len(CHECKS)}")
    failed = 0
    for number, check in enumerate(CHECKS, 1):
        try:
            skipped = check()
            print(f"ok {number} - {check.__name__.replace('_', ' ')}" + (f" # {skipped}" if skipped else ""))
        except AssertionError as error:
            failed += 1
            print(f"not ok {number} - {check.__name__.replace('_', ' ')}")
            print(f"# line {error.__traceback__.tb_next.tb_lineno}: {error}")
    sys.exit(failed > 0)
