"""How well searches of search.py find what people judged good: the same questions, documents and judgements for all."""

import json
import math
import shutil
import statistics
import time

import search_duoku
import search_measure
import search_peers
import search_texts as texts

MARKS = {"ndcg": "nDCG@10", "mrr": "MRR@10", "recall": "recall@100"}
DEPTH = 100


def measure(options, postgres):
    """Prints and gives the mean marks of each set and subset; writes what duoku did not find first."""
    duoku = search_duoku.Duoku(options.duoku, options.work / "data-quality")
    peers = [search_peers.Fts5(options.work, False), search_peers.Fts5(options.work, True), postgres]
    told, misses, built = {}, [], None
    for name, corpora in texts.SETS:
        if built != corpora:
            built, (ids, titles) = corpora, build(options, duoku, peers, corpora, spelled=name == "poem")
        with duoku:
            duoku.open()
            for subset, q, good in texts.questions(options.texts, name, options.queries):
                answer, found = ask(duoku, peers, ids, q)
                for peer, ranked in found.items():
                    for part in (name, f"{name}: {subset}"):
                        told.setdefault(part, {}).setdefault(peer, []).append(marks(ranked, good))
                if rank_of(found[duoku.name], good) != 1:
                    misses.append(miss(subset, q, good, answer, found, titles))
    shutil.rmtree(duoku.data, ignore_errors=True)
    for peer in peers:
        peer.remove()
    if options.misses:
        options.misses.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in misses))
    table = {part: {peer: {"queries": len(each)} | {key: statistics.mean(one[key] for one in each) for key in MARKS}
                    for peer, each in by_peer.items()} for part, by_peer in told.items()}
    print_marks(table)
    return table


def build(options, duoku, peers, corpora, spelled):
    """Everybody's index of `corpora`, for peers with pinyin where that is asked for. The documents by resource, and titles."""
    documents = [{**document, "spelled": spelled} for document in texts.documents(options.texts, corpora)]
    ids = search_duoku.seed_documents(duoku, documents)
    duoku.reindex()
    for peer in peers:
        peer.build_documents(documents)
        peer.open()
    return ids, {document["id"]: document["title"] for document in documents}


def ask(duoku, peers, ids, q):
    """duoku's answer, and the documents that each one gives, the best first."""
    began = time.perf_counter()
    answer = json.loads(duoku.ask(search_duoku.get("/api/search", q=q, per_page=DEPTH)))
    answer["ms"] = round((time.perf_counter() - began) * 1e3, 2)
    found = {duoku.name: [ids[hit["resource"]] for hit in answer["hits"]]}
    return answer, found | {peer.name: peer.find_documents(q, DEPTH) for peer in peers}


def rank_of(ranked, good):
    return next((rank for rank, one in enumerate(ranked, 1) if one in good), None)


def miss(subset, q, good, answer, found, titles):
    first = next(iter(found.values()))[:3]
    return {"set": subset, "q": q, "ms": answer["ms"], "total": answer["total"], "heard": answer["heard"],
            "ranks": {name: rank_of(ranked, good) for name, ranked in found.items()},
            "wanted": {one: titles[one] for one in sorted(good)[:3]}, "first": {one: titles[one] for one in first}}


def marks(ranked, good):
    """Of one ranking; what is good is equally good."""
    ranks = [rank for rank, one in enumerate(ranked[:DEPTH], 1) if one in good]
    gain = lambda ranks: sum(1 / math.log2(rank + 1) for rank in ranks if rank <= 10)
    return {"ndcg": gain(ranks) / gain(range(1, len(good) + 1)), "mrr": 1 / ranks[0] if ranks and ranks[0] <= 10 else 0.0,
            "recall": len(ranks) / len(good)}


def print_marks(table):
    names = list(next(iter(table.values())))
    rows = []
    for part, by_name in table.items():
        cells = [" / ".join(f"{by_name[name][key]:.3f}" for key in MARKS) for name in names]
        best = {key: max(by_name[name][key] for name in names[1:]) for key in MARKS}
        ratio = " / ".join(f"{by_name[names[0]][key] / best[key]:.2f}" if best[key] else "-" for key in MARKS)
        rows.append([part, by_name[names[0]]["queries"], *cells, ratio])
    search_measure.print_table(f"quality: {' / '.join(MARKS.values())}", ["", "queries", *names, "duoku by the best peer"], rows)
