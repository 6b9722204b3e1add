"""The server as its clients see it: OpenAI's protocol over HTTP, before a :class:`~truing.serving.asked.Service`."""
