"""What runs inside the sandbox. These files use the standard library alone, and are started by path.

The interpreter is started isolated and without site-packages, so that nothing of Truing can be imported there.
"""
