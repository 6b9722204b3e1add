"""Training on answers that the policy draws itself: sample, reward, choose, learn."""
