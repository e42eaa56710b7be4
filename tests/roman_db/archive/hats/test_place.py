"""What is said of a place that fails; `test_changes` has whole exports to which that happens."""

from __future__ import annotations

import pytest
from botocore.exceptions import EndpointConnectionError

from roman_db.archive.hats.export import _told
from roman_db.archive.hats.place import Place
from roman_db.query.error import QueryError


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (EndpointConnectionError(endpoint_url="http://s3"), "Could not connect to the endpoint URL"),
    ],
)
def test_a_place_that_fails_is_told(tmp_path, error, words):
    said = rf"{tmp_path}: {words}.*goes on where this one ended"
    with pytest.raises(QueryError, match=said), _told(Place(str(tmp_path))):
        raise error


def test_a_fault_of_ours_is_not_taken_for_one_of_the_place(tmp_path):
    with pytest.raises(KeyError), _told(Place(str(tmp_path))):
        raise KeyError("a")
