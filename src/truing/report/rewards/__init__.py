"""Reports about reward models: of a run that trains one, and of an evaluation of several."""
