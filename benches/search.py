#!/usr/bin/env python3
"""Search beside SQLite FTS5, PostgreSQL and Meilisearch: the same records, documents and queries, in turn, medians.

  search.py DUOKU [MODE...] [--records 100000] [--queries 400] [--seconds S] [--runs N] [--builds N] [--meili PROGRAM]
            [--texts FOLDER] [--work DIR] [--json FILE] [--misses FILE]

MODES, all when none is named:
  index    seconds, CPU seconds, memory and bytes of each one's index of so many records
  speed    p50 and p99 of one client, and the rate of two at once, by kind of query: `one` word, `two` words, a `phrase` in
           quotes, the same as it is `typed` without, a beginning in `pinyin`, a `rare` word
  suggest  the same of completions: `letters` of pinyin, `initials`, `characters`
  live     searches while resources are published as fast as the API takes them, and how soon they are found
  quality  nDCG@10, MRR@10 and recall@100 of the query sets of ../shared/text

A record is two lines of verse with title and author: a resource with one page. FTS5 and PostgreSQL get words that jieba has
cut, which their times do not hold; `cutting` is what that takes. duoku is asked over HTTP for ten hits, with facets, marks and
moments: once with `search.answers_bytes` 0, so that every answer is computed, once with its default. FTS5 is asked in the
client's process, PostgreSQL over its socket; `floor` is the same client at /healthz. Clients and servers share the machine.

Memory is what a process has of its own, without pages of files; sizes are of the index alone, beside the bytes of the
records' file. What is not in DIR yet is made there: 3 GB for a million records, and PostgreSQL has 2 GB more in TMPDIR."""

import argparse
import contextlib
import gc
import json
import multiprocessing
import pathlib
import random
import shutil
import statistics
import time

import search_measure as measure
import search_texts as texts

HERE = pathlib.Path(__file__).resolve().parent
MODES = ["index", "speed", "suggest", "live", "quality"]
FORK = multiprocessing.get_context("fork")
FLOOR = "floor"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("duoku")
    parser.add_argument("modes", nargs="*", metavar="MODE", help=", ".join(MODES))
    parser.add_argument("--records", type=int, nargs="+", default=[100_000])
    parser.add_argument("--queries", type=int, default=400, help="of each set of `quality`, at most")
    parser.add_argument("--seconds", type=float, default=2, help="of one client, and of two")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--builds", type=int, default=1)
    parser.add_argument("--meili", help="the program")
    parser.add_argument("--texts", type=pathlib.Path, default=HERE.parent.parent / "shared" / "text")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("target/bench/search"))
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--misses", type=pathlib.Path, help="what `quality` did not find first, a line each")
    options = parser.parse_args()
    if not (options.texts / "corpus-short.jsonl.zst").exists():
        print(f"there are no texts in {options.texts}: nothing to measure")
        return
    unknown = set(options.modes) - set(MODES)
    assert not unknown, f"there is no mode {', '.join(unknown)}"
    options.work = options.work.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    options.duoku = str(pathlib.Path(options.duoku).resolve())
    texts.enter_venv(options.work)
    Bench(options).run()


class Bench:
    """One call of the program."""

    def __init__(self, options):
        import search_duoku
        import search_peers
        self.duoku, self.peers = search_duoku, search_peers
        self.options, self.modes = options, options.modes or MODES
        self.told = {}

    def run(self):
        postgres = self.peers.Postgres()
        try:
            sizes = sorted(self.options.records)
            if set(self.modes) - {"quality"}:
                texts.make_records(self.options.texts, self.options.work, sizes)
                for size in sizes:
                    self.measure_records(size, postgres)
            if "quality" in self.modes:
                import search_quality
                self.told["quality"] = search_quality.measure(self.options, postgres)
        finally:
            postgres.end()
            if self.options.json:
                self.options.json.write_text(json.dumps(self.told, ensure_ascii=False, indent=1))

    # --- records ---

    def measure_records(self, size, postgres):
        self.memory, self.slowest = {}, []
        work, path = self.options.work, self.options.work / f"docs-{size}.jsonl"
        data = work / f"data-{size}"
        duoku = self.duoku.Duoku(self.options.duoku, data)
        if not (data / "seeded").exists():
            self.duoku.seed_records(duoku, path)
            (data / "seeded").touch()
        meili = [self.peers.Meili(self.options.meili, work)] if self.options.meili else []
        others = [self.peers.Fts5(work, False), self.peers.Fts5(work, True), postgres, *meili]
        try:
            built = self.build(duoku, others, path)
            self.told[str(size)] = told = {"index": built}
            if "index" in self.modes:
                print_index(size, path, built)
            computed = self.duoku.Duoku(self.options.duoku, data, 0)
            if "speed" in self.modes:
                told["speed"] = self.compare([duoku, computed, *others], texts.queries(work), "request")
                print_speed(f"{size} records, searches", told["speed"])
            if "suggest" in self.modes:
                for peer in others:
                    peer.build_suggestions(path)
                told["suggest"] = self.compare([duoku, computed, *others], texts.beginnings(path), "suggestion")
                print_speed(f"{size} records, suggestions", told["suggest"])
            if {"speed", "suggest"} & set(self.modes):
                told["memory"] = self.memory
                for name, (whole, own) in self.memory.items():
                    print(f"{name}: {own / 1e6:.0f} MB of memory of its own after all queries, {whole / 1e6:.0f} MB with pages of files")
                print_slowest(self.slowest)
            if "live" in self.modes:
                told["live"] = self.live(data, texts.queries(work)["one"])
                print_live(size, told["live"])
        finally:
            for peer in others:
                peer.remove()

    def build(self, duoku, others, path):
        """Every index, each anew so many times in turn; what that took in the middle."""
        rows = {}
        for _ in range(self.options.builds):
            rows.setdefault(duoku.name, []).append(duoku.reindex())
            for peer in others:
                peer.start()
                took = measure.measured_task(peer.build, path, servers=peer.processes)
                rows.setdefault(peer.name, []).append({**took, "size": peer.size()})
        if "index" in self.modes:
            rows["cutting"] = [{**measure.measured_task(cut_all, path), "size": 0}]
        return {name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in rows.items()}

    def compare(self, servers, queries, shape):
        """By kind, by name: p50, p99, rate, hits, and how many can be asked."""
        runs = {}
        for _ in range(self.options.runs):
            for server in servers:
                with server:
                    asked = {kind: [(q, getattr(server, shape)(kind, q)) for q in asked] for kind, asked in queries.items()}
                    if isinstance(server, self.duoku.Duoku) and server.answers is None:
                        floor = [("", self.duoku.get("/healthz"))]
                        runs.setdefault(("", FLOOR), []).append(self.measure(server, "", floor))
                    for kind, requests in asked.items():
                        requests = [(q, request) for q, request in requests if request]
                        if requests:
                            measured = {**self.measure(server, kind, requests), "asked": len(requests) / len(asked[kind])}
                            runs.setdefault((kind, server.name), []).append(measured)
                    if isinstance(server, self.duoku.Duoku):
                        self.memory[server.name] = server.resident_bytes()
        table = {}
        for (kind, name), each in runs.items():
            row = {key: statistics.median(run[key] for run in each) for key in each[0]}
            rates = [run["rate"] for run in each]
            table.setdefault(kind, {})[name] = {**row, "spread": (max(rates) - min(rates)) / statistics.median(rates)}
        return table

    def measure(self, server, kind, requests):
        """One client asks all of them again and again, then two do by chance. Microseconds, requests a second."""
        server.open()
        answers = [server.ask(request) for _, request in requests]
        hits = statistics.mean(server.hits(answer) for answer in answers) if kind else 0
        times, best = [], {}
        gc.collect()
        gc.disable()
        began = time.perf_counter_ns()
        while time.perf_counter_ns() - began < self.options.seconds * 1e9:
            for q, request in requests:
                before = time.perf_counter_ns()
                server.ask(request)
                took = (time.perf_counter_ns() - before) / 1e3
                times.append(took)
                best[q] = min(took, best.get(q, took))
        gc.enable()
        if getattr(server, "answers", None) == 0:
            slow = [(took, kind, q) for q, took in best.items()]
            self.slowest = sorted({(kind, q): (took, kind, q) for took, kind, q in sorted(slow + self.slowest, reverse=True)}.values(),
                                  reverse=True)[:10]
        return {**measure.percentiles(times), "hits": hits, **self.rate(server, [request for _, request in requests])}

    def rate(self, server, requests):
        """Requests a second of two clients at once, and the CPU microseconds of one: of the server where there is one."""
        start, told = FORK.Barrier(2), FORK.Queue()

        def one(seed):
            server.open()
            chance, count = random.Random(seed), 0
            start.wait()
            began = time.monotonic()
            while time.monotonic() - began < self.options.seconds:
                server.ask(chance.choice(requests))
                count += 1
            told.put((count, count / (time.monotonic() - began)))

        used, at_server = measure.children_cpu_s(), server.cpu_s()
        counts, rates = zip(*together([FORK.Process(target=one, args=[seed]) for seed in range(2)], told))
        time.sleep(0.05)  # a backend of PostgreSQL's ends after its client
        cpu = server.cpu_s() - at_server if server.has_server else measure.children_cpu_s() - used
        return {"rate": sum(rates), "cpu": cpu / sum(counts) * 1e6}

    # --- live ---

    def live(self, data, words):
        """Searches of one word alone and beside a client that publishes; and from publishing to being found."""
        folder = self.options.work / "data-live"
        rows = {}
        try:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(data, folder)
            waiting = [(self.duoku.waiting_word(number), id_) for number, id_ in enumerate(self.duoku.waiting_ids(folder))]
            for answers in (None, 0):
                server = self.duoku.Duoku(self.options.duoku, folder, answers)
                with server:
                    token = server.run("token", "create", "--user", "admin").split()[-1]
                    requests = [server.request("one", word) for word in words]
                    for _ in range(self.options.runs):
                        rows.setdefault((server.name, "alone"), []).append(self.beside(server, requests, token, []))
                        part, waiting = waiting[:3_000], waiting[3_000:]
                        measured = self.beside(server, requests, token, part)
                        waiting = part[int(measured["published"]):] + waiting
                        rows.setdefault((server.name, "while publishing"), []).append(measured)
                    if answers is None:
                        found = [soon(self.duoku, *waiting.pop(), token) for _ in range(100)]
                        rows["found", "alone"] = [measure.percentiles(found)]
                        with self.searching(server, requests):
                            found = [soon(self.duoku, *waiting.pop(), token) for _ in range(100)]
                        rows["found", "beside a client that searches"] = [measure.percentiles(found)]
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return {" ".join(key): {name: statistics.median(run[name] for run in each) for name in each[0]} for key, each in rows.items()}

    def beside(self, server, requests, token, waiting):
        """One client searches at full speed, another publishes what waits."""
        seconds, told, start = self.options.seconds * 2, FORK.Queue(), FORK.Barrier(2)

        def search():
            server.open()
            for request in requests:
                server.ask(request)
            chance, times = random.Random(1), []
            start.wait()
            began = time.perf_counter()
            while time.perf_counter() - began < seconds:
                before = time.perf_counter_ns()
                server.ask(chance.choice(requests))
                times.append((time.perf_counter_ns() - before) / 1e3)
            told.put({**measure.percentiles(times), "rate": len(times) / seconds})

        def publish():
            connection, count = measure.Connection(self.duoku.PORT), 0
            start.wait()
            began = time.perf_counter()
            for _, resource in waiting:
                if time.perf_counter() - began > seconds:
                    break
                connection.ask(self.duoku.post(f"/api/resources/{resource}/publish", token))
                count += 1
            told.put({"published": count, "publishing": count / (time.perf_counter() - began)})

        both = together([FORK.Process(target=task) for task in (search, publish)], told)
        return both[0] | both[1]

    @contextlib.contextmanager
    def searching(self, server, requests):
        def search():
            server.open()
            chance = random.Random(2)
            while True:
                server.ask(chance.choice(requests))

        process = FORK.Process(target=search)
        process.start()
        yield
        process.terminate()
        process.join()


def cut_all(path):
    """What the peers with words get done beforehand."""
    import search_peers
    for record in search_peers.records(path):
        texts.words(f"{record['title']} {record['author']} {record['text']}")


def together(processes, told):
    """What each has told, in any order."""
    for process in processes:
        process.start()
    answers = [told.get(timeout=600) for _ in processes]
    for process in processes:
        process.join()
    return answers


def soon(duoku, word, resource, token):
    """Milliseconds from the request that publishes to the first search that finds it."""
    connection, asked = measure.Connection(duoku.PORT), duoku.get("/api/search", q=word, per_page=1)
    assert b'"total":0' in connection.ask(asked), f"{word} is found before it is published"
    time.sleep(random.random() * 0.3)
    began = time.perf_counter()
    connection.ask(duoku.post(f"/api/resources/{resource}/publish", token))
    while b'"total":0' in connection.ask(asked):
        assert time.perf_counter() - began < 30, f"{word} is not found"
        time.sleep(0.002)
    return (time.perf_counter() - began) * 1e3


# --- tables ---


def print_index(size, path, built):
    source = path.stat().st_size
    rows = [[name, f"{row['wall']:.1f}", f"{row['cpu']:.1f}", f"{row['peak'] / 1e6:.0f}"]
            + ([f"{row['size'] / 1e6:.1f}", f"{row['size'] / source:.2f}"] if row["size"] else ["", ""]) for name, row in built.items()]
    measure.print_table(f"{size} records, {source / 1e6:.1f} MB", ["index", "wall s", "CPU s", "memory MB", "size MB", "of the records"], rows)


def print_speed(title, table):
    """p50 / p99 in microseconds, and in brackets the requests a second of two clients; and duoku's rate by the best peer's."""
    kinds = [kind for kind in table if kind]
    names = list(dict.fromkeys(name for kind in kinds for name in table[kind]))
    rows = []
    for name in names:
        cells = [cell(table[kind].get(name)) for kind in kinds]
        rows.append([name, *cells])
    for mine in [name for name in names if name.startswith("duoku")]:
        peers = [name for name in names if not name.startswith("duoku")]
        for what, better, best in (("p50", lambda a, b: b / a, min), ("rate", lambda a, b: a / b, max)):
            cells = []
            for kind in kinds:
                others = [table[kind][name][what] for name in peers if name in table[kind] and table[kind][name]["asked"] == 1]
                cells.append(f"{better(table[kind][mine][what], best(others)):.2f}" if others else "")
            rows.append([f"{mine}: {what}, times better than the best peer", *cells])
    floor = table[""][FLOOR]
    measure.print_table(f"{title}: p50 / p99 us (requests/s of two clients); floor {cell(floor)}", ["", *kinds], rows)
    measure.print_table("CPU us of a request, its hits, spread of the rates", ["", *kinds],
                [[name, *(f"{row['cpu']:.0f}, {row['hits']:.1f}, {row['spread'] * 100:.0f} %" if (row := table[kind].get(name)) else ""
                          for kind in kinds)] for name in names])


def cell(row):
    if not row:
        return "cannot"
    rate = f"{row['p50']:.0f} / {row['p99']:.0f} ({row['rate']:.0f})"
    return rate if row.get("asked", 1) == 1 else f"{rate}, {row['asked'] * 100:.0f} % of them"


def print_slowest(slowest):
    measure.print_table("duoku's slowest, at best, computed", ["us", "kind", "query"], [[f"{took:.0f}", kind, q] for took, kind, q in slowest])


def print_live(size, rows):
    searches = {name: row for name, row in rows.items() if "rate" in row}
    measure.print_table(f"{size} records, live: searches of one word by one client", ["", "p50 us", "p99 us", "searches/s", "published/s"],
                [[name, f"{row['p50']:.0f}", f"{row['p99']:.0f}", f"{row['rate']:.0f}", f"{row['publishing']:.0f}"]
                 for name, row in searches.items()])
    measure.print_table("from publishing to being found", ["", "p50 ms", "p99 ms"],
                [[name, f"{row['p50']:.0f}", f"{row['p99']:.0f}"] for name, row in rows.items() if "rate" not in row])


if __name__ == "__main__":
    main()
