"""A faulty upstream: a program of the standard library alone, run as a child; each of its ports has one behaviour.

Its argument is a JSON object: port to behaviour, and ``"control"`` to the port that tells its state. It is no module
of labkit's: nothing imports it, and it imports nothing of labkit.
"""

import contextlib
import json
import socket
import struct
import sys
import threading
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"
NOT_ALLOWED = b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nContent-Length: 0\r\n\r\n"
#: What the simplest behaviours say before they close.
SAYS = {
    "fin": b"",
    "half": b"HTTP/1.1 200 OK\r\nContent-Le",
    "big": b"HTTP/1.1 200 OK\r\nSet-Cookie: " + b"x" * 9000 + b"\r\nContent-Length: 0\r\n\r\n",
    "tls": b"\x15\x03\x01\x00\x02\x02\x28",  # a TLS alert: handshake failure
    "header": b"HTTP/1.1 200 OK\r\nA Header: with a space\r\nContent-Length: 0\r\n\r\n",
    "cut": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthe start.",
}
NOW_S = time.monotonic
STATE = {"requests": 0, "closed_idle": 0, "closed_by_peer": 0}
IDLE_SINCE: dict[int, float] = {}
LOCK = threading.Lock()


def read_request(connection: socket.socket) -> bytes:
    """Return a whole request; nothing when the peer hung up."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while len(body) < int(lengths[0] if lengths else 0):
        body += connection.recv(65536)
    with LOCK:
        STATE["requests"] += 1
    return head


def reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answer(behaviour: str, connection: socket.socket) -> None:
    """Take one connection as the behaviour says; it is closed afterwards."""
    name, _, value = behaviour.partition(":")
    if name == "keepalive":
        keep_alive(connection, float(value))
        return
    if name == "plain":  # a server without TLS, which reads a client's hello as a bad request
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        return
    head = read_request(connection)
    if name == "rst":
        reset(connection)
    elif name == "silent":
        connection.recv(1)  # until nginx has had enough
    elif name == "status":
        connection.sendall(b"HTTP/1.1 " + value.encode() + b" Said So\r\nContent-Length: 3\r\n\r\nno\n")
    elif name == "get-only":
        connection.sendall(OK if head.startswith(b"GET ") else NOT_ALLOWED)
    else:
        connection.sendall(SAYS[name])


def keep_alive(connection: socket.socket, idle_s: float) -> None:
    """Answer requests on one connection and close it when none has come for a time, as servers do."""
    mine = connection.fileno()
    connection.settimeout(idle_s)
    head = b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=%d\r\nContent-Length: 3\r\n\r\nok\n" % idle_s
    ended = "closed_by_peer"
    try:
        while read_request(connection):
            connection.sendall(head)
            with LOCK:
                IDLE_SINCE[mine] = NOW_S()
    except TimeoutError:
        ended = "closed_idle"
    connection.close()
    with LOCK:
        STATE[ended] += 1
        IDLE_SINCE.pop(mine, None)


def tell(connection: socket.socket) -> None:
    """Tell the state to whoever asks on the control port."""
    connection.recv(65536)
    with LOCK:
        idle = max((NOW_S() - since for since in IDLE_SINCE.values()), default=0.0)
        body = json.dumps({**STATE, "open": len(IDLE_SINCE), "idle_s": idle}).encode()
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def serve(port: int, behaviour: str) -> None:
    """Accept connections for ever, each in a thread."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=one, args=(behaviour, connection), daemon=True).start()


def one(behaviour: str, connection: socket.socket) -> None:
    """Take one connection to its end."""
    with connection, contextlib.suppress(OSError):
        if behaviour == "control":
            tell(connection)
        else:
            answer(behaviour, connection)


def serve_full(port: int) -> None:
    """Listen with a queue that is full already, so that a further connection is neither taken nor refused."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(0)
    waiting = []
    for _ in range(8):
        waiting.append(socket.socket())
        waiting[-1].setblocking(False)
        waiting[-1].connect_ex(("127.0.0.1", port))
    KEPT.extend([listener, *waiting])


KEPT: list[socket.socket] = []


def serve_names(port: int, code: int) -> None:
    """Answer every DNS question with a response code (RFC 1035, section 4.1.1); a negative one: say nothing.

    2 is a server failure, 3 no such name.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as names:
        names.bind(("127.0.0.1", port))
        while True:
            question, peer = names.recvfrom(4096)
            if code < 0:
                continue
            flags = struct.pack(">H", 0x8180 | code)
            names.sendto(question[:2] + flags + question[4:6] + b"\0\0\0\0\0\0" + question[12:], peer)


def main() -> None:
    """Serve what the argument says until ended."""
    plan = json.loads(sys.argv[1])
    jobs = []
    for port, behaviour in plan.items():
        name, _, value = behaviour.partition(":")
        if name == "full":
            serve_full(int(port))
        elif name == "dns":
            jobs.append(threading.Thread(target=serve_names, args=(int(port), int(value))))
        else:
            jobs.append(threading.Thread(target=serve, args=(int(port), behaviour)))
    for job in jobs:
        job.start()


if __name__ == "__main__":
    main()
