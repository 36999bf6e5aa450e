"""A server that vouches for itself: who trusts the system's authorities must refuse it."""

import socket
import ssl
from threading import Thread

CERTIFICATE = "/srv/loopback.pem"


def refused() -> str:
    """Why a client ends the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=greet, args=(context, listening)).start()
        with socket.create_connection(listening.getsockname()) as connection:
            try:
                ssl.create_default_context().wrap_socket(connection, server_hostname="localhost")
            except ssl.SSLCertVerificationError as error:
                return error.verify_message
    return "not at all"


def greet(context: ssl.SSLContext, listening: socket.socket) -> None:
    connection, _ = listening.accept()
    with connection:
        try:
            context.wrap_socket(connection, server_side=True).close()
        except OSError:  # the client has hung up
            return
