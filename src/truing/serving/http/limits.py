"""What one client may ask of the server, and for how long it may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds that keep the server's memory and every request's time bounded.

    Attributes:
        body: longest body of a request, bytes.
        bodies: bytes of the bodies of all open requests together.
        tokens: longest answer that may be asked for, tokens.
        answers: most answers to one prompt.
        prompts: most prompts of one request.
        logprobs: most log-probabilities that one reply may hold, those of likely tokens included.
        request_seconds: for an answer, from when its request is there.
        body_seconds: for the body of a request to arrive.
        head_seconds: for the head of a request to arrive on an open connection.
        write_seconds: that a client which does not read may keep an answer waiting.
        connections: open at a time.
    """

    body: int = 1 << 20
    bodies: int = 64 << 20
    tokens: int = 4096
    answers: int = 64
    prompts: int = 64
    logprobs: int = 200_000
    request_seconds: float = 600.0
    body_seconds: float = 30.0
    head_seconds: float = 15.0
    write_seconds: float = 60.0
    connections: int = 512
