"""A server that any client of the OpenAI interface can use, with decoding-time alignment behind it."""
