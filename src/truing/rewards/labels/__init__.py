"""Labels of pairs that an ensemble of reward models doubts: how strong each preference is, and what is done about it."""
