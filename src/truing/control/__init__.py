"""Learning rewards and policies in decision processes, where answers are actions."""
