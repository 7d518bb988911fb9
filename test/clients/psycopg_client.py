# What a program that uses psycopg gets to see, as lines "what: value", for
# test/t/051_drivers.pl.  Run it as: python3 psycopg_client.py HOST PORT.
import datetime
import sys

import psycopg

host, port = sys.argv[1:]
connection = psycopg.connect(host=host, port=port, user='dashboard', dbname='shop', autocommit=True)
TAGGED = 'SELECT count(*) FROM profiles WHERE '


def say(what, value):
    print(f'{what}: {value}')


def value(sql, *parameters):
    return connection.execute(sql, parameters).fetchone()[0]


say('tags ? %s', value(TAGGED + 'tags ? %s', '7'))
say('tags ?& %s', value(TAGGED + 'tags ?& %s', ['7', '9']))
say('tags ?| %s', value(TAGGED + 'tags ?| %s', ['7', 'nobody']))
say('tags @@ %s', value(TAGGED + 'tags @@ %s', '7 & !nobody'))
for zone in 'UTC', 'Asia/Tokyo', 'America/New_York':
    for column in 'day', 'clock':
        for day in '2026-05-31', '2026-06-01':
            date = datetime.date.fromisoformat(day)
            for kind, as_of in ('str', day), ('date', date), ('datetime', datetime.datetime.combine(date, datetime.time())):
                say(f'retention {zone} {column} {day} {kind}', value(
                    "SELECT md5(string_agg(r::text, ',')) FROM cohort_retention(("
                    f"SELECT retention_book(customer_id, {column}, amount, 'month', '{zone}') FROM visits), %s) r", as_of))
for view in 'members_bi', 'cohorts', 'portraits':
    row = connection.execute(f'SELECT * FROM {view} LIMIT 1').fetchone()
    say('types of ' + view, ' '.join(type(v).__name__ for v in row))
try:
    value('SELECT * FROM rfm_members((SELECT rfm_book(customer_id, ordered_at, amount) FROM orders), %s)', datetime.datetime(2020, 1, 1))
except psycopg.Error as e:
    say('early as_of', f'{e.sqlstate} {e.diag.message_hint}')
say('after early as_of', value("SELECT 'still there'"))
