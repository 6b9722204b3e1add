"""Did it help, and what got worse? Held-out pairs, sampled answers, a judge that was not trained on."""
