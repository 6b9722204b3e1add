"""Models that answer conversations, wherever they run."""

from truing.chat.model import ChatModel, SeededChat
from truing.chat.named import chat_model
from truing.chat.on_device import LocalChat

__all__ = ["ChatModel", "LocalChat", "SeededChat", "chat_model"]
