"""Ways to answer that go beyond drawing one token after the other."""
