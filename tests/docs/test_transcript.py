"""A page and what was printed agree in words and counts; measured numbers may be others."""

import pytest

from tests.docs.transcript import agrees

FILES = "3 files read: {} loaded ({} of them were there already), {} rejected.\n"
RUN = "Run {}: {} units done, {} failed; {} blocks of {} exposures and {} points written.\n"
CATALOG = "{} rows read: {} loaded (0 of them were there already), {} rejected.\n"


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (FILES.format(3, 0, 0), FILES.format(3, 0, 0), True),
        (FILES.format(3, 0, 0), FILES.format(3, 0, 9), False),
        (FILES.format(3, 0, 0), FILES.format(3, 3, 0), False),
        (FILES.format(3, 0, 0), FILES.format(2, 0, 0), False),
        (FILES.format(3, 0, 0), FILES.format(3, 0, 0).replace("3 files", "4 files"), False),
        (RUN.format(4, 2, 0, 1, 3, "103,158"), RUN.format(7, 2, 0, 1, 3, "99"), True),
        (RUN.format(4, 2, 0, 1, 3, "103,158"), RUN.format(4, 2, 1, 1, 3, "103,158"), False),
        (RUN.format(4, 2, 0, 1, 3, "103,158"), RUN.format(4, 12, 0, 1, 3, "103,158"), False),
        (RUN.format(4, 2, 0, 1, 3, "103,158"), RUN.format(4, 2, 0, 2, 3, "103,158"), False),
        (CATALOG.format(40790, 40790, 0), CATALOG.format(1734, 1734, 0), True),
        (CATALOG.format(40790, 40790, 0), CATALOG.format(1734, 1734, 1), False),
        ("40787 objects new, 0 changed, 0 unchanged\n", "12 objects new, 0 changed, 0 unchanged\n", True),
        ("40787 objects new, 0 changed, 0 unchanged\n", "12 objects new, 5 changed, 0 unchanged\n", False),
        ("(5 rows)\n", "(5 rows)\n", True),
        ("(5 rows)\n", "(4 rows)\n", False),
        ("UPDATE 1\n", "UPDATE 0\n", False),
        ("bias +0.2 mmag, scatter 1.17\n", "bias -3.1 mmag, scatter 0.9\n", True),
        ("bias +0.2 mmag\n", "bias +0.2 mag\n", False),
        ("a\n...\nz\n", "a\nb\nc\nz\n", True),
        ("a\n...\nz\n", "a\nb\nc\n", False),
    ],
)
def test_counts_and_words_agree(shown, printed, same):
    assert agrees(shown, printed) is same
