#!/usr/bin/env python3
"""Scores trafilatura on saved pages with gold: one JSON line a page, then the sums.

usage: peer_trafilatura.py FOLDER [FOLDER ..] [--only NAME] [--dump DIR]
needs: pip install trafilatura lxml_html_clean

A page is NAME.html beside NAME.gold.json (its "body" is compared, word by word), or beside NAME.gold.txt (the body
alone). Gold in the form of trafilatura's own evaluation ({url: {"with": [..], "without": [..]}}) has no body: such a
page gets counts of the strings found, and is in no sum. Pages whose gold says they are refused are scored, but counted in no sum: there is nothing to win there.

Words. Both sides are cut in the same way, and a page's score is over the multiset of its words:
1. NFKC;
2. drop U+0640 (tatweel); the Arabic and Hebrew marks U+0591-05BD, 05BF, 05C1-05C2, 05C4-05C5, 05C7, 0610-061A,
   064B-065F, 0670, 06D6-06DC, 06DF-06E8, 06EA-06ED, 08D3-08FF; the format characters U+00AD, 061C, 180E, 200B-200F,
   202A-202E, 2060-2064, 2066-206F, FEFF;
3. Arabic-Indic (U+0660-0669) and Persian (U+06F0-06F9) digits become 0-9;
4. a word is a longest run of letters and digits (char::is_alphanumeric; str.isalnum here); all else separates. No
   lower-casing, no stemming, no folding of hamza.
precision = common / extracted, recall = common / gold, f1 = 2 * common / (extracted + gold); 0 where either is empty.
"sum" takes the counts of all pages together (micro), "mean" is the mean of the pages' F1.

Columns: "body" is `extract(bytes, include_comments=False, include_tables=True)`; "recall" and "precision" are the same
with favor_recall and favor_precision. "lenient" is "body" with the surplus words of the gold's title, standfirst,
captions, publisher's summary and pull quotes not counted against it: trafilatura has no fields to put them in.
"must_not" counts the furniture strings found in the text (as runs of words). title, date (the day) and author are hits
(1), misses (0), or null where the gold has none; a title must be the gold's, word for word, without the site's name.
"""
import argparse
import collections
import json
import pathlib
import re
import sys
import time
import unicodedata

import trafilatura

DROPPED = re.compile(
    "[\u0640\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8"
    "\u06ea-\u06ed\u08d3-\u08ff\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
)
DIGITS = {0x660 + i: str(i) for i in range(10)} | {0x6F0 + i: str(i) for i in range(10)}
ASIDE = {"title", "standfirst", "caption", "publisher_summary", "pull_quote"}


def words(text):
    text = DROPPED.sub("", unicodedata.normalize("NFKC", text or "")).translate(DIGITS)
    return "".join(c if c.isalnum() else " " for c in text).split()


def score(got, gold, aside=()):
    got, gold = collections.Counter(got), collections.Counter(gold)
    got -= (got - gold) & collections.Counter(aside)
    return {"common": (got & gold).total(), "got": got.total(), "gold": gold.total()}


def rates(counts):
    common, got, gold = counts["common"], counts["got"], counts["gold"]
    return {
        "p": round(common / got, 4) if got else 0.0,
        "r": round(common / gold, 4) if gold else 0.0,
        "f1": round(2 * common / (got + gold), 4) if got + gold else 0.0,
    }


def hit(found, wanted):
    return None if not wanted else int(words(found) == words(wanted))


def gold_of(page):
    path = page.with_suffix(".gold.json")
    if path.exists():
        gold = json.loads(path.read_text("utf-8"))
        return gold if "body" in gold else next(iter(gold.values()))
    path = page.with_suffix(".gold.txt")
    return {"body": path.read_text("utf-8")} if path.exists() else None


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("folders", nargs="+", type=pathlib.Path)
    args.add_argument("--only")
    args.add_argument("--dump", type=pathlib.Path, help="write what was extracted to DIR/NAME.txt")
    args = args.parse_args()
    ways = {"body": {}, "recall": {"favor_recall": True}, "precision": {"favor_precision": True}}
    sums = {name: collections.Counter() for name in [*ways, "lenient"]}
    means, hits, pages, furniture = collections.Counter(), collections.defaultdict(list), 0, 0
    for page in sorted(p for folder in args.folders for p in folder.glob("*.html")):
        gold = gold_of(page)
        if gold is None or (args.only and args.only not in page.stem):
            continue
        data = page.read_bytes()
        if "body" not in gold:
            text = trafilatura.extract(data, include_comments=False, include_tables=True) or ""
            found = {k: f"{sum(s in text for s in gold[k])}/{len(gold[k])}" for k in ("with", "without")}
            print(json.dumps({"page": page.stem, **found}))
            continue
        wanted = words(gold["body"])
        started, line = time.perf_counter(), {"page": page.stem}
        texts = {n: trafilatura.extract(data, include_comments=False, include_tables=True, **w) for n, w in ways.items()}
        line["ms"] = round((time.perf_counter() - started) * 1000 / len(ways), 1)
        counts = {name: score(words(text), wanted) for name, text in texts.items()}
        aside = [w for kind, text in gold.get("blocks", []) if kind in ASIDE for w in words(text)]
        counts["lenient"] = score(words(texts["body"]), wanted, aside)
        line |= {name: rates(c) for name, c in counts.items()}
        run = f" {' '.join(words(texts['body']))} "
        line["must_not"] = sum(f" {' '.join(words(s))} " in run for s in gold.get("must_not", []))
        meta = trafilatura.extract_metadata(data)
        meta = meta.as_dict() if meta else {}
        line["title"] = hit(meta.get("title"), gold.get("title"))
        line["date"] = hit((meta.get("date") or "")[:10], (gold.get("date") or "")[:10])
        line["author"] = hit(meta.get("author"), gold.get("byline"))
        line["refused"] = gold.get("refused")
        print(json.dumps(line, ensure_ascii=False))
        if args.dump:
            args.dump.mkdir(parents=True, exist_ok=True)
            (args.dump / f"{page.stem}.txt").write_text(texts["body"] or "", "utf-8")
        if gold.get("refused"):
            continue
        pages, furniture = pages + 1, furniture + line["must_not"]
        for name, c in counts.items():
            sums[name].update(c)
            means[name] += line[name]["f1"]
        for name in ("title", "date", "author"):
            if line[name] is not None:
                hits[name].append(line[name])
    if not pages:
        sys.exit("no page with gold found")
    print(json.dumps({
        "sum": trafilatura.__version__, "pages": pages, "must_not": furniture,
        **{name: rates(c) | {"mean_f1": round(means[name] / pages, 4)} for name, c in sums.items()},
        **{name: f"{sum(h)}/{len(h)}" for name, h in hits.items()},
    }))


if __name__ == "__main__":
    main()
