"""How far a reward can be trusted: accuracy, calibration, what else it follows, and agreement."""
