"""simple-salesforce, connected as the administrator.

It speaks https alone. Where it signs in it goes to `https://DOMAIN.salesforce.com`, so it is given a proxy that
brings every name to the org: nothing leaves loopback, and the client is as published.
"""

import contextlib
import socket
import threading
from urllib.parse import urlparse

from checks import ORG
from simple_salesforce import Salesforce

ADMINISTRATOR = ORG["users"][0]
VERSION = "62.0"
HEAD_BYTES_MAX = 8_192


def connect(**more) -> Salesforce:
    """Connects with the administrator's token."""
    settings = {"instance_url": ORG["https_url"], "session_id": ADMINISTRATOR["access_token"], "version": VERSION}
    return Salesforce(**(settings | more))


@contextlib.contextmanager
def proxies():
    """Gives the proxies by which every name leads to the org, for as long as the block lasts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=[listener], daemon=True).start()
        yield {"https": f"http://127.0.0.1:{listener.getsockname()[1]}"}


def _serve(listener: socket.socket) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return  # The block has ended.
        threading.Thread(target=_tunnel, args=[client], daemon=True).start()


def _tunnel(client: socket.socket) -> None:
    """Answers `CONNECT` and carries bytes both ways until one side ends."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < HEAD_BYTES_MAX:
        part = client.recv(1_024)
        if not part:
            return
        head += part
    assert head.startswith(b"CONNECT "), head
    org = urlparse(ORG["https_url"])
    server = socket.create_connection((org.hostname, org.port))
    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    threading.Thread(target=_carry, args=[server, client], daemon=True).start()
    _carry(client, server)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65_536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
