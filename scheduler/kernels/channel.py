"""Messages with file descriptors over a unix socket: four bytes of length, then JSON."""

import json
import socket
from collections.abc import Sequence
from typing import Any

_MAX_DESCRIPTORS = 4


def send(channel: socket.socket, message: dict[str, Any], fds: Sequence[int] = ()) -> None:
    """Send one message; the receiver gets its own copies of the descriptors."""
    data = json.dumps(message).encode()
    socket.send_fds(channel, [len(data).to_bytes(4, "big")], fds)
    channel.sendall(data)


def receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next message and its descriptors. Raises EOFError when the other side has closed the channel."""
    try:
        head, fds, _, _ = socket.recv_fds(channel, 4, _MAX_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
    except ConnectionResetError as error:  # closed before it had read our message
        raise EOFError(str(error)) from error
    if len(head) < 4:
        raise EOFError("the other side closed the channel")
    return json.loads(_exactly(channel, int.from_bytes(head, "big"))), fds


def send_channel(line: socket.socket, channel: socket.socket) -> None:
    """Send a channel to the process at the other end of a line. Raises OSError when it has ended."""
    socket.send_fds(line, [b"k"], [channel.fileno()], socket.MSG_NOSIGNAL)


def receive_channel(line: socket.socket) -> socket.socket:
    """Wait for a channel. Raises EOFError when the other side has closed the line."""
    _, fds, _, _ = socket.recv_fds(line, 1, 1, socket.MSG_CMSG_CLOEXEC)
    if not fds:
        raise EOFError("the other side closed the line")
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
