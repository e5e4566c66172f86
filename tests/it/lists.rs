//! Lists of administrators: searched, cut into pages, as tables; only what the caller may see.

use std::time::{Duration, Instant};

use duoku::catalogue::Role;
use http::Method;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::client::{Client, text_of};
use crate::people::{added, holder, net};

/// A page of a list and how many there are in all.
async fn listed(client: &Client, path: &str) -> (i64, Vec<Value>) {
    let page = client.get(path).await.expect(200).json();
    let items = page["items"].as_array().expect("a list").clone();
    (page["total"].as_i64().expect("a number"), items)
}

async fn made(client: &Client, path: &str, body: Value) -> String {
    text_of(&client.send(Method::POST, path, &body).await.expect(201).json()["id"]).to_owned()
}

/// Teams, roles, invitations and tokens in both districts.
async fn filled() -> (TestApp, Client, Client) {
    let app = net().await;
    let admin = app.admin().await;
    let east = holder(&app, "dong", "371102", Role::Administrator).await;
    for (name, code) in [("lin", "371102001"), ("wei", "371103001")] {
        let id = added(&admin, name, code).await;
        let grant = json!({ "account": id, "role": "author", "organisation": code });
        made(&admin, "/api/grants", grant).await;
    }
    for (name, code) in [("合唱队", "371102"), ("摄影组", "371102"), ("西区组", "371103")]
    {
        made(&admin, "/api/teams", json!({ "name": name, "organisation": code })).await;
    }
    for (note, code) in [("张老师", "371102"), ("李老师", "371103")] {
        let new = json!({ "role": "author", "organisation": code, "note": note });
        made(&admin, "/api/invitations", new).await;
    }
    (app, admin, east)
}

#[tokio::test]
async fn every_list_is_searched_cut_and_exported() {
    let (app, admin, east) = filled().await;
    for (path, q, found) in [
        ("/api/teams", "合唱", 1),
        ("/api/teams", "东区", 2),
        ("/api/invitations", "张", 1),
        ("/api/grants", "lin", 1),
        ("/api/grants", "西镇", 1),
        ("/api/organisations", "371102", 2),
        ("/api/libraries", "镇库", 1),
        ("/api/people", "wei", 1),
        ("/api/people/tokens", "admin", 1),
        ("/api/sources", "", 0),
        ("/api/complaints", "", 0),
        ("/api/jobs", "", 0),
        ("/api/audit", "make-team", 3),
    ] {
        let (all, _) = listed(&admin, path).await;
        let asked = format!("{path}?q={q}");
        let (total, items) = listed(&admin, &asked).await;
        assert_eq!((total, items.len()), (found, found as usize), "{asked}");
        if found > 0 {
            assert!(total < all, "{asked} of {all}");
            let (total, none) = listed(&admin, &format!("{asked}&page=9")).await;
            assert_eq!((total, none.len()), (found, 0), "{asked}");
            let (total, one) = listed(&admin, &format!("{path}?per_page=1")).await;
            assert_eq!((total, one.len()), (all, 1), "{path}");
        }
        let table = admin.get(&format!("{asked}&format=csv")).await.expect(200);
        assert!(table.header("content-type").starts_with("text/csv"), "{asked}");
        let text = table.text();
        let reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        let rows: Vec<_> = reader.into_records().collect::<Result<_, _>>().expect("a table");
        assert_eq!(rows.len() as i64, found, "{asked} as a table");
        assert_eq!(admin.get(&format!("{path}?format=xml")).await.status, 422, "{path}");
        assert_eq!(admin.get(&format!("{path}?q=%00%25")).await.status, 200, "{path}");
    }
    // Only of one's branch, in rows, counts and tables.
    for (path, count, others) in [
        ("/api/teams", 2, "西区组"),
        ("/api/invitations", 1, "李老师"),
        ("/api/people", 2, "wei"),
        ("/api/people/tokens", 1, "admin"),
        ("/api/grants", 2, "西镇"),
        ("/api/organisations?mine=true", 2, "西镇"),
        ("/api/libraries?mine=true", 2, "西库"),
    ] {
        let and = if path.contains('?') { '&' } else { '?' };
        let (total, items) = listed(&east, path).await;
        assert_eq!((total, items.len()), (count, count as usize), "{path}");
        let table = east.get(&format!("{path}{and}format=csv")).await.expect(200).text();
        assert!(!table.contains(others), "{path}: {table}");
        let (total, _) = listed(&east, &format!("{path}{and}q={others}")).await;
        assert_eq!(total, 0, "{path}: what is not theirs is not found");
    }
    drop(app);
}

#[tokio::test]
async fn a_token_is_revoked_by_who_could_change_its_owner() {
    let (app, admin, east) = filled().await;
    let (_, tokens) = listed(&admin, "/api/people/tokens").await;
    let of = |name: &str| {
        let token = tokens.iter().find(|token| token["name"] == name).expect("a token");
        format!("/api/people/tokens/{}", text_of(&token["id"]))
    };
    east.delete(&of("admin")).await.expect(404);
    east.delete("/api/people/tokens/x").await.expect(404);
    admin.delete(&of("dong")).await.expect(204);
    east.get("/api/me").await.expect(401);
    app.ran(&["audit", "verify"]);
}

/// Pages show what the API lists, with a search, a count and a table.
#[tokio::test]
async fn pages_have_a_search_a_count_and_a_table() {
    let (app, admin, _) = filled().await;
    for (path, q, there, absent) in [
        ("/admin/teams", "合唱", "合唱队", "摄影组"),
        ("/admin/invitations", "张", "张老师", "李老师"),
        ("/admin/grants", "西镇", "西镇", "东镇"),
        ("/admin/tokens", "dong", "dong", ">admin<"),
        ("/admin/organisations", "西镇", "西镇", "东镇"),
        ("/admin/libraries", "东库", "东库", "镇库</a>"),
        ("/admin/people", "wei", ">wei<", ">lin<"),
        ("/admin/audit", "make-team", "#", "add-person"),
        ("/admin/jobs", "x", "没有任务", "admin-table"),
        ("/admin/sources", "x", "没有符合的来源", "article"),
    ] {
        let request = admin.ask(Method::GET, &format!("{path}?q={q}"));
        let page = crate::client::answer(request.header("accept", "text/html")).await;
        let page = page.expect(200).text();
        let list = page.split("class=\"filters\"").nth(1).expect("a search");
        let list = list.split("admin-forms").next().and_then(|t| t.split("card after").next());
        let list = list.unwrap_or_default();
        assert!(list.contains("format=csv"), "{path}");
        assert!(list.contains(there), "{path}: {there}");
        let rows = list.split("list-head").nth(1).expect("a count");
        assert!(!rows.contains(absent), "{path}: {absent}");
    }
    drop(app);
}

/// The real divisions of a city: what is typed names one of 1,741, and no page is slow.
#[tokio::test]
async fn a_whole_city_is_administered() {
    let app = TestApp::start();
    let tree = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/divisions-371100.csv");
    app.ran(&["organisation", "import", tree]);
    let admin = app.admin().await;
    let (total, items) = listed(&admin, "/api/organisations").await;
    assert!(total > 1_500 && items.len() == 50, "{total}");
    for path in ["/admin/organisations", "/admin/people", "/admin/teams", "/admin/libraries"] {
        let begun = Instant::now();
        let page = admin.get(path).await.expect(200).text();
        assert!(begun.elapsed() < Duration::from_secs(5), "{path}: {:?}", begun.elapsed());
        assert!(page.contains("list=\"organisations\""), "{path}: typed, not chosen");
        assert!(page.matches("<datalist").count() <= 2, "{path}");
    }
    let some = &items[10];
    let (name, code) = (text_of(&some["name"]), text_of(&some["code"]));
    let typed = format!("{name} {code}");
    let form = [("name", "读书会"), ("organisation", typed.as_str())];
    let post = async |fields: &[(&str, &str)]| {
        let body =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = admin.ask(Method::POST, "/admin/teams");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        crate::client::answer(request.body(body)).await.status
    };
    assert_eq!(post(&form).await, 303);
    let (_, teams) = listed(&admin, "/api/teams").await;
    assert_eq!(teams[0]["organisation"], some["id"]);
    assert_eq!(post(&[("name", "x"), ("organisation", "没有这个")]).await, 422);
}
