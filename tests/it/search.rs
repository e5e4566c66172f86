//! Search through the API: Chinese words, pinyin, facets, suggestions, what is not found.

use std::time::Duration;

use duoku::catalogue::{Role, Stage};
use duoku::db;
use duoku::db::resources::TitleQuery;
use http::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, eventually};
use crate::client::{Client, answer, encode, text_of};
use crate::fixture;

/// Titles of the probes; each is a small picture.
const TITLES: &[&str] = &[
    "日照市社区教育课程资源库建设",
    "二十四式太极拳入门教学视频",
    "老年人智能手机使用教程",
    "日照剪纸",
    "黄海渔民的编网技艺",
    "Introduction to Running Databases",
];

/// Uploads pictures with `titles` and waits until all are found.
async fn library(admin: &Client, titles: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for (number, title) in (0..).zip(titles) {
        ids.push(admin.upload("p.bmp", title, &fixture::picture(number)).await);
    }
    for id in &ids {
        assert_eq!(admin.settled(id).await["stage"], "published");
    }
    eventually("all are found", Duration::from_secs(3), || async {
        (admin.search("").await["total"] == ids.len()).then_some(())
    })
    .await;
    ids
}

async fn titles_found(client: &Client, q: &str) -> Vec<String> {
    let result = client.search(q).await;
    assert_eq!(result["titles_only"], false, "the index answers");
    let hits = result["hits"].as_array().expect("a list");
    let plain = |hit: &Value| text_of(&hit["title"]).replace("<mark>", "").replace("</mark>", "");
    hits.iter().map(plain).collect()
}

#[tokio::test]
async fn chinese_words_and_pinyin_find_theirs() {
    let app = TestApp::start();
    let admin = app.admin().await;
    library(&admin, TITLES).await;
    let nobody = app.nobody();
    for (q, title) in [
        ("日照", TITLES[0]),
        ("社区教育", TITLES[0]),
        ("课程资源", TITLES[0]),
        ("资源库", TITLES[0]),
        ("教育资源", TITLES[0]),
        ("建设", TITLES[0]),
        ("日照市社区教育课程资源库建设", TITLES[0]),
        ("太极拳 教学", TITLES[1]),
        ("太极拳", TITLES[1]),
        ("手机教程", TITLES[2]),
        ("rizhao", TITLES[0]),
        ("rizhao", TITLES[3]),
        ("rz jianzhi", TITLES[3]),
        ("taijiquan", TITLES[1]),
        ("tjq", TITLES[1]),
        ("漁民編網", TITLES[4]),
        ("太極拳", TITLES[1]),
        ("剪纸", TITLES[3]),
        ("剪", TITLES[3]),
        ("ｄａｔａｂａｓｅ", TITLES[5]),
        ("run database", TITLES[5]),
    ] {
        let found = titles_found(&nobody, q).await;
        assert!(found.iter().any(|known| known == title), "{q:?} finds {title}: {found:?}");
    }
    for (q, title) in [
        ("剪子", TITLES[3]),
        ("手机", TITLES[1]),
        ("威海", TITLES[0]),
        ("qingdao", TITLES[0]),
        ("-日照 剪纸", TITLES[3]),
    ] {
        let found = titles_found(&nobody, q).await;
        assert!(
            !found.iter().any(|known| known == title),
            "{q:?} does not find {title}: {found:?}"
        );
    }
    let hit = &nobody.search("社区教育").await["hits"][0];
    assert!(text_of(&hit["title"]).contains("<mark>"), "{hit:#}");
    assert_eq!(titles_found(&nobody, "剪纸").await[0], TITLES[3], "the best comes first");
}

#[tokio::test]
async fn words_of_captions_are_found_when_played() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("a.mp3", "第一课", &fixture::audio(8)).await;
    let id = text_of(&resource["id"]);
    let captions = fixture::captions(&[
        (0, "大家好"),
        (2000, "今天我们学习黄海渔民的编网技艺"),
        (4000, "准备好梭子和尺板"),
    ]);
    let path = format!("/api/resources/{id}/captions/zh");
    answer(admin.ask(Method::PUT, &path).body(captions)).await.expect(204);
    for q in ["渔民", "编网", "黄海", "技艺", "渔民编网", "漁民編網", "bianwang"] {
        let hit = eventually(q, Duration::from_secs(2), || async {
            nobody.search(q).await["hits"].get(0).cloned()
        })
        .await;
        assert_eq!(hit["resource"], id, "{q}");
        let moment = &hit["moments"][0];
        assert_eq!(
            (&moment["kind"], &moment["start_ms"]),
            (&json!("caption"), &json!(2000)),
            "{q}: {hit:#}"
        );
    }
    assert_eq!(nobody.search("梭子").await["hits"][0]["moments"][0]["start_ms"], 4000);
    for q in ["渔夫", "编织袋", "学习机"] {
        let found = nobody.search(q).await;
        assert!(found["hits"].as_array().expect("a list").is_empty(), "{q}: {found:#}");
    }
}

#[tokio::test]
async fn searches_are_narrowed_by_facets_and_pages() {
    let app = TestApp::start();
    app.ran(&["library", "create", "town", "--name", "镇库", "--publish-when-ready"]);
    let (admin, nobody) = (app.admin().await, app.nobody());
    let ids = library(&admin, &["剪纸 甲", "剪纸 乙", "剪纸 丙"]).await;
    let town = admin.upload_into("town", "p.bmp", "剪纸 丁", &fixture::picture(9)).await;
    admin.settled(&town).await;
    let patch = json!({ "topics": ["culture-arts"], "audiences": ["elders", "children"], "language": "zh", "description": "大红纸 <b>折三次</b>" });
    let path = format!("/api/resources/{}", ids[0]);
    admin.send(Method::PATCH, &path, &patch).await.expect(200);
    let get = |more: &str| {
        let path = format!("/api/search?q={}&{more}", encode("剪纸"));
        let nobody = nobody.clone();
        async move { nobody.get(&path).await.expect(200).json() }
    };
    eventually("the change is found", Duration::from_secs(2), || async {
        (get("topic=culture-arts").await["total"] == 1 && get("").await["total"] == 4).then_some(())
    })
    .await;
    assert_eq!(get("library=town").await["hits"][0]["resource"], town);
    assert_eq!(get("library=town,main").await["total"], 4);
    assert_eq!(get("audience=elders").await["total"], 1);
    assert_eq!(get("language=zh").await["total"], 1);
    assert_eq!(get("kind=video").await["total"], 0);
    assert_eq!(get("kind=image&library=main").await["total"], 3);
    let all = get("").await;
    let facet = |field: &str, value: &str| {
        let values = all["facets"][field].as_array().unwrap_or_else(|| panic!("{field}: {all:#}"));
        values.iter().find(|pair| pair[0] == value).map(|pair| pair[1].clone())
    };
    assert_eq!(facet("library", "main"), Some(json!(3)));
    assert_eq!(facet("library", "town"), Some(json!(1)));
    assert_eq!(facet("kind", "image"), Some(json!(4)));
    let (one, two) = (get("per_page=3&page=1").await, get("per_page=3&page=2").await);
    assert_eq!(one["hits"].as_array().expect("a list").len(), 3);
    assert_eq!(two["hits"].as_array().expect("a list").len(), 1);
    assert_eq!((&one["total"], &two["total"]), (&json!(4), &json!(4)));
    assert!(get("per_page=3&page=99").await["hits"].as_array().expect("a list").is_empty());
    // Texts are HTML; what an author writes is not.
    let found = nobody.search("折三次").await;
    let snippet = text_of(&found["hits"][0]["snippet"]);
    assert!(snippet.contains("<mark>") && !snippet.contains("<b>"), "{snippet}");
    assert_eq!(nobody.search("").await["total"], 4, "an empty query lists all");
}

#[tokio::test]
async fn odd_queries_are_answered() {
    let app = TestApp::start();
    let admin = app.admin().await;
    library(&admin, &["剪纸"]).await;
    let nobody = app.nobody();
    let long = nobody.get(&format!("/api/search?q={}", encode(&"剪纸".repeat(600)))).await;
    assert_eq!(long.expect(422).json()["code"], "query_too_long");
    nobody.get("/api/search").await.expect(200);
    for q in [
        "\"",
        "\"剪纸",
        "-",
        "- -",
        "AND OR NOT",
        "title:剪纸",
        "a*b?c~",
        "(((",
        "剪\0纸",
        "\u{202e}",
        "🐟",
        "<script>",
        "[a TO b]",
        "^",
        "+",
    ] {
        nobody.search(q).await;
    }
    for query in [
        "q=%FF",
        "q=a&page=0",
        "q=a&page=18446744073709551615",
        "q=a&per_page=999999",
        "q=a&sort=nonsense",
    ] {
        let answer = nobody.get(&format!("/api/search?{query}")).await;
        assert!(answer.status < 500, "{query}: {} {}", answer.status, answer.text());
    }
    nobody.get("/api/search?q=a&page=x").await.expect(400);
    assert_eq!(titles_found(&nobody, "\"剪纸\"").await, ["剪纸"]);
    assert_eq!(titles_found(&nobody, "  剪纸　").await, ["剪纸"]);
}

#[tokio::test]
async fn suggestions_come_by_characters_and_by_pinyin() {
    let app = TestApp::start();
    let admin = app.admin().await;
    library(&admin, TITLES).await;
    let nobody = app.nobody();
    for (q, title) in [
        ("日照", TITLES[3]),
        ("太极", TITLES[1]),
        ("rizhaoj", TITLES[3]),
        ("rzjz", TITLES[3]),
        ("lao", TITLES[2]),
        ("huanghai", TITLES[4]),
        ("Intro", TITLES[5]),
    ] {
        let found = nobody.get(&format!("/api/suggest?q={}", encode(q))).await.expect(200).json();
        let texts: Vec<&str> =
            found.as_array().expect("a list").iter().map(|s| text_of(&s["text"])).collect();
        assert!(texts.contains(&title), "{q:?} completes to {title}: {texts:?}");
    }
    let one = nobody.get("/api/suggest?q=rizhao&limit=1").await.expect(200).json();
    assert_eq!(one.as_array().expect("a list").len(), 1);
    for q in ["", "%00", "zzzzzz", &"a".repeat(5000)] {
        let none = nobody.get(&format!("/api/suggest?q={q}")).await.expect(200).json();
        assert!(none.is_array(), "{q}: {none}");
    }
}

#[tokio::test]
async fn what_is_not_public_is_not_found_by_anybody() {
    let app = TestApp::start();
    app.ran(&[
        "library",
        "create",
        "inner",
        "--name",
        "内部",
        "--internal",
        "--publish-when-ready",
    ]);
    app.ran(&["library", "create", "slow", "--name", "待审"]);
    let admin = app.admin().await;
    let member = app.person("lin", &[("inner", Role::Author)]).await;
    let public = admin.upload("p.bmp", "编网 公开", &fixture::picture(1)).await;
    let inner = admin.upload_into("inner", "p.bmp", "编网 内部", &fixture::picture(2)).await;
    let ready = admin.upload_into("slow", "p.bmp", "编网 待审", &fixture::picture(3)).await;
    for id in [&public, &inner, &ready] {
        admin.settled(id).await;
    }
    assert_eq!(admin.settled(&inner).await["stage"], "published");
    assert_eq!(admin.settled(&ready).await["stage"], "ready");
    eventually("the public one is found", Duration::from_secs(3), || async {
        (!app.nobody().found("编网").await.is_empty()).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    for client in [&app.nobody(), &member, &admin] {
        assert_eq!(client.found("编网").await, std::slice::from_ref(&public));
        for q in ["内部", "待审", "neibu"] {
            assert!(client.found(q).await.is_empty(), "{q}");
            let path = format!("/api/suggest?q={}", encode(&format!("编网 {q}")));
            assert_eq!(client.get(&path).await.json(), json!([]));
        }
    }
    // A library that is closed takes its resources with it, and brings them back.
    for (visibility, found) in [("internal", 0), ("public", 1)] {
        let change = json!({ "visibility": visibility });
        admin.send(Method::PATCH, "/api/libraries/main", &change).await.expect(200);
        eventually(visibility, Duration::from_secs(2), || async {
            (app.nobody().search("编网").await["total"] == found).then_some(())
        })
        .await;
    }
    app.check();
}

#[tokio::test]
async fn what_a_topic_is_called_finds_its_resources() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let ids = library(&admin, &["晨练", "剪纸"]).await;
    let path = format!("/api/resources/{}", ids[0]);
    admin.send(Method::PATCH, &path, &json!({ "topics": ["health"] })).await.expect(200);
    for q in ["健康生活", "健康", "health"] {
        let found = eventually(q, Duration::from_secs(3), || async {
            Some(app.nobody().found(q).await).filter(|found| !found.is_empty())
        })
        .await;
        assert_eq!(found, ids[..1], "{q}");
    }
}

#[tokio::test]
async fn titles_that_answer_without_an_index_are_narrowed_and_paged() {
    let app = TestApp::start();
    app.ran(&["library", "create", "town", "--name", "镇库", "--publish-when-ready"]);
    let admin = app.admin().await;
    let ids = library(&admin, &["剪纸 甲", "剪纸 乙", "剪纸 丙"]).await;
    let town = admin.upload_into("town", "p.bmp", "剪纸 丁", &fixture::picture(9)).await;
    admin.settled(&town).await;
    let patch = json!({ "topics": ["health"], "audiences": ["elders", "children"] });
    let path = format!("/api/resources/{}", ids[0]);
    admin.send(Method::PATCH, &path, &patch).await.expect(200);
    let db = app.db().await;
    let find = |query: TitleQuery, offset, limit| {
        let db = &db;
        async move {
            let query = TitleQuery { text: "剪纸".into(), ..query };
            let mut db = db.read().await.expect("read");
            let found = db::resources::find_by_title(&mut db, &query, offset, limit).await;
            let (total, found) = found.expect("found");
            let ids: Vec<String> = found.iter().map(|resource| resource.id.to_string()).collect();
            (total, ids)
        }
    };
    let any = TitleQuery::default();
    let all = find(any.clone(), 0, 20).await;
    assert_eq!((all.0, all.1.len()), (4, 4));
    assert_eq!(find(any.clone(), 1, 2).await, (4, all.1[1..3].to_vec()));
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let of_town = TitleQuery { libraries: words(&["town"]), ..any.clone() };
    assert_eq!(find(of_town, 0, 20).await, (1, vec![town]));
    let both = TitleQuery { libraries: words(&["town", "main"]), ..any.clone() };
    assert_eq!(find(both, 0, 20).await.0, 4);
    assert_eq!(find(TitleQuery { kinds: words(&["video"]), ..any.clone() }, 0, 20).await.0, 0);
    let health = TitleQuery {
        kinds: words(&["image"]),
        topics: words(&["law", "health"]),
        audiences: words(&["elders"]),
        ..any
    };
    assert_eq!(find(health, 0, 20).await, (1, vec![ids[0].clone()]));
    db.close().await;
}

#[tokio::test]
async fn pages_of_a_search_keep_their_size() {
    let app = TestApp::start();
    let admin = app.admin().await;
    library(&admin, &["剪纸 甲", "剪纸 乙", "剪纸 丙"]).await;
    let page = |more: &str| {
        let path = format!("/search?q={}{more}", encode("剪纸"));
        let nobody = app.nobody();
        async move { nobody.get(&path).await.expect(200).text() }
    };
    let two = page("&per_page=2").await;
    assert!(two.contains("per_page=2&amp;page=2"), "{two}");
    assert!(!page("&per_page=1000").await.contains("page=2"));
}

#[tokio::test]
async fn captions_that_somebody_added_stay_when_it_is_tried_again() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("a.mp3", "第一课", &fixture::audio(8)).await;
    let id = text_of(&resource["id"]);
    let captions = fixture::captions(&[(2000, "今天我们学习编网")]);
    let path = format!("/api/resources/{id}/captions/zh");
    answer(admin.ask(Method::PUT, &path).body(captions)).await.expect(204);
    // As if the processing had failed.
    let db = app.db().await;
    let mut tx = db.begin().await.expect("a transaction");
    let mut row = db::resources::get_locked(&mut tx, id.parse().expect("an id")).await.expect("it");
    row.stage = Stage::Failed;
    db::resources::save(&mut tx, &mut row, 1).await.expect("saved");
    tx.commit().await.expect("committed");
    db.close().await;
    admin.post(&format!("/api/resources/{id}/retry")).await.expect(200);
    let resource = admin.settled(id).await;
    assert_eq!(resource["stage"], "published", "{resource:#}");
    let captions = text_of(&resource["links"]["captions"]["zh"]);
    assert!(nobody.get(captions).await.expect(200).text().contains("编网"));
    eventually("they are found", Duration::from_secs(3), || async {
        (nobody.found("编网").await == [id]).then_some(())
    })
    .await;
    app.check();
    // With the resource they go.
    admin.delete(&format!("/api/resources/{id}")).await;
    eventually("nothing is left", Duration::from_secs(10), || async {
        app.stored().is_empty().then_some(())
    })
    .await;
    app.check();
}

#[tokio::test]
async fn words_that_are_nowhere_are_heard_or_replaced_by_others() {
    let app = TestApp::start();
    let admin = app.admin().await;
    library(&admin, &["日照剪纸", "剪纸入门", "Python 入门", "Python 进阶"]).await;
    let nobody = app.nobody();
    let result = nobody.search("剪只").await;
    assert_eq!((&result["total"], &result["heard"]), (&json!(2), &json!(true)));
    assert_eq!(result["did_you_mean"], "剪纸");
    let result = nobody.search("pyhton").await;
    assert_eq!((&result["total"], &result["did_you_mean"]), (&json!(0), &json!("Python")));
    let result = nobody.search("剪纸").await;
    assert_eq!((&result["heard"], &result["did_you_mean"]), (&json!(false), &Value::Null));
    let page = nobody.get("/search?q=pyhton%20xyzxyz").await.expect(200).text();
    assert!(
        page.contains("/search?q=Python") && page.contains("/search?q=xyzxyz"),
        "{}",
        page.len()
    );
    let page = nobody.get(&format!("/search?q={}", encode("剪只"))).await.expect(200).text();
    assert!(page.contains("读音相同"), "{}", page.len());
}

#[tokio::test]
async fn filters_are_typed_with_the_words() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let ids = library(&admin, &["日照剪纸", "剪纸入门"]).await;
    let change = json!({ "topics": ["law"], "author": "李白" });
    admin.send(Method::PATCH, &format!("/api/resources/{}", ids[0]), &change).await.expect(200);
    let nobody = app.nobody();
    eventually("the change is in", Duration::from_secs(3), || async {
        (nobody.found("作者:李白").await == [ids[0].clone()]).then_some(())
    })
    .await;
    assert_eq!(nobody.found("剪纸 主题:法治教育").await, [ids[0].clone()]);
    assert_eq!(nobody.found("剪纸 类型：图片").await.len(), 2);
    assert_eq!(nobody.found("剪纸 kind:video").await.len(), 0);
    assert_eq!(nobody.found("剪纸 库:main 标题:入门").await, [ids[1].clone()]);
    assert_eq!(nobody.found("剪纸 -作者:李白").await, [ids[1].clone()]);
}

#[tokio::test]
async fn librarians_keep_words_and_are_told_why() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let ids = library(&admin, &["马铃薯的种植"]).await;
    let nobody = app.nobody();
    nobody.get("/api/search/dictionary").await.expect(401);
    assert!(!nobody.get("/").await.expect(200).text().contains("/admin/search"));
    assert!(admin.get("/").await.expect(200).text().contains("/admin/search"));
    assert!(admin.get("/admin/search").await.expect(200).text().contains("name=\"synonyms\""));
    assert_ne!(nobody.get("/admin/search").await.status, 200);
    assert!(nobody.found("地蛋").await.is_empty());
    let words = json!({ "dictionary": "岚山\n", "synonyms": "地蛋 = 马铃薯\n" });
    nobody.send(Method::PUT, "/api/search/dictionary", &words).await.expect(401);
    admin.send(Method::PUT, "/api/search/dictionary", &words).await.expect(200);
    eventually("the synonym counts", Duration::from_secs(3), || async {
        (nobody.found("地蛋").await == ids).then_some(())
    })
    .await;
    let kept = admin.get("/api/search/dictionary").await.expect(200).json();
    assert_eq!(kept["synonyms"], "地蛋 = 马铃薯\n");
    let long = json!({ "dictionary": "词词\n".repeat(200_000) });
    admin.send(Method::PUT, "/api/search/dictionary", &long).await.expect(422);
    let explain = format!("/api/search/explain?q={}&resource=", encode("马铃薯 种植"));
    nobody.get(&format!("{explain}{}", ids[0])).await.expect(401);
    let told = admin.get(&format!("{explain}{}", ids[0])).await.expect(200).json();
    assert_eq!(told["matches"], true);
    let texts: Vec<&str> = told["words"]
        .as_array()
        .expect("words")
        .iter()
        .map(|word| text_of(&word["text"]))
        .collect();
    assert!(texts.contains(&"马铃薯") && texts.contains(&"种植"), "{texts:?}");
    assert_eq!(
        (&told["stands"], &told["words"][0]["found"][0]["place"]),
        (&json!("in_title"), &json!("title"))
    );
}

#[tokio::test]
async fn a_question_of_ten_thousand_characters_is_answered_at_once() {
    let app = TestApp::start();
    let nobody = app.nobody();
    let long = encode(&"剪".repeat(2_000));
    let answer = nobody.get(&format!("/api/search?q={long}")).await.expect(422);
    assert!(text_of(&answer.json()["detail"]).contains("1000"), "{}", answer.json()["detail"]);
    let longer = encode(&"剪".repeat(5_000));
    let refused = nobody.get(&format!("/api/search?q={longer}")).await;
    assert!([414, 431].contains(&refused.status), "{}", refused.status);
}

#[tokio::test]
async fn what_is_withdrawn_is_gone_at_once() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let ids = library(&admin, &["海边剪纸", "山里剪纸"]).await;
    let nobody = app.nobody();
    assert_eq!(nobody.found("剪纸").await.len(), 2);
    // Asked before the index may know.
    let withdraw = format!("/api/resources/{}/withdraw", ids[0]);
    admin.post(&withdraw).await.expect(200);
    assert_eq!(nobody.found("剪纸").await, [ids[1].clone()]);
    let typed = nobody.get(&format!("/api/suggest?q={}", encode("海边"))).await.expect(200).json();
    let named = typed.as_array().expect("a list").iter().filter(|one| one["resource"] == ids[0]);
    assert_eq!(named.count(), 0);
}

#[tokio::test]
async fn administrators_see_why_hits_are_where_they_are() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let ids = library(&admin, &["太极拳入门", "太极拳", "剪纸"]).await;
    let nobody = app.nobody();
    let search = format!("/search?q={}", encode("太极拳"));
    assert!(!nobody.get(&search).await.expect(200).text().contains("/admin/search/why"));
    assert!(admin.get(&search).await.expect(200).text().contains("/admin/search/why?q="));
    let why = format!("/admin/search/why?q={}", encode("太极拳"));
    assert_ne!(nobody.get(&why).await.status, 200);
    let told = admin.get(&why).await.expect(200).text();
    let first = told.find(&ids[1]).expect("the exact title");
    assert!(first < told.find(&ids[0]).expect("the longer title"));
    assert!(told.contains("标题就是所搜的词") && told.contains("所有词都在标题里"));
    assert!(!told.contains(&ids[2]));
    // One that is not found, by the address of its page.
    let missing = format!("{why}&resource={}", encode(&format!("/resources/{}?page=1", ids[2])));
    let told = admin.get(&missing).await.expect(200).text();
    assert!(told.contains(&ids[2]) && told.contains("缺：太极拳"));
    let unknown = admin.get(&format!("{why}&resource=nothing")).await.expect(200).text();
    assert!(unknown.contains("没有这个资源"));
    admin.get("/admin/search/why").await.expect(200);
    let long = format!("/admin/search/why?q={}", encode(&"剪".repeat(2_000)));
    admin.get(&long).await.expect(422);
}
