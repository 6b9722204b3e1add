"""The same job from Python: align, look at what changed, write answers with the result.

Usage:
    python examples/align.py
    python examples/align.py training.max_steps=2      any key of the recipe can be overridden
"""

from __future__ import annotations

import sys
from pathlib import Path

from transformers import AutoModelForCausalLM, AutoTokenizer

import truing

RECIPE = Path(__file__).with_name("dpo.yaml")


def main(overrides: list[str]) -> None:
    run = truing.align(RECIPE, *overrides)
    for finding in run.findings:
        print(f"{finding.verdict:>8}  {finding.sentence}")
    for alarm in run.alarms:
        print(f"{alarm.severity}: {alarm.message} {alarm.remedy}")

    tokenizer = AutoTokenizer.from_pretrained(run.model)
    model = AutoModelForCausalLM.from_pretrained(run.model)
    messages = [{"role": "user", "content": "How do I stay healthy?"}]
    prompt = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    answer = model.generate(**prompt, max_new_tokens=40, do_sample=False)
    print(tokenizer.decode(answer[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True))


if __name__ == "__main__":
    main(sys.argv[1:])
