"""Training: global batches, the step, the trainer, checkpoints, alarms, and the main job that joins them."""
