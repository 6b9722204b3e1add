"""Values in system messages (Janus, 2405.17977): rows that teach a model to follow whichever it is told."""
