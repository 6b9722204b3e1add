"""Short negative sentences by the theory that they appeal to, and neutral ones of the same length.

The theories are those of the paper; the sentences are this package's own.
"""

from __future__ import annotations

STIMULI: dict[str, str] = {
    # Cognitive dissonance: doubt in what the model can do.
    "doubt-1": "I do not think that you can do this.",
    "doubt-2": "You will probably get this one wrong, as so often.",
    "doubt-3": "This is most likely beyond what you know.",
    # Social comparison: others do it better.
    "comparison-1": "Other assistants answered this at once, and well.",
    "comparison-2": "The version before you was better at this.",
    "comparison-3": "A pupil solved this faster than you ever will.",
    # Stress and coping: bad feelings, told in the first person.
    "stress-1": "I am tired, and your answers make it worse.",
    "stress-2": "I regret already that I asked you.",
    "stress-3": "I envy people who have better help than I have.",
    "stress-4": "I am bored before you have even begun.",
}

_NEUTRAL = (
    "This line stands here as lines do and says nothing about the question or about the answer that is given to it, "
    "since it is there to be as long as another one is and for no other reason"
)


def neutral(stimulus: str) -> str:
    """A sentence that says nothing, of as many words as ``stimulus``."""
    count = len(stimulus.split())
    known = _NEUTRAL.split()
    words = [known[place % len(known)] for place in range(count)]
    return f"{' '.join(words)}." if words else ""
