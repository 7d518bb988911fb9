"""Stored books, byte by byte as docs/storage-format.md describes them.

Run as a program it prints the golden literals of rfm_book, pricebook_summary,
price_slope_summary, contact_trail, contact_book, basket_book and check_book, made of the rows that test/sql/golden.sql has, too.  It knows that
page and nothing of the extension.

Keys and ids of orders are int (bigint), UUID or str (text, in UTF-8); money is
written as str, because the zeros at its end count.
"""

import base64
import math
import struct
from collections import defaultdict
from datetime import date, datetime
from decimal import Context, Decimal, Inexact
from uuid import UUID

EXACT = Context(prec=200, traps=[Inexact])
KEY_TYPE = {int: 1, UUID: 2, str: 3}


def u8(number):
    return struct.pack(">B", number)


def u32(*numbers):
    return struct.pack(">%dI" % len(numbers), *numbers)


def i32(number):
    return struct.pack(">i", number)


def i64(*numbers):
    return struct.pack(">%dq" % len(numbers), *numbers)


def wide(number, length):
    return number.to_bytes(length, "big", signed=True)


def varint(number):
    more = b""
    while number > 127:
        more += u8(number & 127 | 128)
        number >>= 7
    return more + u8(number)


def microseconds(time):
    past = datetime.fromisoformat(time) - datetime(2000, 1, 1)
    return (past.days * 86400 + past.seconds) * 1000000 + past.microseconds


def days(day):
    return (date.fromisoformat(day) - date(2000, 1, 1)).days


def total(amounts):
    """The sum, with as many decimals as the amount that has most."""
    result = Decimal(0)
    for amount in amounts:
        result = EXACT.add(result, Decimal(amount))
    return result


def decimals(number):
    return -number.as_tuple().exponent


def without_zeros(number):
    """The same number without zeros at the end of its decimals."""
    while decimals(number) > 0 and number.as_tuple().digits[-1] == 0:
        number = EXACT.quantize(number, Decimal(1).scaleb(1 - decimals(number)))
    return number


class Money:
    """Packs decimals, and lists those that are too wide for it."""

    def __init__(self):
        self.wide = []

    def parts(self, number):
        """Mantissa and scale; or the place in the list, and 255."""
        scale = decimals(number)
        mantissa = int(EXACT.scaleb(number, scale))
        if -(2**55) <= mantissa < 2**55:
            return mantissa, scale
        self.wide.append(u8(scale) + wide(mantissa, 32))
        return len(self.wide) - 1, 255

    def packed(self, number):
        mantissa, scale = self.parts(number)
        return i64(mantissa * 256 + scale)

    def listed(self):
        return u32(len(self.wide)) + b"".join(self.wide)


def key_bytes(key):
    """A key that is not a number; sorted() has bytes in the order of the page."""
    return key.bytes if isinstance(key, UUID) else key.encode()


def in_order(keys):
    return sorted(keys, key=lambda key: key if isinstance(key, int) else key_bytes(key))


def texts(names):
    """Lengths, then the bytes of all."""
    encoded = [name.encode() for name in names]
    return u32(*map(len, encoded)) + b"".join(encoded)


def packed_block(numbers):
    """A block of a packed column."""
    spread = max(numbers) - min(numbers)
    width = (spread.bit_length() + 7) // 8
    return u8(width) + i64(min(numbers)) + b"".join((number - min(numbers)).to_bytes(width, "big") for number in numbers)


def blocks(rows):
    """256 at a time."""
    return [rows[i:i + 256] for i in range(0, len(rows), 256)]


def column(numbers):
    """A packed column."""
    return b"".join(map(packed_block, blocks(numbers)))


def book(kind, key_type, form, skipped, keys, tail):
    """A book, of keys that are in order."""
    if key_type is int:
        stored = b"".join(map(packed_block, blocks(keys)))
    elif key_type is str:
        stored = texts(keys)
    else:
        stored = b"".join(map(key_bytes, keys))
    return u8(kind) + u8(1) + u8(KEY_TYPE[key_type]) + u8(form) + u32(len(keys)) + i64(skipped) + stored + tail


def literal(name, stored):
    return name + ":" + base64.b64encode(stored).decode()


# ---------- rfm_book ----------


def member_block(members):
    """A column of each field; a member without orders has the earliest first order of the others."""
    earliest = min((member[4] for member in members if member[0]), default=0)
    rows = [member if member[0] else (*member[:4], earliest, 0) for member in members]
    return b"".join(packed_block(column) for column in zip(*rows))


def rfm_book(key_type, rows, id_type=None):
    """Of rows (member, time, amount), or (member, order, time, amount) with an id_type."""
    members = defaultdict(list)
    skipped = 0
    for row in rows:
        if None in row:
            skipped += 1
        else:
            members[row[0]].append(row[1:])
    keys = in_order(members)
    money = Money()
    summaries = []
    orders = b""
    for key in keys:
        of = members[key]
        times = [microseconds(row[-2]) for row in of if Decimal(row[-1]) >= 0] or [0]
        if id_type:
            bits = defaultdict(int)
            for order, _, amount in of:
                bits[order] |= 2 if Decimal(amount) < 0 else 1
            frequency, refunds = [sum(has & bit > 0 for has in bits.values()) for bit in (1, 2)]
            orders += varint(len(bits))
            for order in in_order(bits):
                orders += u8(bits[order])
                if id_type is int:
                    orders += i64(order)
                else:
                    orders += (varint(len(order.encode())) if id_type is str else b"") + key_bytes(order)
        else:
            refunds = sum(Decimal(amount) < 0 for _, amount in of)
            frequency = len(of) - refunds
        summaries.append((frequency, refunds, *money.parts(total(row[-1] for row in of)), min(times), max(times) - min(times)))
    form = KEY_TYPE[id_type] if id_type else 0
    latest = max([microseconds(row[-2]) for of in members.values() for row in of], default=0)
    late = []
    for place, key in enumerate(keys):
        last = max(members[key], key=lambda row: microseconds(row[-2]))
        if not any(row[-2] == last[-2] and Decimal(row[-1]) >= 0 for row in members[key]):
            late.append((place, microseconds(last[-2])))
    refunded = b"".join(packed_block([place for place, _ in block]) + packed_block([time for _, time in block]) for block in blocks(late))
    tail = i64(latest) + b"".join(map(member_block, blocks(summaries))) + money.listed() + u32(len(late)) + refunded + orders
    return literal("rfm_book", book(3, key_type, form, skipped, keys, tail))


# ---------- members by folds ----------


def xxh64(data):
    """With seed 0, as the specification of xxHash has it."""
    primes = (11400714785074694791, 14029467366897019727, 1609587929392839161, 9650029242287828579, 2870177450012600261)
    p1, p2, p3, p4, p5 = primes
    mask = 2**64 - 1

    def turned(word, bits):
        return (word << bits | word >> (64 - bits)) & mask

    def step(lane, word):
        return turned((lane + word * p2) & mask, 31) * p1 & mask

    rest = len(data) % 32
    words = struct.unpack("<%dQ" % ((len(data) - rest) // 8), data[:len(data) - rest])
    if words:
        lanes = [(p1 + p2) & mask, p2, 0, -p1 & mask]
        for i, word in enumerate(words):
            lanes[i % 4] = step(lanes[i % 4], word)
        h = sum(turned(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18))) & mask
        for lane in lanes:
            h = ((h ^ step(0, lane)) * p1 + p4) & mask
    else:
        h = p5
    h = (h + len(data)) & mask
    data = data[len(data) - rest:]
    while len(data) >= 8:
        h = (turned(h ^ step(0, int.from_bytes(data[:8], "little")), 27) * p1 + p4) & mask
        data = data[8:]
    if len(data) >= 4:
        h = (turned(h ^ int.from_bytes(data[:4], "little") * p1 & mask, 23) * p2 + p3) & mask
        data = data[4:]
    for byte in data:
        h = turned(h ^ byte * p5 & mask, 11) * p1 & mask
    for bits, prime in ((33, p2), (29, p3), (32, 1)):
        h = (h ^ h >> bits) * prime & mask
    return h


def fold(member):
    return xxh64(i64(member) if isinstance(member, int) else key_bytes(member)) % 32


def logarithm(price):
    return round(math.log(float(price)) * 2**52)


# ---------- pricebook ----------


def pricebook(key_type, rows, has_members=False):
    """Of rows (item, group, price) or (item, period, group, price, quantity), with a member behind if has_members."""
    has_periods = len(rows[0]) - has_members == 5
    form = has_periods + 2 * has_members
    # By item and then by period, group and fold: number of sales, sum of logarithms.
    folds = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    # By item, then by period, group and price: number of sales, quantity.
    items = defaultdict(lambda: defaultdict(lambda: [0, Decimal(0)]))
    skipped = bad_price = bad_quantity = most_decimals = 0
    groups = set()
    for row in rows:
        item, period, grp, price, quantity = row[:5] if has_periods else (row[0], "2000-01-01", row[1], row[2], "1")
        if None in row:
            skipped += 1
        elif Decimal(price) <= 0:
            skipped += 1
            bad_price += 1
        elif Decimal(quantity) <= 0:
            skipped += 1
            bad_quantity += 1
        else:
            groups.add(grp.encode())
            most_decimals = max(most_decimals, decimals(Decimal(price)))
            sales = items[item][days(period), grp.encode(), without_zeros(Decimal(price))]
            sales[0] += 1
            sales[1] = EXACT.add(sales[1], Decimal(quantity))
            if has_members:
                paid = folds[item][days(period), grp.encode(), fold(row[-1])]
                paid[0] += 1
                paid[1] += logarithm(price)
    keys = in_order(items)
    groups = sorted(groups)
    money = Money()
    stored = b""
    for key in keys:
        for (period, grp, price), (number, quantity) in sorted(items[key].items()):
            if has_periods:
                stored += i32(period)
            stored += u32(groups.index(grp)) + money.packed(price) + u32(number)
            if has_periods:
                stored += money.packed(without_zeros(quantity))
    tail = u8(most_decimals) + i64(bad_price, bad_quantity) + u32(len(groups)) + texts(grp.decode() for grp in groups)
    tail += u32(*(len(items[key]) for key in keys)) + stored + money.listed()
    if has_members:
        tail += u32(*(len(folds[key]) for key in keys))
        for key in keys:
            for (period, grp, number), (sales, logarithms) in sorted(folds[key].items()):
                if has_periods:
                    tail += i32(period)
                tail += u32(groups.index(grp)) + u8(number) + u32(sales) + wide(logarithms, 12)
    return literal("pricebook_summary", book(7, key_type, form, skipped, keys, tail))


# ---------- price_slope ----------


def price_slope(key_type, rows, has_members=False):
    """Of rows (item, period, x, price), or (item, x, price) without periods; x a float; with a member behind if has_members."""
    has_periods = len(rows[0]) - has_members == 4
    form = (not has_periods) + 2 * has_members
    items = defaultdict(lambda: defaultdict(list))
    skipped = 0
    for row in rows:
        *sale, member = row if has_members else (*row, None)
        if None in row or Decimal(sale[-1]) <= 0:
            skipped += 1
        else:
            item, *period, x, price = sale
            cell = days(*period) if period else 0, fold(member) if has_members else 0
            items[item][cell].append((round(x * 2**40), logarithm(price)))
    keys = in_order(items)
    cells = b""
    for key in keys:
        for (period, number), of in sorted(items[key].items()):
            cells += i32(period) + (u8(number) if has_members else b"") + i64(len(of))
            cells += wide(sum(x for x, _ in of), 16) + wide(sum(y for _, y in of), 16)
            cells += wide(sum(x * x for x, _ in of), 24) + wide(sum(x * y for x, y in of), 24)
    numbers = [len(items[key]) for key in keys]
    return literal("price_slope_summary", book(8, key_type, form, skipped, keys, u32(sum(numbers)) + u32(*numbers) + cells))


# ---------- contacts ----------

CONTACT_KINDS = ["sent", "opened", "clicked", "converted", "complained", "unsubscribed", "subscribed"]


def zigzag(number):
    return 2 * number if number >= 0 else -2 * number - 1


def contact_settings(rows):
    """The settings of rows (channel, kind, time), how many microseconds their unit has, and the channels in order."""
    channels = sorted({channel.encode() for channel, _, _ in rows})
    unit = 1 if any(microseconds(time) % 1000000 for _, _, time in rows) else 1000000
    return u8(unit > 1) + b"".join(u8(len(channel)) + channel for channel in channels), unit, channels


def contact_events(rows, unit, channels):
    events = sorted({(microseconds(time) // unit, 8 * channels.index(channel.encode()) + CONTACT_KINDS.index(kind))
                     for channel, kind, time in rows})
    places = [place for place, _ in events]
    distances = [zigzag(places[0])] + [place - before for before, place in zip(places, places[1:])]
    return varint(len(events)) + b"".join(varint(distance) + varint(tag) for distance, (_, tag) in zip(distances, events))


def sized(settings):
    return struct.pack(">H", len(settings)) + settings


def contact_trail(rows):
    settings, unit, channels = contact_settings(rows)
    return literal("contact_trail", u8(19) + u8(1) + sized(settings) + contact_events(rows, unit, channels))


def contact_book(key_type, rows):
    """Of rows (member, channel, kind, time)."""
    complete = [row for row in rows if None not in row]
    members = defaultdict(list)
    for member, *row in complete:
        members[member].append(row)
    keys = in_order(members)
    settings, unit, channels = contact_settings([row[1:] for row in complete]) if keys else (b"", 1, [])
    latest = max((microseconds(row[3]) for row in complete), default=0)
    tail = sized(settings) + i64(latest) + b"".join(contact_events(members[key], unit, channels) for key in keys)
    return literal("contact_book", book(20, key_type, 0, len(rows) - len(complete), keys, tail))


# ---------- basket_book ----------


def basket_book(key_type, item_type, rows):
    baskets = defaultdict(set)
    skipped = 0
    for basket, item in rows:
        if basket is None or item is None:
            skipped += 1
        else:
            baskets[basket].add(item)
    keys = in_order(baskets)
    items = in_order({item for basket in baskets.values() for item in basket})
    number = {item: i for i, item in enumerate(items)}
    entries = [i for key in keys for i in sorted(number[item] for item in baskets[key])]
    tail = u32(len(items))
    tail += column(items) if item_type is int else texts(items)
    tail += i64(len(entries)) + column([len(baskets[key]) for key in keys]) + column(entries)
    return literal("basket_book", book(25, key_type, KEY_TYPE[item_type], skipped, keys, tail))


# ---------- check_book ----------


def check_book(rows, form=0):
    """Of rows (member, order, item, time, quantity, price, currency), any of which may be None."""
    kinds = []
    for place in (0, 2, 6):
        kinds.append(sorted({row[place].encode() for row in rows if row[place] is not None}))

    def number(kind, name):
        return 0 if name is None else kinds[kind].index(name.encode()) + 1

    def moment(time):
        if time is None:
            return -2**63 + 1
        return {"-infinity": -2**63, "infinity": 2**63 - 1}.get(time) or microseconds(time)

    def packed(value, money):
        if value is None:
            return 254
        mantissa, scale = money.parts(without_zeros(Decimal(value)))
        return mantissa * 256 + scale

    def rank(value):
        """What fits into 56 bits comes first, as the number it is stored as, then the others by value."""
        stored = packed(value, Money())
        return (1, without_zeros(Decimal(value))) if value is not None and stored % 256 == 255 else (0, stored)

    orders = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    values = {}
    for member, order, item, time, quantity, price, currency in rows:
        key = "" if order is None else "\x01" + order if order[:1] in ("", "\x01") else order
        line = number(1, item), rank(price), rank(quantity)
        values[line] = price, quantity
        orders[key][moment(time), number(0, member), number(2, currency)][line] += 1
    keys = in_order(orders)
    money = Money()
    columns = [[] for _ in range(9)]
    for key in keys:
        columns[0].append(len(orders[key]))
        for head in sorted(orders[key]):
            lines = orders[key][head]
            for place, value in zip((1, 2, 3, 4), (*head, len(lines))):
                columns[place].append(value)
            for line in sorted(lines):
                price, quantity = values[line]
                stored = line[0], packed(price, money), packed(quantity, money), lines[line]
                for place, value in zip((5, 6, 7, 8), stored):
                    columns[place].append(value)
    scales = [max([decimals(Decimal(row[place])) for row in rows if row[place] is not None], default=0) for place in (5, 4)]
    tail = u8(scales[0]) + u8(scales[1])
    for kind in kinds:
        tail += u32(len(kind)) + u32(*map(len, kind)) + b"".join(kind)
    tail += u32(len(columns[1]), len(columns[5])) + b"".join(map(column, columns)) + money.listed()
    return literal("check_book", book(21, str, form, 0, keys, tail))


# ---------- the rows of test/sql/golden.sql ----------

BIG = "100000000000000000000"
LOW, HIGH = UUID("00010203-0405-0607-0809-0a0b0c0d0e0f"), UUID("ff000000-0000-0000-0000-000000000000")

GOLDEN = [
    rfm_book(int, [
        (7, "2026-01-02", "1.00"), (9, "2026-01-01", BIG), (7, "2026-01-01", "0.5"), (-1, "2026-01-03", "-5"),
        (-20, "2026-01-04", "-" + BIG + ".5"), (None, "2026-01-01", "1"), (8, None, "1"), (7, "2026-01-05", None),
        (None, None, None)]),
    rfm_book(UUID, [(HIGH, "1999-12-31T23:59:59.999999", "0"), (LOW, "2026-01-01", "3")]),
    rfm_book(str, [
        ("é", "B", "2026-01-02", "5"), ("é", "B", "2026-01-03", "-2.50"), ("e", "x" * 130, "2026-01-01", "0.001"),
        ("é", "A", "2026-01-01", "8"), ("", "AB", "2026-01-04", "-1"), ("", "", "2026-01-01", BIG), ("", "A", "2026-01-02", "1"),
        ("", "A", "2026-01-03", "1"), ("e", None, "2026-01-01", "1")], str),
    rfm_book(UUID, [
        (HIGH, 7, "2026-01-02", "-1"), (LOW, -42, "2026-01-01", "3"), (HIGH, -42, "2026-01-01", "1"), (HIGH, 7, "2026-01-02", "-1")],
        int),
    rfm_book(int, [(7, HIGH, "2026-01-02", "5"), (7, LOW, "2026-01-03", "-2"), (7, LOW, "2026-01-01", "2"), (-1, HIGH, "2026-01-04", BIG)], UUID),
    rfm_book(int, [(None, "2026-01-01", "1")] * 3),
    pricebook(int, [
        (12, "old", "0.01"), (-7, "new", "10.00"), (-7, "new", "10"), (12, "old", "0.01"), (None, "old", "1"), (-7, "old", "9.5"),
        (-7, "new", "10.0"), (-7, "old", "0"), (3, "new", "-1")]),
    pricebook(str, [
        ("tea", "2026-01-05", "new", "12.3333333333333333333", "0.5"), ("tea", "2026-01-05", "", "2.50", "1"),
        ("Käse", "2026-01-12", "", "0.99", "2"), ("tea", "1999-12-31", "new", "3", "36028797018963968"),
        ("tea", "2026-01-05", "", "2.5", "1.5"), (None, "2026-01-05", "", "1", "1"), ("tea", "2026-01-05", "", None, "1"),
        ("tea", "2026-01-05", "", "-1", "0"), ("tea", "2026-01-05", "x", "1", "0"), ("milk", "2026-01-05", "", "1", "-2"),
        ("tea", "2026-01-05", "", "1", "-0.5")]),
    pricebook(str, [("tea", "2026-01-05", "", "1", "0")] * 5),
    pricebook(int, [
        (12, "old", "0.01", 1), (-7, "new", "10.00", 2), (-7, "new", "10", 2), (12, "old", "0.01", 33), (None, "old", "1", 1),
        (-7, "old", "9.5", -1), (-7, "new", "11", 2), (-7, "old", "0", 1), (-7, "old", "1", None)], True),
    pricebook(str, [
        ("tea", "2026-01-05", "new", "12.3333333333333333333", "0.5", "m1"), ("tea", "2026-01-05", "", "2.50", "1", ""),
        ("Käse", "2026-01-12", "", "0.99", "2", "a member whose name is longer than 32 bytes"), ("tea", "1999-12-31", "new", "3", "1", "Zoë"),
        ("tea", "2026-01-05", "", "2.5", "1.5", "m2"), ("tea", "2026-01-05", "", "1", "1", None), ("tea", "2026-01-05", "", "1", "0", "m1")], True),
    pricebook(str, [("tea", "2026-01-05", "", "4", "1", LOW), ("tea", "2026-01-05", "", "2", "1", HIGH), ("tea", "2026-01-05", "", "1", "1", HIGH)], True),
    price_slope(str, [
        ("tea", "2026-01-05", 0.0, "1"), ("Käse", "2026-01-12", -0.25, "2"), ("tea", "2026-01-05", -3.0, "2"),
        ("tea", "1999-12-31", 1048576.0, "1"), ("tea", "2026-01-05", 0.5, "2"), ("tea", "2026-01-05", 0.0, "0"),
        ("tea", "2026-01-05", 0.0, "-1"), (None, "2026-01-05", 0.0, "1"), ("tea", "2026-01-05", 0.0, None)]),
    price_slope(int, [(42, "2000-01-01", 1.0, "2"), (42, "2000-01-01", 2.0, "4")]),
    price_slope(str, [("tea", 1.0, "2"), ("tea", 2.0, "4"), (None, 1.0, "2"), ("tea", 3.0, "-8")]),
    price_slope(str, [
        ("tea", "2026-01-05", 0.0, "1", 1), ("Käse", "2026-01-12", -0.25, "2", 2), ("tea", "2026-01-05", -3.0, "2", 33),
        ("tea", "1999-12-31", 1048576.0, "1", 1), ("tea", "2026-01-05", 0.5, "2", 1), ("tea", "2026-01-05", 0.0, "1", None)], True),
    price_slope(int, [(42, 1.0, "2", "m1"), (42, 2.0, "4", "m2"), (42, 2.5, "0", "m2"), (42, 4.0, "0.5", "m1")], True),
    price_slope(int, [(42, 1.0, "2", LOW), (42, 2.0, "4", HIGH)], True),
    contact_trail([
        ("sms", "sent", "2026-01-02T10:00:00"), ("email", "clicked", "2026-01-01T10:05:30"), ("email", "sent", "2026-01-01T10:00:00"),
        ("email", "sent", "2026-01-01T10:00:00"), ("e-mail", "subscribed", "1999-12-31T23:59:59")]),
    contact_trail([("", "complained", "1999-12-31T23:59:59.999999"), ("", "unsubscribed", "2026-01-01")]),
    contact_book(int, [
        (7, "sms", "sent", "2026-01-02T10:00:00"), (-1, "email", "opened", "1999-12-31T23:59:59"), (7, "email", "converted", "2026-01-01T10:05:30"),
        (7, "email", "sent", "2026-01-01T10:00:00"), (7, "email", "sent", "2026-01-01T10:00:00"), (None, "x", "sent", "2026-01-01"), (7, None, "sent", "2026-01-01")]),
    contact_book(str, [("é", "ö", "sent", "2026-01-01T00:00:00.000001"), ("e", "oe", "unsubscribed", "2026-01-01"), ("e", "ö", "sent", "1999-12-31T23:59:59")]),
    contact_book(UUID, [(HIGH, "email", "sent", "2026-01-01"), (LOW, "email", "sent", "2026-01-01T00:00:01")]),
    contact_book(int, [(None, "email", "sent", "2026-01-01")] * 3),
    basket_book(int, str, [(7, "tea"), (7, "Käse"), (-1, "tea"), (7, "tea"), (None, "tea"), (9, None), (9, "")]),
    basket_book(UUID, int, [(HIGH, 5), (LOW, -3), (HIGH, -3), (HIGH, 4000000000)]),
    basket_book(str, int, [("é", 1), ("e", 1)] + [("b%d" % (i % 300), i * i % 1000) for i in range(700)]),
    basket_book(int, str, [(None, "tea")] * 3),
    check_book([
        ("é", "7", "tea", "2026-01-02", "1", "2.50", "EUR"), ("a", "7", "tea", "2026-01-02", "-2.0", "2.5", "EUR"), ("é", "7", "tea", "2026-01-02", "1", "2.5", "EUR"),
        ("é", "7", "tea", "2026-01-02", "1", "2.5", None), ("é", "7", None, "1999-12-31T23:59:59.999999", "0.5", BIG, "USD"), ("é", "7", None, "1999-12-31T23:59:59.999999", "-" + BIG, "36028797018963968", "USD"),
        (None,) * 7, (None,) * 7, (None, "", "", "infinity", "0.00", "-1", ""), (None, "\x01", "", "-infinity", "0", "-0.010", "")]),
    check_book([("m", None, "x", None, None, "-" + BIG, None), ("m", None, "x", None, BIG + ".5", "-" + BIG + ".25", None)] +
               [("m%d" % (i % 3), "%d" % (i // 2), "i%d" % (i % 300), "2026-01-%02d" % (1 + i % 31), str(i % 5), "%d.%d" % (i % 7, i % 10), None) for i in range(600)], 1)]

if __name__ == "__main__":
    print("\n".join(GOLDEN))
