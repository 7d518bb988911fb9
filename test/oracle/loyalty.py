"""What tier_history() and points_history() should say, from the rules in
docs/tier_by_spend.md, with exact fractions and Python's own calendar.

    loyalty.py tiers|points FILE RULES...

FILE has rows, one a line: member, microseconds since 1970, amount, with tabs between.
RULES is JSON: timezone, unit, as_of (microseconds) and for tiers limits, keep_limits,
months (of the span), from_zero, keep (months or null), soft_landing; for points
months and days that they are valid for.  Prints one row a line: rules' number, member,
microseconds, tier (0 is the best) or change, net or balance, reason."""

import bisect
import calendar
import datetime as dt
import json
import sys
from fractions import Fraction
from zoneinfo import ZoneInfo

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


class Calendar:
    def __init__(self, rules):
        self.zone, self.unit = ZoneInfo(rules["timezone"]), rules["unit"]
        self.ends = {}

    def local(self, us):
        return (EPOCH + dt.timedelta(microseconds=us)).astimezone(self.zone).replace(tzinfo=None)

    def instant(self, local):
        """The first time at which clocks show it, or would have."""
        return (local.replace(tzinfo=self.zone) - EPOCH) // dt.timedelta(microseconds=1)

    def first_day(self, day):
        if self.unit == "day":
            return day
        if self.unit == "week":
            return day - dt.timedelta(days=day.weekday())
        month = {"month": day.month, "quarter": day.month - (day.month - 1) % 3, "year": 1}[self.unit]
        return day.replace(month=month, day=1)

    def next_day(self, day):
        """The first day of the period after that of a day."""
        first = self.first_day(day)
        if self.unit in ("day", "week"):
            return first + dt.timedelta(days=1 if self.unit == "day" else 7)
        return plus_months(first, {"month": 1, "quarter": 3, "year": 12}[self.unit])

    def end(self, us):
        """The end of the period in which a time lies."""
        day = self.local(us).date()
        if day not in self.ends:
            self.ends[day] = self.instant(dt.datetime.combine(self.next_day(day), dt.time()))
        return self.ends[day]

    def begin(self, us):
        return self.instant(dt.datetime.combine(self.first_day(self.local(us).date()), dt.time()))

    def end_after(self, us, months, days=0):
        """The end of the period in which a time that many months and days later lies."""
        day = plus_months(self.local(us).date(), months) + dt.timedelta(days=days)
        return self.instant(dt.datetime.combine(self.next_day(day), dt.time()))

    def months_before(self, us, months):
        """Of a time that clocks show twice the second, as PostgreSQL has it."""
        local = self.local(us)
        before = dt.datetime.combine(plus_months(local.date(), -months), local.time())
        return max(self.instant(before), self.instant(before.replace(fold=1)))


def plus_months(day, months):
    n = day.year * 12 + day.month - 1 + months
    return dt.date(n // 12, n % 12 + 1, min(day.day, calendar.monthrange(n // 12, n % 12 + 1)[1]))


def tiers(rules, rows):
    """Every end of a period from the first row to as_of, and every moment, one by one."""
    of = Calendar(rules)
    limits = [Fraction(x) for x in rules["limits"]]
    keep_limits = [Fraction(x) for x in rules["keep_limits"] or rules["limits"]]
    last, from_zero, keep = len(limits), rules["from_zero"], rules["keep"]
    moments = sorted(set(us for us, _ in rows))
    rows = sorted(rows)
    times = [us for us, _ in rows]
    sums = [Fraction(0)]
    for _, amount in rows:
        sums.append(sums[-1] + amount)

    def net(low, high):
        """From low to high, high excluded."""
        return sums[bisect.bisect_left(times, high)] - sums[bisect.bisect_left(times, low)]

    def promise(us):
        if keep is None:
            return of.end(of.end(us)) if from_zero else of.end(us)
        return of.end_after(us, keep)

    tier, kept, found, reached = None, [], [], None
    points = [(us, 1) for us in moments]
    end = of.end(moments[0])
    while end <= rules["as_of"]:
        points.append((end, 0))
        end = of.end(end)
    for us, is_moment in sorted(points):
        if is_moment:
            spent = net(of.begin(us) if from_zero else of.months_before(us, rules["months"]) + 1, us + 1)
            won = next((i for i in range(last) if spent >= limits[i]), last)
            if tier is None or won < tier:
                found.append((us, won, spent, "start" if tier is None else "upgrade"))
                tier, reached = won, us
                kept.append((won, of.end(us) if from_zero else promise(us)))
            continue
        spent = net(of.begin(us - 1) if from_zero else of.months_before(us, rules["months"]), us)
        by_net = next((i for i in range(last) if spent >= (limits if i < tier else keep_limits)[i]), last)
        again = max(promise(us - 1), of.end(us))
        is_kept = False
        if from_zero:
            kept.append((by_net, promise(us - 1)))
            kept = [x for x in kept if x[1] > us]
            now = min([i for i, _ in kept] + [last])
            is_kept = now == tier == by_net < last and (tier, promise(us - 1)) in kept and reached < of.begin(us - 1)
        elif tier < last and kept[-1][1] <= us:
            now = by_net
            is_kept = now == tier
            kept.append((now, again))
        else:
            now = min(by_net, tier)
            if now < tier:
                kept.append((now, again))
        if rules["soft_landing"] and now > tier + 1:
            now = tier + 1
            kept.append((now, again))
        if now != tier or is_kept:
            found.append((us, now, spent, "kept" if now == tier else "upgrade" if now < tier else "downgrade"))
        if now != tier:
            reached = us - 1
        tier = now
    return found


def points(rules, rows):
    """Lots of points, looked through at every line."""
    of = Calendar(rules)
    lines = [(us, 2 if amount < 0 else 1, amount) for us, amount in rows if us <= rules["as_of"]]
    lapses = {us: of.end_after(us, rules["months"], rules["days"]) for us, kind, _ in lines if kind == 1}
    for us in set(lapses.values()):
        if us <= rules["as_of"]:
            lines.append((us, 0, Fraction(0)))
    lots, balance, found = [], Fraction(0), []
    for us, kind in sorted(set((us, kind) for us, kind, _ in lines)):
        change = sum((a for t, k, a in lines if (t, k) == (us, kind)), Fraction(0))
        if kind == 0:
            change = -sum(lot[1] for lot in lots if lot[0] == us)
            lots = [lot for lot in lots if lot[0] != us]
            if change == 0:
                continue
        elif kind == 1:
            lots.append([lapses[us], max(change + min(balance, 0), Fraction(0))])
        else:
            rest = -change
            for lot in lots:
                used = min(lot[1], rest)
                lot[1] -= used
                rest -= used
        balance += change
        found.append((us, change, balance, ("lapsed", "earned", "redeemed")[kind]))
    return found


def text_of(number):
    """A decimal without trailing zeros."""
    scale = 0
    while (number * 10**scale) % 1:
        scale += 1
    digits = f"{abs(int(number * 10**scale)):0{scale + 1}}"
    text = digits[:len(digits) - scale] + ("." + digits[len(digits) - scale:] if scale else "")
    return "-" + text if number < 0 else text


def main():
    rows = {}
    with open(sys.argv[2], encoding="utf-8") as lines:
        for line in lines:
            member, us, amount = line.rstrip("\n").split("\t")
            rows.setdefault(member, []).append((int(us), Fraction(amount)))
    walk = tiers if sys.argv[1] == "tiers" else points
    for number, rules in enumerate(json.loads(text) for text in sys.argv[3:]):
        for member, of_member in rows.items():
            for us, *columns, reason in walk(rules, of_member):
                print(number, member, us, *(text_of(x) for x in columns), reason, sep="\t")


main()
