"""The same into an object store: moto's server of S3, asked over HTTP."""

from __future__ import annotations

import fsspec
import pytest
import requests
from hats.io.validation import is_valid_collection
from moto.server import ThreadedMotoServer
from upath import UPath

from roman_db.archive.hats.place import Place
from roman_db.query.error import QueryError

from .peer import QUIET, lsdb
from .test_changes import move, run

pytestmark = [QUIET, pytest.mark.heavy]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch):
    """Empty server of an object store, which fsspec is pointed at by its own variables."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    # Servers of a process share what they keep.
    requests.post(f"http://{host}:{port}/moto-api/reset", timeout=30).raise_for_status()
    for name, value in (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://{host}:{port}")
    fsspec.get_filesystem_class("s3").clear_instance_cache()  # which knows the server of another test
    fsspec.filesystem("s3").makedirs("archive", exist_ok=True)
    yield server
    server.stop()


def test_a_collection_goes_to_an_object_store_and_lsdb_opens_it_there(sky, store):
    place = "s3://archive/hats"
    first = run(place)
    collection = UPath(f"{place}/objects")
    assert is_valid_collection(collection, strict=True)
    opened = lsdb.open_catalog(collection)
    assert len(opened) == sky.object_id.size
    found = opened.cone_search(sky.ra[5], sky.dec[5], 1).compute()
    assert sky.object_id[5] in found["object_id"].tolist()
    move(sky, 100, 1e-7)
    assert 1 <= run(place).n_written < first.n_written
    assert is_valid_collection(collection, strict=True)


def test_a_store_that_is_not_there_is_told(sky, store):
    with pytest.raises(
        QueryError, match=r"s3://nowhere/hats/objects: .*What was published before is as it was"
    ):
        run("s3://nowhere/hats")


def test_a_store_that_goes_away_is_told_and_the_same_command_goes_on_when_it_is_back(sky, store, monkeypatch):
    """It goes with the third tile; those before are not written again."""
    put, names = Place.put, []

    def vanishing(self, file, path):
        names.append(path)
        if len(names) == 3:
            monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
            fsspec.get_filesystem_class("s3").clear_instance_cache()
            self._fs = fsspec.filesystem("s3")
        put(self, file, path)

    with monkeypatch.context() as patch:
        patch.setattr(Place, "put", vanishing)
        with pytest.raises(QueryError, match="the same command goes on where this one ended"):
            run("s3://archive/hats", workers=1)
    host, port = store.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://{host}:{port}")
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    assert not fsspec.filesystem("s3").exists("archive/hats/objects/collection.properties")
    outcome = run("s3://archive/hats")
    assert outcome.n_written >= 1
    assert is_valid_collection(UPath("s3://archive/hats/objects"), strict=True)


def test_an_address_that_nobody_knows_is_told():
    with pytest.raises(QueryError, match="Protocol not known: nonsense"):
        Place("nonsense://there")
