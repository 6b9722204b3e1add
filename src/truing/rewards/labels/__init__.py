"""Labels of pairs that an ensemble of reward models doubts: how strong preferences are, and what is done about it."""
