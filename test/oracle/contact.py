"""What contact's reports should say, from its definitions, by looking at every pair of
rows, with exact fractions; quantiles are SciPy's.

    contact.py shops NUMBER DIRECTORY    random shops: writes rows.csv and settings.csv,
                                         which COPY reads, into the directory
    contact.py journey FOLDER DIRECTORY  the same of The Complete Journey's campaigns,
                                         which are in the folder
    contact.py truth DIRECTORY           the same of a log whose truth is known

Each prints the expected figures, one a line: shop, report, row, column, value and
tolerance with tabs between, an empty value for NULL."""

import csv
import gzip
import os
import random
import sys
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from decimal import Decimal, getcontext
from fractions import Fraction
from math import exp, floor, fsum, log, sqrt
from uuid import UUID

import scipy.stats

getcontext().prec = 60
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
KINDS = ("sent", "opened", "clicked", "converted", "complained", "unsubscribed", "subscribed")
DEFAULTS = dict(as_of=None, half_life=7 * DAY, channels=None, weights=None, lookback=180 * DAY, respond_within=7 * DAY, responses=("clicked", "converted"),
                prior_weight=None, span=7 * DAY, base_cap=3, min_cap=1, max_cap=7, max_prior=10, alpha=0.05, channel=None)
CLOSE = 1e-12


def microseconds(*when):
    return (datetime(*when, tzinfo=timezone.utc) - EPOCH) // timedelta(microseconds=1)


def moment(t):
    """as to_jsonb() writes a timestamptz in UTC"""
    if t is None:
        return None
    text = (EPOCH + timedelta(microseconds=t)).replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "+00:00"


def number(fraction):
    return None if fraction is None else float(fraction)


# ---------- definitions ----------


def contacts_of(rows):
    """(member, channel) -> moments at which something was sent, each once"""
    found = defaultdict(set)
    for member, channel, kind, t in rows:
        if kind == "sent":
            found[member, channel].add(t)
    return found


def credited(rows, contacts, kinds, within):
    """(member, channel, moment) of the contacts that a row of one of the kinds goes to:
    the latest at or before it, if that is not too long ago"""
    found = set()
    for member, channel, kind, t in rows:
        if kind in kinds:
            before = [c for c in contacts[member, channel] if c <= t] if (member, channel) in contacts else []
            if before and t - max(before) <= within:
                found.add((member, channel, max(before)))
    return found


def pressure(moments, as_of, half_life, weight):
    """moments: (channel, t); the largest first"""
    # The distance in half-lives is rounded once.
    return fsum(weight.get(channel, 1.0) * 2.0 ** -float(Fraction(as_of - t, half_life)) for channel, t in moments)


def next_contact(moments, as_of, span, cap):
    """the earliest moment at which fewer than cap contacts are in the window: tried at
    as_of, and whenever one leaves it"""
    if cap <= 0:
        return None
    for at in sorted({as_of} | {t + span for t in moments if t + span > as_of}):
        if sum(at - span < t <= at for t in moments) < cap:
            return at
    raise AssertionError


def priors(counts, prior_weight):
    """channel -> what (member -> (n, x)) of its mature contacts say:
    members, contacts, responses, rate, kappa (None: everybody is as all are), tolerance"""
    found = {}
    for channel, members in counts.items():
        sizes = [(n, x) for n, x in members.values() if n > 0]
        k, total, answers = len(sizes), sum(n for n, _ in sizes), sum(x for _, x in sizes)
        p = Fraction(answers, total) if total else None
        kappa, tolerance = None, CLOSE
        if prior_weight is not None:
            kappa = Fraction(prior_weight)
        elif k >= 2 and p not in (0, 1):
            spread = sum(n * (Fraction(x, n) - p) ** 2 for n, x in sizes)
            chance = p * (1 - p) * (k - 1)
            size = total - Fraction(sum(n * n for n, _ in sizes), total) - (k - 1)
            if size != 0:
                rho = (spread - chance) / (p * (1 - p) * size)
                if rho > 0:
                    kappa = max(1 / rho - 1, Fraction(1, 100))
                    # What is lost where numbers that are nearly equal are subtracted.
                    worse = (spread + chance) / abs(spread - chance) + (total + k) / abs(size)
                    tolerance = max(CLOSE, float(4e-16 * worse * (1 / rho) / kappa))
        found[channel] = (k, total, answers, p, kappa, tolerance)
    return found


def ratio(n, x, prior):
    """engagement, and how it compares with everybody's"""
    _, _, _, p, kappa, _ = prior
    if p is None:
        return None, Fraction(1)
    if kappa is None or n + kappa == 0:
        return p, Fraction(1)
    engagement = (x + kappa * p) / (n + kappa)
    return engagement, engagement / p if p else Fraction(1)


def cap_of(r, base_cap, min_cap, max_cap):
    return max(min_cap, min(max_cap, floor(base_cap * r + Fraction(1, 2))))


def opted_out(rows, member, channel=None):
    """of the channel, or of all as if they were one"""
    last = {True: None, False: None}
    for m, c, kind, t in rows:
        if m == member and channel in (None, c) and kind in ("unsubscribed", "complained", "subscribed"):
            out = kind != "subscribed"
            last[out] = t if last[out] is None else max(last[out], t)
    return last[True] is not None and (last[False] is None or last[True] >= last[False])


def wilson(x, n, alpha):
    z2 = Decimal(scipy.stats.norm.isf(alpha / 2)) ** 2
    p = Decimal(x) / n
    center, margin = (p + z2 / (2 * n)) / (1 + z2 / n), (z2 * (p * (1 - p) / n + z2 / (4 * n * n))).sqrt() / (1 + z2 / n)
    return float(center - margin) if x else 0.0, float(center + margin) if x < n else 1.0


def rate_ratio(strata, alpha):
    """strata: (a, n1, b, n0); Mantel-Haenszel, with the interval of Greenland and Robins"""
    above = sum(Fraction(a * n0, n1 + n0) for a, n1, b, n0 in strata)
    below = sum(Fraction(b * n1, n1 + n0) for a, n1, b, n0 in strata)
    if below == 0:
        return None, None, None
    if above == 0:
        return 0.0, None, None
    variance = sum(Fraction(n1 * n0 * (a + b) - a * b * (n1 + n0), (n1 + n0) ** 2) for a, n1, b, n0 in strata) / (above * below)
    if variance == 0:
        return float(above / below), None, None
    margin = scipy.stats.norm.isf(alpha / 2) * sqrt(variance)
    center = log(above / below)
    return float(above / below), exp(center - margin), exp(center + margin)


# ---------- reports ----------


def reports(rows, s):
    """yields report, row, column -> value, tolerance"""
    rows = [r for r in set(rows) if None not in r]
    as_of = s["as_of"] if s["as_of"] is not None else max(t for *_, t in rows)
    contacts = contacts_of(rows)
    members = {m for m, *_ in rows}
    pairs = {(m, c) for m, c, *_ in rows}
    rows_of = defaultdict(list)
    for r in rows:
        rows_of[r[0]].append(r)
    weight = dict(zip(s["channels"] or (), s["weights"] or ()))
    of_member = {m: [(c, t) for c in {c for n, c in pairs if n == m} for t in contacts.get((m, c), ())] for m in members} if len(members) < 500 else None
    if of_member is None:
        of_member = defaultdict(list)
        for (m, c), moments in contacts.items():
            of_member[m] += [(c, t) for t in moments]

    for m in members:
        mine = of_member[m]
        yield "pressures", m, dict(pressure=pressure(mine, as_of, s["half_life"], weight), contacts=len(mine), last_contact=moment(max((t for _, t in mine), default=None))), CLOSE
        moments = [t for _, t in mine]
        yield "trails", m, dict(pressure=pressure(mine, as_of, s["half_life"], weight), within=sum(as_of - s["span"] < t <= as_of for t in moments),
                                next=moment(next_contact(moments, as_of, s["span"], 0 if opted_out(rows_of[m], m) else s["base_cap"]))), CLOSE

    answered = set().union(*(credited(r, contacts, s["responses"], s["respond_within"]) for r in rows_of.values()))
    lost = set().union(*(credited(r, contacts, ("unsubscribed", "complained"), s["respond_within"]) for r in rows_of.values()))
    counts = defaultdict(dict)
    for m, c in pairs:
        mature = [t for t in contacts.get((m, c), ()) if t + s["respond_within"] <= as_of and as_of - s["lookback"] < t <= as_of]
        counts[c][m] = len(mature), sum((m, c, t) in answered for t in mature)
    prior = priors(counts, s["prior_weight"])
    for c, (k, n, x, p, kappa, tolerance) in prior.items():
        yield "priors", c, dict(members=k, contacts=n, responses=x, rate=number(p), prior_weight=number(kappa)), tolerance
    for m, c in pairs:
        n, x = counts[c][m]
        engagement, r = ratio(n, x, prior[c])
        yield "engagements", f"{m} {c}", dict(contacts=n, responses=x, rate=number(Fraction(x, n)) if n else None, engagement=number(engagement), ratio=float(r)), prior[c][5]
        out = opted_out(rows_of[m], m, c)
        cap = 0 if out else cap_of(r, s["base_cap"], s["min_cap"], s["max_cap"])
        moments = contacts.get((m, c), ())
        recent = sum(as_of - s["span"] < t <= as_of for t in moments)
        yield "allowances", f"{m} {c}", dict(contacts=recent, ratio=float(r), cap=cap, is_allowed=recent < cap,
                                             next_allowed=moment(next_contact(moments, as_of, s["span"], cap)), is_opted_out=out), prior[c][5]

    # Fatigue: contacts of one channel, or of all together.
    by_prior = defaultdict(list)
    for m in members:
        mine = [(c, t) for c, t in of_member[m] if s["channel"] in (None, c)]
        for c, t in mine:
            if t + s["respond_within"] <= as_of:
                before = sum(t - s["span"] < other < t for _, other in mine)
                by_prior[min(before, s["max_prior"])].append((m, (m, c, t) in answered, (m, c, t) in lost))
    first = defaultdict(lambda: [0, 0])
    for m, yes, _ in by_prior[0]:
        first[m][0] += yes
        first[m][1] += 1
    for j in [j for j in sorted(by_prior) if by_prior[j]]:
        found = by_prior[j]
        n, x, left = len(found), sum(yes for _, yes, _ in found), sum(no for *_, no in found)
        low, high = wilson(x, n, s["alpha"])
        mine = defaultdict(lambda: [0, 0])
        for m, yes, _ in found:
            mine[m][0] += yes
            mine[m][1] += 1
        strata = [(*mine[m], *first[m]) for m in mine if m in first]
        center, ratio_low, ratio_high = rate_ratio(strata, s["alpha"]) if j else (1.0, None, None)
        yield "fatigue", str(j), dict(contacts=n, responses=x, rate=x / n, ci_low=low, ci_high=high, opt_outs=left, opt_out_rate=left / n, members=len(strata) if j else None,
                                      rate_ratio=center, ratio_ci_low=ratio_low, ratio_ci_high=ratio_high, is_tired=ratio_high is not None and ratio_high < 1), CLOSE


# ---------- shops ----------


def random_shop(number):
    """rows and settings; what all shops have of: ties, repeated lines, one moment on
    several channels, answers at the last moment that counts and just after it, events
    without a contact, members who left and came back"""
    dice = random.Random(20260308 + number)
    step = (HOUR, 12 * HOUR, DAY, SECOND, 7, 250_001)[number % 6]
    # Times are on a grid of so many places; on a coarse one nearly all are the same.
    length = dice.choice((20, 60, 200)) if step >= HOUR else 60 * DAY // step
    start = microseconds(2025, 11, 3, 10) + (0 if step >= SECOND else dice.randrange(DAY))
    names = ["email", "sms", "push", "Brief & Karte", "téléphone", "Email", "e", "app\\n", "'; --", '"x"', "{a,b}", "z", "ÿ", "電話", "a b", "letter"]
    channels = dice.sample(names, 16 if number == 7 else dice.choice((1, 1, 2, 3, 4)))
    coarse = max(step, HOUR)

    def span(low, high):
        return max(1, round(dice.uniform(low, high) * DAY / coarse)) * coarse + (dice.choice((0, 0, -1, 1)) if step < HOUR else 0)

    s = dict(DEFAULTS)
    if number % 10 != 0:
        s.update(half_life=span(0.2, 12), lookback=dice.choice((span(5, 40), 180 * DAY)), respond_within=span(0.1, 6), span=span(0.5, 12),
                 responses=dice.choice((("clicked", "converted"), ("converted",), ("opened", "clicked", "converted"), ("clicked", "subscribed", "clicked"))),
                 prior_weight=dice.choice((None, None, 1, 4, 10, 0.5)), base_cap=dice.choice((1, 2, 3, 5)), max_cap=dice.choice((5, 7, 20)), min_cap=dice.choice((0, 1, 1)),
                 max_prior=dice.choice((1, 2, 4, 10)), alpha=dice.choice((0.05, 0.1, 0.01)), channel=dice.choice((None, channels[0])))
        if dice.random() < 0.7:
            listed = dice.sample(channels, dice.randint(1, len(channels))) + ["never used"]
            s.update(channels=listed, weights=[dice.choice((0, 0.5, 1, 2, 3, 8)) for _ in listed])

    rows = []
    at = lambda place: start + min(max(place, 0), length) * step
    spread = dice.choice((0.3, 1, 3))
    for i in range(dice.choice((2, 12, 40, 70))):
        member = dice.randrange(-2**63, 2**63) if dice.random() < 0.1 else i * 7919 % 1009 - 20
        member = (str(member), str(UUID(int=member * 2654435761 % 2**128)), f"Kunde № {member}" + "x" * (member % 5 * 9))[number % 3]
        keen = dice.betavariate(0.4 * spread, 1.2 * spread)
        places = [dice.randint(0, length) for _ in range(int(dice.expovariate(1 / 8)))]
        if step < HOUR and places:
            # Runs, as calm as days or as dense as minutes.
            gap = dice.choice((span(0.2, 3), 600 * SECOND)) // step
            places = [places[0] + int(dice.expovariate(1 / gap)) * k for k in range(len(places))]
        for place in places:
            t = at(place)
            channel = dice.choice(channels)
            rows += [(member, channel, "sent", t)] * dice.choice((1, 1, 1, 2, 3))
            if dice.random() < 0.15:
                rows.append((member, dice.choice(channels), "sent", t))
            if dice.random() < 0.4:
                rows.append((member, channel, "opened", t + dice.randrange(0, 3) * step))
            if dice.random() < keen:
                late = dice.choice((0, step, s["respond_within"] // step * step // 2 // step * step, s["respond_within"], s["respond_within"] + 1 if step < SECOND else s["respond_within"] + step))
                rows += [(member, channel, dice.choice(("clicked", "converted")), t + late)] * dice.choice((1, 2))
            if dice.random() < 0.05:
                rows.append((member, channel, dice.choice(("unsubscribed", "complained")), t + dice.choice((0, step, s["respond_within"]))))
            if dice.random() < 0.05:
                rows.append((member, channel, "subscribed", t + dice.choice((0, step))))
        if dice.random() < 0.3:
            rows.append((member, dice.choice(channels), dice.choice(KINDS[1:]), at(dice.randint(0, length))))
        if dice.random() < 0.05:
            rows.append(dice.choice(((None, "email", "sent", start), (member, None, "sent", start), (member, "email", None, start), (member, "email", "sent", None))))
    if step >= SECOND:
        rows = [(m, c, k, t if t is None else t // SECOND * SECOND) for m, c, k, t in rows]
    if not any(None not in r for r in rows):
        return random_shop(number + 1000)
    latest = max(r[3] for r in rows if None not in r)
    if number % 10 != 0:
        # Some distances to as_of are exactly those that are asked about.
        s["as_of"] = dice.choice((None, latest, latest + s["span"], latest + s["respond_within"], latest + step * dice.randint(0, 5)))
    dice.shuffle(rows)
    return rows, s


def journey(folder):
    def lines(name):
        with gzip.open(f"{folder}/{name}.csv.gz", "rt", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    day = lambda text: microseconds(*map(int, text.split("-")))
    starts = {line["campaign_id"]: day(line["start_date"]) for line in lines("campaign_descriptions")}
    rows = [(line["household_id"], "mail", "sent", starts[line["campaign_id"]]) for line in lines("campaigns")]
    rows += [(line["household_id"], "mail", "converted", day(line["redemption_date"])) for line in lines("coupon_redemptions")]
    return rows, dict(DEFAULTS, as_of=microseconds(2018, 1, 1), span=60 * DAY, respond_within=30 * DAY, lookback=1000 * DAY, base_cap=2, min_cap=1, max_cap=4)


def truth():
    """82,000 mails of 2026; the keen third answer to .40 of them, the others to .10, and
    both .85 times as often for each mail of the seven days before; the keen are written to
    more often, in weeks of many mails and weeks of few"""
    dice = random.Random(1985)
    rows, member, mails = [], 0, 0
    first = microseconds(2026, 1, 1, 9)
    while mails < 82_000:
        member += 1
        keen = member % 3 == 0
        sent = []
        for day in range(90):
            if day % 7 == 0:
                chance = dice.choice((0.05, 0.2, 0.5)) * (1 if keen else 0.3)
            if dice.random() < chance and mails < 82_000:
                t = first + day * DAY
                prior = sum(t - 7 * DAY < other for other in sent)
                sent.append(t)
                mails += 1
                rows.append((str(member), "email", "sent", t))
                if dice.random() < (0.4 if keen else 0.1) * 0.85 ** prior:
                    rows.append((str(member), "email", "clicked", t + dice.randrange(20 * 60) * 60 * SECOND))
    return rows, dict(DEFAULTS, as_of=microseconds(2026, 4, 10), respond_within=36 * HOUR)


# ---------- in and out ----------


def interval(us):
    return f"{us // DAY} days {us % DAY // SECOND} seconds {us % SECOND} microseconds"


def array(values):
    return "{" + ",".join('"' + str(v).replace("\\", "\\\\").replace('"', '\\"') + '"' for v in values) + "}"


def write(shops, directory):
    with open(f"{directory}/rows.csv", "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        for number, (rows, _) in shops.items():
            out.writerows([number, m, c, k, moment(t)] for m, c, k, t in rows)
    with open(f"{directory}/settings.csv", "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        for number, (_, s) in shops.items():
            out.writerow([number, ("bigint", "uuid", "text")[number % 3], moment(s["as_of"]), interval(s["half_life"]), s["channels"] and array(s["channels"]), s["weights"] and array(s["weights"]),
                          interval(s["lookback"]), interval(s["respond_within"]), array(s["responses"]), s["prior_weight"], interval(s["span"]), s["base_cap"], s["min_cap"], s["max_cap"],
                          s["max_prior"], s["alpha"], s["channel"]])


def shown(value):
    return "" if value is None else "true" if value is True else "false" if value is False else repr(value) if isinstance(value, float) else str(value)


def main():
    what, *arguments = sys.argv[1:]
    if what == "shops":
        shops = {n: random_shop(n) for n in range(1, int(arguments[0]) + 1)}
    elif what == "journey":
        shops = {0: journey(arguments[0])}
    else:
        shops = {0: truth()}
    write(shops, arguments[-1])
    for number, (rows, s) in shops.items():
        print(number, "book", "", "rows_skipped", sum(None in r for r in rows), 0, sep="\t")
        print(number, "book", "", "member_count", len({r[0] for r in rows if None not in r}), 0, sep="\t")
        for report, row, figures, tolerance in reports(rows, s):
            for column, value in figures.items():
                print(number, report, row, column, shown(value), tolerance, sep="\t")


if __name__ == "__main__":
    main()
