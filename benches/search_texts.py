"""What search.py searches: records and queries made of poems, and the query sets with their judgements.

The texts are those of ../shared/text: `corpus-*.jsonl.zst` (id, title, body, author), `*.queries.tsv` (id, set, query) and
`*.qrels.tsv` (TREC). Peers that know no Chinese get it prepared here: Traditional folded to Simplified by OpenCC's
characters, words cut by jieba, characters spelled by pypinyin."""

import collections
import functools
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import unicodedata
import venv

PACKAGES = ["rjieba==0.2.2", "opencc-python-reimplemented==0.1.7", "pypinyin==0.55.0", "psycopg2-binary==2.9.13"]
KINDS = ["one", "two", "phrase", "typed", "pinyin", "rare"]
TYPED = ["letters", "initials", "characters"]
QUERIES = 200
# The query sets, and the corpora that each searches together.
SETS = [("poem", ["corpus-short"]), ("qa", ["corpus-wiki", "corpus-long"]), ("doc", ["corpus-wiki", "corpus-long"])]
# About a page, in characters.
PAGE_CHARS = 900
# Words that a Chinese tokenizer for PostgreSQL is mostly set to leave out of queries.
STOP_WORDS = set("的 了 是 在 和 与 及 或 也 都 就 而 为 由 从 对 于 以 被 把 将 向 到 给 让 之 其 此 该 这 那 有 吗 呢 吧 啊 "
                 "个 位 哪 哪个 哪些 哪里 哪位 哪一 什么 谁 何 如何 怎么 怎样 多少 几 几个 为什么 为何 是否 有何 有哪些".split())


def enter_venv(work):
    """Goes on in a virtual environment that has the packages."""
    home = work / "venv"
    python = home / "bin" / "python"
    if pathlib.Path(sys.prefix) == home:
        return
    if not (home / "ready").exists():
        venv.create(home, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES], check=True)
        (home / "ready").touch()
    os.execv(python, [str(python), *sys.argv])


class Folded(dict):
    """Characters, Traditional to Simplified."""

    def __missing__(self, code):
        self[code] = converter().convert(chr(code))
        return self[code]


@functools.cache
def converter():
    import opencc
    return opencc.OpenCC("t2s")


FOLDED = Folded()


def simplified(text):
    return text.translate(FOLDED)


def words(text, search=False):
    """Words as jieba cuts them; for `search` with the shorter ones in them."""
    import rjieba
    cut = rjieba.cut_for_search if search else rjieba.cut
    return [word for word in cut(text, True) if word[:1].isalnum()]


@functools.cache
def syllable(character):
    """How a character is read, without its tone; empty for what is none."""
    from pypinyin.constants import PINYIN_DICT
    marked = PINYIN_DICT.get(ord(character), "").split(",")[0]
    return "".join(part for part in unicodedata.normalize("NFD", marked) if not unicodedata.combining(part))


def syllables(text):
    return [one for one in map(syllable, text) if one]


def lines_of(texts, corpus):
    """Records of a corpus."""
    with subprocess.Popen(["zstd", "-dcq", str(texts / f"{corpus}.jsonl.zst")], stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            yield json.loads(line)


# --- records and queries for speed ---


def make_records(texts, folder, sizes):
    """Files of so many records {id, title, author, text, seg, pinyin, initials}, and queries.json: once. Smaller files are
    the beginning of the largest."""
    most = max(sizes)
    largest = folder / f"docs-{most}.jsonl"
    if not largest.exists() or not (folder / "queries.json").exists():
        write_records(texts, folder, most)
    for size in sizes:
        path = folder / f"docs-{size}.jsonl"
        if not path.exists():
            with open(largest, "rb") as whole, open(path, "wb") as part:
                part.writelines(line for line, _ in zip(whole, range(size)))


def write_records(texts, folder, most):
    chance = random.Random(11)
    poems = []
    for poem in lines_of(texts, "corpus-short"):
        lines = [line for line in poem["body"].split("\n") if line]
        poems += [(poem["title"], poem.get("author", ""), "".join(lines[at:at + 2])) for at in range(0, len(lines), 2)]
    chance.shuffle(poems)
    real = len(poems)
    print(f"{min(real, most)} records of {most} are two lines of a poem, the others are joined from two", flush=True)
    while len(poems) < most:
        (title, _, first), (_, author, second) = poems[chance.randrange(real)], poems[chance.randrange(real)]
        poems.append((title, author, first[:len(first) // 2] + second[len(second) // 2:]))
    frequencies, sample = collections.Counter(), []
    scratch = folder / "docs.part"
    with open(scratch, "w") as file:
        for number, poem in enumerate(poems[:most]):
            title, author, text = map(simplified, poem)
            cut = words(f"{title} {author} {text}")
            frequencies.update(set(cut))
            if number % 10 == 0:
                sample.append((title, text, cut))
            read = syllables(title)
            record = {"id": number, "title": title, "author": author, "text": text, "seg": " ".join(cut),
                      "pinyin": "".join(read), "initials": "".join(one[0] for one in read)}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    (folder / "queries.json").write_text(json.dumps(make_queries(frequencies, sample, most, chance), ensure_ascii=False))
    scratch.rename(folder / f"docs-{most}.jsonl")


def make_queries(frequencies, sample, most, chance):
    """QUERIES of each kind. Common is a word of 200 in a million records or more, rare is one of less than 50."""
    han = [word for word in frequencies if len(word) > 1 and re.fullmatch("[\u4e00-\u9fff]+", word)]
    often = {word for word in han if frequencies[word] * 1_000_000 >= 200 * most}
    rare = sorted(word for word in han if 1 < frequencies[word] and frequencies[word] * 1_000_000 < 50 * most)
    ordered = sorted(often)
    queries = {"one": chance.choices(ordered, [frequencies[word] ** 0.5 for word in ordered], k=QUERIES),
               "rare": chance.sample(rare, min(QUERIES, len(rare))), "two": [], "phrase": [], "pinyin": []}
    while len(queries["two"]) < QUERIES:
        common = sorted({word for word in chance.choice(sample)[2] if word in often})
        if len(common) > 1:
            queries["two"].append(" ".join(chance.sample(common, 2)))
    while len(queries["phrase"]) < QUERIES:
        clauses = [part for part in re.split("[，。？！；、：]", chance.choice(sample)[1]) if 4 <= len(part) <= 7]
        if clauses:
            queries["phrase"].append(chance.choice(clauses))
    while len(queries["pinyin"]) < QUERIES:
        letters = "".join(syllables(chance.choice(sample)[0]))
        if len(letters) >= 5:
            queries["pinyin"].append(letters[:chance.randint(3, 5)])
    return queries


def queries(folder):
    """By kind; `typed` is the phrases as people type them, without quotes."""
    known = json.loads((folder / "queries.json").read_text())
    return {**known, "typed": known["phrase"]}


def beginnings(path):
    """What is typed of titles: 3 to 5 letters of their pinyin, 2 to 4 initials, 1 to 3 characters."""
    chance = random.Random(12)
    typed = {kind: [] for kind in TYPED}
    records = [json.loads(line) for line, _ in zip(open(path), range(20_000))]
    records = [record for record in records if len(record["initials"]) >= 4 and len(record["title"]) >= 3]
    for record in chance.sample(records, min(QUERIES, len(records))):
        typed["letters"].append(record["pinyin"][:chance.randint(3, 5)])
        typed["initials"].append(record["initials"][:chance.randint(2, 4)])
        typed["characters"].append(record["title"][:chance.randint(1, 3)])
    return typed


# --- corpora and judgements for quality ---


def documents(texts, corpora):
    """Records {id, title, author, body} of all `corpora`."""
    for corpus in corpora:
        yield from lines_of(texts, corpus)


def pages(body):
    """A body in pages, broken at lines."""
    found, size = [[]], 0
    for line in re.findall(r"[^\n]*\n|[^\n]+$", body):
        if size and size + len(line) > PAGE_CHARS:
            found.append([])
            size = 0
        found[-1].append(line)
        size += len(line)
    return ["".join(page) for page in found]


def questions(texts, name, most):
    """At most so many of a set, by chance but always the same: [(subset, query, judged good)]."""
    good = collections.defaultdict(set)
    for line in (texts / f"{name}.qrels.tsv").read_text().strip().split("\n"):
        query, _, document, grade = line.split()
        if int(grade) > 0:
            good[query].add(document)
    rows = [line.split("\t", 2) for line in (texts / f"{name}.queries.tsv").read_text().strip().split("\n")]
    rows = [(subset, query, good[number]) for number, subset, query in rows if good[number] and query.strip()]
    return random.Random(13).sample(rows, min(most, len(rows)))
