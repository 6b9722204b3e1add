"""What a model still knows of what it should forget, and what it lost of what it should keep."""
