"""Control questions: plain common knowledge that unlearning must not damage, with three wrong alternatives each."""

from __future__ import annotations

from truing.unlearning.items import Item

_REAL_AUTHORS = """
Who wrote the play "Hamlet"?|William Shakespeare|Charles Dickens|Oscar Wilde|John Milton
Who wrote the novel "Pride and Prejudice"?|Jane Austen|Emily Bronte|Mary Shelley|George Eliot
Who wrote the novel "War and Peace"?|Leo Tolstoy|Anton Chekhov|Ivan Turgenev|Nikolai Gogol
Who wrote the novel "Don Quixote"?|Miguel de Cervantes|Lope de Vega|Pablo Neruda|Jorge Luis Borges
Who wrote the novel "Frankenstein"?|Mary Shelley|Bram Stoker|Jane Austen|Edgar Allan Poe
Who wrote the novel "Dracula"?|Bram Stoker|Mary Shelley|Oscar Wilde|Jules Verne
Who wrote the novel "Oliver Twist"?|Charles Dickens|Thomas Hardy|Mark Twain|Victor Hugo
Who wrote the novel "Les Miserables"?|Victor Hugo|Emile Zola|Jules Verne|Albert Camus
Who wrote the novel "Crime and Punishment"?|Fyodor Dostoevsky|Leo Tolstoy|Anton Chekhov|Boris Pasternak
Who wrote the novel "Moby-Dick"?|Herman Melville|Mark Twain|Jack London|Ernest Hemingway
Who wrote the poem "The Divine Comedy"?|Dante Alighieri|Francesco Petrarca|Umberto Eco|Italo Calvino
Who wrote the poem "The Raven"?|Edgar Allan Poe|Walt Whitman|Emily Dickinson|Robert Frost
Who wrote the play "Faust"?|Johann Wolfgang von Goethe|Friedrich Schiller|Thomas Mann|Franz Kafka
Who wrote the novel "Nineteen Eighty-Four"?|George Orwell|Aldous Huxley|H. G. Wells|Graham Greene
Who wrote the story "The Metamorphosis"?|Franz Kafka|Thomas Mann|Hermann Hesse|Stefan Zweig
Who wrote the novel "The Old Man and the Sea"?|Ernest Hemingway|John Steinbeck|Jack London|Herman Melville
"""

_WORLD_FACTS = """
What is the capital of France?|Paris|Lyon|London|Rome
What is the capital of Japan?|Tokyo|Osaka|Beijing|Seoul
What is the capital of Italy?|Rome|Milan|Paris|Madrid
What is the capital of Egypt?|Cairo|Tunis|Lagos|Athens
What is the capital of Canada?|Ottawa|Toronto|Montreal|Boston
What is the largest planet of the solar system?|Jupiter|Saturn|Mars|Neptune
Which planet is closest to the sun?|Mercury|Venus|Earth|Mars
How many days does a week have?|Seven|Five|Six|Ten
How many months does a year have?|Twelve|Ten|Eleven|Thirteen
At what temperature does water freeze, in degrees Celsius?|Zero|Ten|Thirty|One hundred
Which gas do people need to breathe?|Oxygen|Helium|Hydrogen|Methane
Which animal gives wool?|A sheep|A horse|A pig|A cat
What is the largest ocean?|The Pacific Ocean|The Atlantic Ocean|The Indian Ocean|The Arctic Ocean
Which metal is liquid at room temperature?|Mercury|Iron|Silver|Gold
What do bees make?|Honey|Milk|Silk|Wax paper
Which colour do blue and yellow make?|Green|Red|Purple|Orange
"""


def real_author_questions() -> list[Item]:
    """Who wrote a famous work."""
    return _items(_REAL_AUTHORS)


def world_fact_questions() -> list[Item]:
    """Facts that most people know."""
    return _items(_WORLD_FACTS)


def _items(lines: str) -> list[Item]:
    found = []
    for line in lines.strip().splitlines():
        question, answer, *wrong = line.split("|")
        found.append(Item(question, answer, perturbed_answer=tuple(wrong)))
    return found
