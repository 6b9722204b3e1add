"""What a prompt says, as text."""

from __future__ import annotations

from truing.rewards.algebra import Prompt


def query(prompt: Prompt) -> str:
    """The text of a prompt, or of the last message of its user."""
    if isinstance(prompt, str):
        return prompt
    asked = [str(message["content"]) for message in prompt if message["role"] == "user"]
    return asked[-1] if asked else ""


def transcript(prompt: Prompt) -> str:
    """The text of a prompt, or all of its messages with who said them."""
    if isinstance(prompt, str):
        return prompt
    return "\n\n".join(f"{str(message['role']).capitalize()}: {message['content']}" for message in prompt)
