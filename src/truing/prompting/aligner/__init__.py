"""Questions put into better words: a search for rewrites, and a model that learned them (P-Aligner, 2508.04626)."""
