"""Writes retention books with a start and units with one by docs/storage-format.md.

It knows that page and nothing of custmart, and prints the literals that
test/sql/golden.sql reads.  What members did is said in the words of that test.
"""

import base64
import struct
from datetime import date, datetime, timezone

DAY, WEEK, MONTH, QUARTER, YEAR = 1, 2, 3, 4, 5
MONDAY, SATURDAY, SUNDAY = 0, 5, 6
EPOCH = date(2000, 1, 1)


def varint(number):
    result = bytearray()
    while number > 127:
        result.append(number & 127 | 128)
        number >>= 7
    return bytes(result + bytearray([number]))


def zigzag(number):
    return varint(2 * number if number >= 0 else -2 * number - 1)


def microseconds(text):
    moment = datetime.fromisoformat(text).replace(tzinfo=timezone.utc) - datetime(2000, 1, 1, tzinfo=timezone.utc)
    return (moment.days * 86400 + moment.seconds) * 1000000 + moment.microseconds


def period(day, kind, start):
    """The number of the period in which a day lies, by counting from the first that begins in 2000."""
    day = date.fromisoformat(day)
    if kind == DAY:
        return (day - EPOCH).days
    if kind == WEEK:
        first = next(n for n in range(7) if date.fromordinal(EPOCH.toordinal() + n).weekday() == start)
        return ((day - EPOCH).days - first) // 7
    months = (day.year - 2000) * 12 + day.month - 1
    return (months - start) // {MONTH: 1, QUARTER: 3, YEAR: 12}[kind]


def unit(kind, start):
    return kind | start << 4


def calendar(kind, start, zone):
    return bytes([unit(kind, start)]) + zone.encode()


def amount(scale, mantissa, active):
    return bytes([scale | (128 if active else 0)]) + zigzag(mantissa)


def events(places, payloads=None):
    """Places ascend; the first is a zigzag number, each of the others a distance."""
    result = varint(len(places))
    for i, place in enumerate(places):
        result += zigzag(place) if i == 0 else varint(place - places[i - 1])
        if payloads is not None:
            result += payloads[i]
    return result


def settings(data):
    return struct.pack('>H', len(data)) + data


def text_keys(keys):
    data = [key.encode() for key in keys]
    return b''.join(struct.pack('>I', len(key)) for key in data) + b''.join(data)


def int_keys(keys):
    """One block of a packed column: the width of the differences to the smallest, the smallest, the differences."""
    low = min(keys)
    width = next(w for w in range(9) if max(keys) - low < 256 ** w)
    return bytes([width]) + struct.pack('>q', low) + b''.join((key - low).to_bytes(width, 'big') for key in keys)


def book(key_type, form, members, skipped, keys, rest, last, tail):
    head = bytes([10, 1, key_type, form]) + struct.pack('>I', members) + struct.pack('>q', skipped)
    return head + keys + settings(rest) + struct.pack('>q', last) + tail


def literal(name, stored):
    print(name + ':' + base64.b64encode(stored).decode())


for kind, start, zone, days in (
        (WEEK, SUNDAY, 'America/New_York', ['1999-12-25', '2000-01-01', '2026-01-04', '2026-01-10']),
        (YEAR, 3, 'UTC', ['1999-04-01', '2000-03-31', '2026-03-31', '2026-04-01']),
        (QUARTER, 1, 'Asia/Tokyo', ['2026-01-31', '2026-02-01'])):
    periods = sorted({period(day, kind, start) for day in days})
    literal('activity_summary', bytes([9, 1]) + settings(calendar(kind, start, zone)) + events(periods))

# Months: 5 joined in January 2026, came in February and before; 7 joined in March and never came; a row is skipped.
joined = [period('2026-01-31', MONTH, 0), period('2026-03-31', MONTH, 0)]
came = [[period('2025-12-31', MONTH, 0), period('2026-02-28', MONTH, 0)], []]
literal('retention_book', book(1, 3, 2, 1, int_keys([5, 7]), calendar(MONTH, 0, 'UTC'), 0,
                               b''.join(zigzag(j) + events(c) for j, c in zip(joined, came))))

# Weeks from Saturday with money, in Berlin, where midnight of 3 January is 23:00 of the 2nd in UTC: 12.50 in the week before that of joining, a
# refund of 3 in the next, and an order for nothing.
weeks = [period(day, WEEK, SATURDAY) for day in ('2025-12-27', '2026-01-10', '2026-01-17')]
literal('retention_book', book(3, 4, 1, 0, text_keys(['ann']), calendar(WEEK, SATURDAY, 'Europe/Berlin'), 0,
                               zigzag(period('2026-01-03', WEEK, SATURDAY)) + events(weeks, [amount(2, 1250, True), amount(0, -3, False), amount(0, 0, True)])))

# Times: joined a second before 2000 and came twice since; a later time of joining says nothing.
literal('retention_book', book(3, 5, 1, 0, text_keys(['bob']), b'', microseconds('2000-01-01T12:00:00'),
                               zigzag(microseconds('1999-12-31T23:59:59')) + events([microseconds('2000-01-01T00:00:00.000001'), microseconds('2000-01-01T12:00:00')])))
