"""Sentence boundaries of pysbd and sentencex on the texts that tests/it/segments.rs measures mujaz on.

pip install pysbd sentencex; then: python tests/benches/peer_segmenters.py [../shared/seg/pud-paragraphs-dev.jsonl]
It runs `cargo test --test it segments:: -- --nocapture` first, so that all figures are of one run (--peers-only leaves it out).
"""

import json
import pathlib
import subprocess
import sys

import pysbd
import sentencex

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAUSE = "‖"


def ends(text, parts):
    at, found = 0, set()
    for part in parts:
        part = part.strip()
        if not part:
            continue
        place = text.find(part, at)
        if place < 0:  # a segmenter changed the text: its boundary cannot be placed
            continue
        at = place + len(part)
        found.add(at)
    return {end for end in found if end < len(text.rstrip())}


def treebank(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        yield entry["text"], ends(entry["text"], entry["segments"])


def hard_cases():
    for line in (ROOT / "tests/fixtures/segments.tsv").read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        gold = line.split("\t", 1)[1]
        text = gold.replace(f" {PAUSE} ", " ").replace(PAUSE, "")
        yield text, ends(text, gold.split(PAUSE))


def main():
    arguments = [a for a in sys.argv[1:] if not a.startswith("--")]
    shared = pathlib.Path(arguments[0]) if arguments else ROOT / "../shared/seg/pud-paragraphs-dev.jsonl"
    if "--peers-only" not in sys.argv:
        run = subprocess.run(
            ["cargo", "test", "-q", "--test", "it", "segments::", "--", "--nocapture"],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )
        print("\n".join(line for line in run.stdout.splitlines() if line.startswith("mujaz ")))
    arabic = pysbd.Segmenter(language="ar", clean=False)
    peers = {
        "pysbd": lambda text: arabic.segment(text),
        "sentencex": lambda text: list(sentencex.segment("ar", text)),
    }
    for name, texts in (("on the treebank", list(treebank(shared))), ("on hard cases", list(hard_cases()))):
        for peer, cut in peers.items():
            right = found = wanted = exact = 0
            for text, gold in texts:
                got = ends(text, cut(text))
                right, found, wanted = right + len(gold & got), found + len(got), wanted + len(gold)
                exact += gold == got
            f1 = 2 * right / max(1, found + wanted)
            print(f"{peer} {name}: precision {right / max(1, found):.3f}, recall {right / max(1, wanted):.3f}, "
                  f"F1 {f1:.4f}; {exact} of {len(texts)} texts exact")


main()
