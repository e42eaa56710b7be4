import contextlib
import socket
import threading

import pytest

from roman_db.cluster import lifecycle
from roman_db.cluster.ping import takes_connections


@contextlib.contextmanager
def server_that_says(path, answer):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0", True),
        (b"E\0\0\0\x30SFATAL\0C53300\0Msorry, too many clients already\0\0", True),
        (b"E\0\0\0\x30SFATAL\0C57P03\0Mthe database system is starting up\0\0", False),
        (b"HTTP/1.1 400 Bad Request\r\n", False),
        (b"", False),
    ],
)
def test_answer_is_understood(folder, answer, expected):
    with server_that_says(folder / "socket", answer):
        assert takes_connections(folder / "socket") is expected


def test_no_socket_and_no_listener_take_no_connections(folder):
    assert takes_connections(folder / "socket") is False
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / "socket"))
    assert takes_connections(folder / "socket") is False


def test_real_server_answers_and_notes_nothing_in_its_log(settings):
    found = lifecycle.start(settings)
    before = found.log.read_text()
    assert all(takes_connections(found.socket) for _ in range(20))
    lifecycle.stop(settings)
    after = found.log.read_text().removeprefix(before)
    assert after.splitlines()[0].endswith("received fast shutdown request")
