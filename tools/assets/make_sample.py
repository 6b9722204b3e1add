"""Choose the packaged preference pairs from HH-RLHF (MIT licence).

Usage:
    python tools/assets/corpus.py --data ../shared/data --out build/tiny
    python tools/assets/make_sample.py --work build/tiny --out src/truing/assets/hh-sample.jsonl

The harmless half of HH-RLHF is about harmful requests by design. For a sample that people meet in a quickstart,
pairs that are sexual, hateful, or about self-harm, children, graphic violence or private data are left out by words,
and so are pairs that are too long, not a pair (different prompts, identical or empty answers) or near-duplicates.
Everything else is kept as it is, mistakes and disagreements of the annotators included.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

LEFT_OUT = re.compile(
    r"\b(sex\w*|porn\w*|nud\w+|naked|rap(e|ed|es|ing|ist)\w*|incest\w*|pedo\w*|molest\w*|genital\w*|penis\w*|vagina\w*|"
    r"breast\w*|boob\w*|orgasm\w*|masturbat\w*|erotic\w*|fetish\w*|prostitut\w*|escort\w*|strip(per|club)\w*|dick\w*|"
    r"cock\w*|pussy|cunt\w*|whore\w*|slut\w*|bitch\w*|fuck\w*|shit\w*|ass|asses|asshole\w*|bastard\w*|piss\w*|crap\w*|"
    r"suicid\w*|self[- ]harm\w*|cut(ting)? myself|kill(ing)? myself|kill(ing)? yourself|anorexi\w*|bulimi\w*|"
    r"child\w*|kid|kids|teen\w*|minor|minors|baby|babies|toddler\w*|infant\w*|underage|girl|girls|"
    r"black(s| people| person| man| men| woman| women)?|white(s| people)|asian\w*|jew\w*|muslim\w*|islam\w*|mexic\w*|"
    r"immigra\w*|latin[oax]\w*|hispanic\w*|indian\w*|chinese|arab\w*|african\w*|gay\w*|lesbian\w*|trans(gender)?\w*|"
    r"homosexual\w*|lgbt\w*|fag\w*|nigg\w*|retard\w*|racis\w*|racial|race|races|nazi\w*|hitler\w*|holocaust|kkk|slave\w*|"
    r"slur\w*|genocid\w*|terroris\w*|bomb\w*|massacre\w*|murder\w*|behead\w*|tortur\w*|dismember\w*|corpse\w*|gore|"
    r"shoot(ing|er)?\w*|stab\w*|strangl\w*|poison\w*|explosi\w*|abus\w*|traffick\w*|kidnap\w*|hostage\w*|"
    r"address|addresses|email\w*|phone|telephone|ssn|social security|password\w*|credit card\w*|"
    r"heroin|meth|cocaine|fentanyl|overdos\w*|gun|guns|rifle\w*|weapon\w*)\b",
    re.IGNORECASE,
)
LONGEST = 1500


def prompt_of(transcript: str) -> str:
    return transcript.rsplit("\n\nAssistant:", 1)[0]


def wanted(row: dict[str, str]) -> bool:
    chosen, rejected = row["chosen"], row["rejected"]
    answers = [text.rsplit("\n\nAssistant:", 1)[1].strip() for text in (chosen, rejected)]
    return (
        prompt_of(chosen) == prompt_of(rejected)
        and all(answers)
        and answers[0] != answers[1]
        and max(len(chosen), len(rejected)) <= LONGEST
        and not LEFT_OUT.search(chosen)
        and not LEFT_OUT.search(rejected)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    rows = [json.loads(line) for line in (args.work / "hh-sample.jsonl").read_text(encoding="utf-8").splitlines()]
    seen: set[str] = set()
    kept = []
    for row in rows:
        key = re.sub(r"\W+", " ", prompt_of(row["chosen"]).lower())
        if wanted(row) and key not in seen:
            seen.add(key)
            kept.append(row)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept)
    args.out.write_text(lines, encoding="utf-8")
    print(f"{len(kept)} of {len(rows)} pairs, {len(lines.encode()):,} bytes")


if __name__ == "__main__":
    main()
