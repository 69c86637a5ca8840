"""Messages with file descriptors over a unix socket: four bytes of length, then JSON."""

import json
import socket
from collections.abc import Sequence
from typing import Any

_FDS_AT_MOST = 4


def send(channel: socket.socket, message: dict[str, Any], fds: Sequence[int] = ()) -> None:
    """Send one message; the receiver gets its own copies of the descriptors."""
    data = json.dumps(message).encode()
    socket.send_fds(channel, [len(data).to_bytes(4, "big")], fds)
    channel.sendall(data)


def receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next message and its descriptors. Raises EOFError when the other side is gone."""
    try:
        head, fds, _, _ = socket.recv_fds(channel, 4, _FDS_AT_MOST, socket.MSG_CMSG_CLOEXEC)
    except ConnectionResetError as error:  # closed before it read what we sent
        raise EOFError(str(error)) from error
    if len(head) < 4:
        raise EOFError("the other side closed the channel")
    return json.loads(_exactly(channel, int.from_bytes(head, "big"))), fds


def pass_on(line: socket.socket, channel: socket.socket) -> None:
    """Give a channel away over a line. Raises OSError when nobody is at its other end."""
    socket.send_fds(line, [b"k"], [channel.fileno()], socket.MSG_NOSIGNAL)


def passed_on(line: socket.socket) -> socket.socket:
    """Wait for a channel that is given away. Raises EOFError when the other side is gone."""
    _, fds, _, _ = socket.recv_fds(line, 1, 1, socket.MSG_CMSG_CLOEXEC)
    if not fds:
        raise EOFError("no channel will come")
    return socket.socket(fileno=fds[0])


def _exactly(channel: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        part = channel.recv(min(size, 2**16))
        if not part:
            raise EOFError("the other side closed the channel in the middle of a message")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
