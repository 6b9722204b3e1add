"""Models that answer conversations, wherever they run."""

from truing.chat.model import ChatModel
from truing.chat.named import chat_model
from truing.chat.on_device import LocalChat

__all__ = ["ChatModel", "LocalChat", "chat_model"]
