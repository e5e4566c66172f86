//! What comes first, what is left out, and questions.

use indexer::{Entry, Query, Sort};

use crate::{Shelf, caption, page, titled};

#[test]
fn the_title_before_the_description_before_passages() {
    let shelf = Shelf::new(&[
        Entry {
            passages: vec![caption(0, "剪纸"), caption(1, "剪纸剪纸剪纸")],
            ..titled("passage", "课")
        },
        Entry {
            description: "学习剪纸的基本方法，适合零基础的学员".into(),
            ..titled("about", "手工")
        },
        titled("within", "跟着老师学习民间剪纸技法从入门到精通第一集"),
        Entry { passages: vec![caption(0, "剪纸")], ..titled("longer", "剪纸与生活") },
        titled("exact", "剪纸"),
        titled("other", "太极拳"),
    ]);
    let ids = shelf.ids("剪纸");
    assert_eq!(ids[0], "exact");
    assert_eq!(ids[3..], ["about", "passage"]);
    assert_eq!(ids.len(), 5);
}

#[test]
fn words_may_be_in_different_places_of_one_resource() {
    let shelf = Shelf::new(&[
        Entry {
            passages: vec![caption(0, "先把麻绳泡软"), caption(9_000, "再打一个渔夫结")],
            ..titled("net", "编网")
        },
        titled("other", "编网的历史"),
    ]);
    assert_eq!(shelf.ids("编网 渔夫结"), ["net"]);
    assert_eq!(shelf.ids("麻绳 渔夫结"), ["net"]);
    let hit = &shelf.find("渔夫结").hits[0];
    assert_eq!(hit.moments.len(), 1);
    assert_eq!(hit.moments[0].start_ms, Some(9_000));
}

#[test]
fn many_passages_are_one_hit_with_the_best_three_moments() {
    let mut passages: Vec<_> =
        (0..50).map(|n| caption(n * 1_000, "这里讲了很多别的事情也讲到剪纸")).collect();
    passages[30] = caption(30_000, "剪纸");
    let shelf = Shelf::new(&[Entry { passages, ..titled("a", "甲") }, titled("b", "剪纸乙")]);
    let found = shelf.find("剪纸");
    assert_eq!(found.total, 2);
    let hit = found.hits.iter().find(|hit| hit.resource == "a").unwrap();
    assert_eq!(hit.moments.len(), 3);
    assert_eq!(hit.moments[0].start_ms, Some(30_000));
    assert_eq!(hit.moments[1].start_ms, Some(0));
}

#[test]
fn questions_find_their_paragraph() {
    let shelf = Shelf::new(&[
        Entry {
            passages: vec![
                page(1, "日照位于山东省东南部，东临黄海，因日出初光先照而得名。"),
                page(2, "当地的绿茶在清明前后采摘，叶片厚、香气高。"),
            ],
            ..titled("rizhao", "日照概况")
        },
        Entry {
            passages: vec![page(1, "黄海是中国的边缘海。")], ..titled("sea", "黄海")
        },
    ]);
    let found = shelf.find("日照这个城市的名字是因为什么而得名的？");
    assert_eq!(found.hits[0].resource, "rizhao");
    assert_eq!(found.hits[0].moments[0].page, Some(1));
    assert_eq!(shelf.find("日照的绿茶一般在什么时候采摘？").hits[0].moments[0].page, Some(2));
}

#[test]
fn phrases_and_exclusions() {
    let shelf = Shelf::new(&[
        titled("together", "社区教育论坛"),
        titled("apart", "教育进社区"),
        titled("english", "Machine learning"),
        titled("swapped", "Learning a machine"),
    ]);
    assert_eq!(shelf.ids("\"社区教育\""), ["together"]);
    assert_eq!(shelf.ids("社区教育").len(), 2);
    assert_eq!(shelf.ids("社区教育")[0], "together");
    assert_eq!(shelf.ids("社区 -论坛"), ["apart"]);
    assert_eq!(shelf.ids("\"machine learning\""), ["english"]);
    assert_eq!(shelf.ids("machine learning").len(), 2);
    let mut rest = shelf.ids("-社区");
    rest.sort();
    assert_eq!(rest, ["english", "swapped"]);
    assert_eq!(shelf.ids("社区 -\"社区教育\""), ["apart"]);
}

#[test]
fn newest_first_when_asked_or_when_nothing_is() {
    let dated = |id: &str, published_ms| Entry { published_ms, ..titled(id, "剪纸") };
    let shelf = Shelf::new(&[dated("b", 20), dated("a", 10), dated("c", 30)]);
    assert_eq!(shelf.ids(""), ["c", "b", "a"]);
    assert_eq!(shelf.ids(" \n"), ["c", "b", "a"]);
    let query = Query { text: "剪纸".into(), sort: Sort::Newest, ..Query::default() };
    let hits = shelf.index.search(&query).unwrap().hits;
    assert_eq!(hits[0].resource, "c");
    assert_eq!(shelf.find("？！").total, 0);
}

#[test]
fn pages_fit_together() {
    let entries: Vec<Entry> = (0..25)
        .map(|n| Entry { published_ms: n, ..titled(&format!("r{n:02}"), "剪纸课") })
        .collect();
    let shelf = Shelf::new(&entries[..12]);
    shelf.put(&entries[12..]);
    for text in ["剪纸", ""] {
        let mut seen = Vec::new();
        for page in 1..=4 {
            let query = Query { text: text.into(), page, per_page: 10, ..Query::default() };
            let found = shelf.index.search(&query).unwrap();
            assert_eq!(found.total, 25);
            seen.extend(found.hits.into_iter().map(|hit| hit.resource));
        }
        assert_eq!(seen.len(), 25);
        assert_eq!(seen[0], "r24");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 25);
    }
    let far = Query { text: "剪纸".into(), page: usize::MAX, per_page: 100, ..Query::default() };
    assert!(shelf.index.search(&far).unwrap().hits.is_empty());
    let none = Query { text: "剪纸".into(), per_page: 0, ..Query::default() };
    assert_eq!(shelf.index.search(&none).unwrap().total, 25);
}

#[test]
fn a_facet_gives_as_many_as_it_says() {
    let of = |kind: &str, id: &str, title: &str| Entry { kind: kind.into(), ..titled(id, title) };
    let shelf = Shelf::new(&[
        of("video", "all", "剪纸 窗花"),
        of("document", "one", "剪纸"),
        of("document", "two", "窗花"),
    ]);
    let find = |kinds: &[&str], per_page| {
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let query = Query { text: "剪纸 窗花".into(), kinds, per_page, ..Query::default() };
        shelf.index.search(&query).unwrap()
    };
    let all = find(&[], 20);
    assert_eq!(all.facets["kind"], [("video".to_owned(), 1)]);
    assert_eq!(find(&["video"], 20).total, 1);
    assert_eq!(find(&["document"], 20).total, 0, "as the facet says");
    assert_eq!(find(&[], 1).total, all.total);
}

#[test]
fn one_resource_can_be_searched_alone() {
    let entry = |id: &str| Entry {
        passages: vec![caption(0, "先说别的"), caption(7_000, "再说剪纸")],
        ..titled(id, "课")
    };
    let ids: Vec<String> = (0..60).map(|number| format!("r{number}")).collect();
    let shelf = Shelf::new(&ids.iter().map(|id| entry(id)).collect::<Vec<_>>());
    for id in [&ids[0], &ids[59]] {
        let query = Query { text: "剪纸".into(), resource: Some(id.clone()), ..Query::default() };
        let found = shelf.index.search(&query).unwrap();
        assert_eq!((found.total, &found.hits[0].resource), (1, id));
        assert_eq!(found.hits[0].moments[0].start_ms, Some(7_000));
    }
    let query = Query { text: "剪纸".into(), resource: Some("none".into()), ..Query::default() };
    assert_eq!(shelf.index.search(&query).unwrap().total, 0);
}

#[test]
fn a_line_as_it_stands_comes_before_titles_with_its_words_apart() {
    let shelf = Shelf::new(&[
        titled("apart", "明月与故乡：举头望远镜，低头思考"),
        Entry {
            passages: vec![page(1, "床前明月光，疑是地上霜。举头望明月，低头思故乡。")],
            ..titled("poem", "静夜思")
        },
        Entry {
            passages: vec![page(1, "明月何时照我还故乡，举头")], ..titled("other", "杂诗")
        },
    ]);
    assert_eq!(shelf.ids("举头望明月")[0], "poem");
    assert_eq!(shelf.ids("低头思故乡")[0], "poem");
}

#[test]
fn words_in_a_title_come_before_the_same_side_by_side_in_a_passage() {
    let shelf = Shelf::new(&[
        Entry {
            passages: vec![page(1, "这里也卖日照绿茶，日照绿茶很好")],
            ..titled("passage", "集市")
        },
        titled("title", "日照市绿茶种植技术"),
    ]);
    assert_eq!(shelf.ids("日照绿茶"), ["title", "passage"]);
}

#[test]
fn a_title_that_sounds_like_the_query_comes_first() {
    let long = "送李少府贬峡中王少府贬长沙";
    let shelf = Shelf::new(&[
        titled("longer", "登高山"),
        titled("same", "登高"),
        titled("within", "人日登高"),
        titled("verse", long),
    ]);
    for typed in ["denggao", "deng gao", "dg"] {
        assert_eq!(shelf.ids(typed)[0], "same", "{typed}");
    }
    assert_eq!(shelf.ids("songlishaofubianxiazhongwangshaofubianchangsha"), ["verse"]);
}

#[test]
fn the_author_beside_the_title_is_the_title() {
    let shelf = Shelf::new(&[
        Entry { author: "裴迪".into(), ..titled("both", "忆终南山因献王维") },
        Entry { author: "王维".into(), ..titled("own", "终南山") },
        Entry { author: "王维".into(), ..titled("other", "终南别业") },
    ]);
    assert_eq!(shelf.ids("王维 终南山"), ["own", "both"]);
    assert_eq!(shelf.ids("终南山 王维"), ["own", "both"]);
}

#[test]
fn single_characters_of_a_question_are_looked_for() {
    let shelf = Shelf::new(&[
        titled("ming", "明代的历史"),
        titled("tea", "茶在中国的历史"),
        Entry {
            passages: vec![page(1, "向宠是蜀汉的将军")], ..titled("general", "人物")
        },
        Entry {
            passages: vec![page(1, "这一时期的将军很多")], ..titled("others", "时期")
        },
    ]);
    assert_eq!(shelf.ids("茶的历史"), ["tea"]);
    assert_eq!(shelf.ids("向宠是什么时期的人？")[0], "general");
}
