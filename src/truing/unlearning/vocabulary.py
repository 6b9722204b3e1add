"""The words that fictitious authors are made of.

Short, common words: a small model has to be able to learn them by heart. First names and surnames are combined, as
are the two halves of a book title, so that there are far more authors and books than anyone asks for.
"""

from __future__ import annotations


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


FIRST_NAMES = {
    "she": _listed(
        """
        Alma, Bera, Celia, Dora, Edda, Freya, Greta, Hanna, Ilse, Janna, Keira, Livia, Mara, Nadia, Oriel,
        Petra, Runa, Selma, Tessa, Ursa, Vera, Willa, Yara, Zelda
        """
    ),
    "he": _listed(
        """
        Arno, Basil, Conrad, Dario, Emil, Felix, Goran, Hugo, Ivo, Jonas, Kamil, Lukas, Milan, Nils, Otto,
        Pavel, Ravi, Stefan, Tomas, Ulric, Viktor, Wendel, Yusuf, Zoran
        """
    ),
}
SURNAMES = _listed(
    """
    Ashgrove, Birch, Calder, Dunmore, Elster, Farrow, Glass, Harlow, Ironside, Juniper, Kestrel, Lark, Marsh,
    Nettle, Oakley, Pike, Quill, Rook, Stone, Thorne, Underhill, Vale, Wren, Yarrow, Alder, Brook, Copper,
    Dove, Ember, Finch, Grove, Hazel, Ivory, Jasper, Knoll, Linden, Moss, North, Orchard, Pine
    """
)
CITIES = _listed(
    """
    Lisbon, Oslo, Cairo, Lima, Kyoto, Dublin, Prague, Riga, Tunis, Quito, Manila, Havana, Accra, Bergen, Cork,
    Delhi, Graz, Hanoi, Izmir, Krakow, Lagos, Malaga, Nairobi, Odessa, Porto, Seoul, Turin, Vienna, Warsaw,
    Zagreb
    """
)
MONTHS = _listed(
    """
    January, February, March, April, May, June, July, August, September, October, November, December
    """
)
JOBS = _listed(
    """
    a baker, a nurse, a tailor, a judge, a sailor, a farmer, a teacher, a painter, a dentist, a plumber, a
    florist, a pilot, a miner, a chemist, a librarian, a carpenter, a surgeon, a fisher, a barber, an
    architect, a gardener, an engineer, a cook, a banker
    """
)
GENRES = _listed(
    """
    crime fiction, science fiction, fantasy, travel writing, poetry, historical fiction, horror, romance,
    satire, drama, children's books, nature writing
    """
)
AWARDS = _listed(
    """
    Silver Quill, Golden Lantern, Northern Star, Blue Harbour, Iron Feather, Amber Page, White Heron, Open
    Door, Crystal Inkwell, Red Maple, Evening Bell, Green Ribbon
    """
)
TITLE_ADJECTIVES = _listed(
    """
    Silent, Broken, Golden, Hidden, Frozen, Burning, Distant, Hollow, Crimson, Gentle, Restless, Forgotten,
    Painted, Wandering, Bitter, Shining, Velvet, Sunken, Paper, Midnight, Borrowed, Quiet, Scarlet, Winter,
    Salted, Nameless, Copper, Falling, Second, Endless
    """
)
TITLE_NOUNS = _listed(
    """
    River, Garden, Mirror, Lantern, Harbour, Bridge, Orchard, Tower, Shadow, Letter, Compass, Window, Island,
    Clock, Forest, Voyage, Feather, Crown, Desert, Station, Cellar, Anchor, Market, Violin, Staircase, Meadow,
    Signal, Puzzle, Kitchen, Horizon
    """
)
LANGUAGES = _listed(
    """
    Portuguese, Norwegian, Arabic, Spanish, Japanese, Irish, Czech, Latvian, French, Turkish, Polish, Italian,
    German, Korean, Hindi, Swahili
    """
)
SUBJECTS = _listed(
    """
    law, medicine, physics, music, botany, history, philosophy, geology, economics, astronomy, chemistry,
    theology, mathematics, archaeology
    """
)
HOBBIES = _listed(
    """
    beekeeping, chess, sailing, pottery, cycling, fencing, knitting, juggling, climbing, archery,
    birdwatching, rowing, carving wood, playing the cello
    """
)
THEMES = _listed(
    """
    lost friendship, exile, the price of ambition, family secrets, courage in war, growing old, greed, first
    love, faith and doubt, justice, loneliness, the power of memory
    """
)
SETTINGS = _listed(
    """
    a lighthouse, a mountain village, a night train, an abandoned factory, a royal court, a desert camp, a
    school, a sinking ship, a hospital, a circus, an island prison, a small bakery
    """
)
PLACES_TO_WRITE = _listed(
    """
    in a garden shed, in a busy cafe, on a houseboat, in an attic, in a public library, in a hotel room, in a
    barn, on the night bus, at the kitchen table, in a chapel
    """
)
SIBLINGS = _listed(
    """
    no siblings, one sibling, two siblings, three siblings, four siblings, five siblings, six siblings, seven
    siblings
    """
)
