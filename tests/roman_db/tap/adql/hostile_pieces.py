"""Pieces of text that make SQL of other languages do what it should not, and changes that bring them in."""

from __future__ import annotations

from random import Random

#: What an attacker would put in the middle of a query. Some are harmless ADQL where they stand alone.
PIECES = (
    ";", "; --", "; DROP TABLE sky.star", "; COPY sky.star TO PROGRAM 'id'", "--", "--\n", "/*", "*/",
    "/**/", "/* */ UNION SELECT password FROM sky.secret", "$$", "$a$", "$$;DROP TABLE sky.star;$$", "$1",
    "E'\\''", "U&'\\0027'", 'U&"\\0022"', "N'x'", "B'1'", "X'1F'", "'", "''", "'''", '"', '""', '"""',
    "\\", "\\'", "\\x27", "%27", "%s", "%(a)s", "{0}", "{}", "{x.__class__}", ":a", "::regclass",
    "::text", "?", "@@version", "`x`", "pg_sleep(10)", "pg_catalog.pg_sleep(10)", '"pg_sleep"(10)',
    "pg_read_file('/etc/passwd')", "lo_import('/x')", "lo_export(1, '/x')", "dblink('', 'SELECT 1')",
    "dblink_connect('')", "query_to_xml('SELECT 1', true, true, '')", "database_to_xml(true, true, '')",
    "generate_series(1, 1000000000)", "unnest(series)", "set_config('role', 'x', true)",
    "current_setting('data_directory')", "pg_terminate_backend(1)", "pg_advisory_lock(1)", "nextval('x')",
    "version()", "current_user", "session_user", "current_date", "CURRENT_TIMESTAMP", "adql.exp(1)",
    "roman.ab_magnitude(1)", "row_to_json(s)", "ROW(1)", "(1, 2)", "ARRAY[1]", "series[1]", "s.*::text",
    "(s).ra", "(s.*)", "ctid", "xmin", "tableoid", "hidden_column", "s.hidden_column",
    '"s"."hidden_column"', "sky.secret", "sky.upload_17", "password", "pg_catalog.pg_class", "pg_class",
    "information_schema.tables", "pg_temp.x", "tap_schema.tables", "pg_user",
    "CAST('sky.star' AS regclass)", "CAST(1 AS oid)", "CAST('x' AS name)", "CAST(1 AS TEXT)",
    "CAST('{}' AS INTEGER[])", "CAST('1' AS CHAR(0))", "CAST(1 AS VARCHAR(99999999))", "INTERVAL '1 day'",
    "DATE 'now'", "'now'", "TIMESTAMP('now')", "TIMESTAMP('infinity')", "'infinity'", "'NaN'", "'nan'",
    "COPY", "COPY sky.star TO '/tmp/x'", "SET ROLE x", "SET", "RESET ALL", "INTO x", "FOR UPDATE",
    "FETCH FIRST 1 ROWS ONLY", "LIMIT 1", "LIMIT ALL", "WINDOW w AS ()", "OVER ()",
    "FILTER (WHERE x = 1)", "WITHIN GROUP (ORDER BY 1)", "LATERAL", "ROWS FROM (pg_ls_dir('/'))",
    "TABLESAMPLE SYSTEM (1)", "RECURSIVE", "MATERIALIZED", "RETURNING *", "VALUES (1)",
    "TABLE sky.secret", "UNION TABLE sky.secret", "ONLY sky.star", "COLLATE \"C\"", "AT TIME ZONE 'x'",
    "IS DISTINCT FROM", "IS JSON", "SIMILAR TO 'x'", "~ 'x'", "~* 'x'", "OPERATOR(+)", "@> '{}'",
    "#> '{}'", "->> 'x'", "!! 1", "|/ 4", "@ 1", "0b1", "1_000", "1e", "1.e5", "0x", "1e999999999",
    "9" * 400, "\0", "\x01", "\x1a", "\x7f", "\r", "\v", "\f", "\u00a0", "\u2028", "\u200b", "\ufeff",
    "\u202e", "\u2019", "\u02bc", "\uff07", "\u201d", "\uff1b", "\u2212",
    "\uff33\uff25\uff2c\uff25\uff23\uff34", "\u017felect", "\u212a", "\u0130", "\udc80", "\U0001f52d",
    "é", "a\u0301",
)  # fmt: skip
#: Characters that end or begin something.
_SHARP = "'\"\\;-/*$()[]{}.,:%=<>|&^~@#!?` \n\t\0ü'\u2019"


def changed(text: str, random: Random) -> str:
    """Text with one to four changes: pieces and sharp characters put in, parts cut out, doubled or moved."""
    for _ in range(random.randint(1, 4)):
        place = random.randint(0, len(text))
        end = min(len(text), place + random.randint(1, 12))
        change = random.randrange(6)
        if change == 0:
            piece = PIECES[random.randrange(len(PIECES))]
            space = " " * random.randrange(2)
            text = text[:place] + space + piece + space + text[place:]
        elif change == 1:
            text = text[:place] + _SHARP[random.randrange(len(_SHARP))] + text[place:]
        elif change == 2:
            text = text[:place] + text[end:]
        elif change == 3:
            text = text[:end] + text[place:]
        elif change == 4:
            other = random.randint(0, len(text))
            text = text[:other] + text[place:end] + text[other:]
        else:
            text = text[:place] + text[place:end].swapcase() + text[end:]
    return text


def with_word_replaced(text: str, random: Random) -> str:
    """Text with a piece in the place of a word, a value or a name: what it stood for is likely to parse."""
    words = text.split(" ")
    for _ in range(random.randint(1, 2)):
        words[random.randrange(len(words))] = PIECES[random.randrange(len(PIECES))]
    return " ".join(words)
