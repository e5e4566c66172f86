//! The net's front page, the pages of regions and of libraries: what is on them, what never is, and
//! who arranges them.

use duoku::catalogue::Role;
use http::Method;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::client::{Answer, Client, answer, text_of};
use crate::fixture;

const TREE: &str = "code,name\n371100,日照市\n371102,东港区\n371102001,日照街道\n\
    371102001001,安泰社区\n371103,岚山区\n";

/// A village with a public library and a district with an internal one, a resource in each and in
/// `main`; gives the resources' ids: of the net, the village, the district.
async fn net() -> (TestApp, [String; 3]) {
    let app = TestApp::start();
    let write = |name: &str, text: &str| {
        let path = app.data().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    app.ran(&["organisation", "import", &write("tree.csv", TREE)]);
    let libraries = "slug,name,owner,visibility,publishing\n\
        village,安泰村库,371102001001,public,automatic\n\
        secret,岚山内部库,371103,internal,automatic\n";
    app.ran(&["library", "create", "--from", &write("libraries.csv", libraries)]);
    let admin = app.admin().await;
    let mut ids = Vec::new();
    for (number, (library, title)) in
        [("main", "全网的图"), ("village", "村里的图"), ("secret", "内部的图")].iter().enumerate()
    {
        let picture = fixture::picture(u32::try_from(number).expect("small") + 1);
        let id = admin.upload_into(library, "p.bmp", title, &picture).await;
        assert_eq!(admin.settled(&id).await["stage"], "published");
        let details = json!({ "topics": ["law"], "audiences": ["elders"] });
        admin.send(Method::PATCH, &format!("/api/resources/{id}"), &details).await.expect(200);
        ids.push(id);
    }
    (app, ids.try_into().expect("three"))
}

async fn page(client: &Client, path: &str) -> Answer {
    answer(client.ask(Method::GET, path).header("accept", "text/html")).await
}

async fn text(client: &Client, path: &str) -> String {
    page(client, path).await.expect(200).text()
}

#[tokio::test]
async fn nothing_of_internal_libraries_is_listed_or_counted() {
    let (app, _) = net().await;
    let (nobody, admin) = (app.nobody(), app.admin().await);
    for client in [&nobody, &admin] {
        let home = text(client, "/").await;
        assert!(home.contains("村里的图") && home.contains("安泰村库"));
        assert!(home.contains("<dt>个资源库</dt><dd>2</dd>"), "two libraries are public");
        assert!(home.contains("<dt>项资源</dt><dd>2</dd>"), "and two resources");
        assert!(home.contains("老年人</strong><span class=\"number\">2 项资源"));
        assert!(home.contains("法治教育<span class=\"number\">2</span>"));
        assert!(!home.contains("内部的图") && !home.contains("岚山内部库"));
        let region = text(client, "/regions/371103").await;
        assert!(region.contains("0 个资源库") && !region.contains("内部的图"));
        assert!(!region.contains("岚山内部库"));
    }
    let member = app.person("lin", &[("secret", Role::Learner)]).await;
    let home = text(&member, "/").await;
    assert!(home.contains("岚山内部库"), "one's own library is one step away");
    assert!(!home.contains("内部的图") && home.contains("<dt>项资源</dt><dd>2</dd>"));
    assert!(!text(&nobody, "/libraries").await.contains("岚山内部库"));
    assert_eq!(page(&nobody, "/libraries/secret").await.status, 404);
}

#[tokio::test]
async fn the_front_page_follows_every_change_at_once() {
    let (app, [_, village, _]) = net().await;
    let (nobody, admin) = (app.nobody(), app.admin().await);
    assert!(text(&nobody, "/").await.contains("乡土资源"));
    admin.post(&format!("/api/resources/{village}/withdraw")).await.expect(200);
    let home = text(&nobody, "/").await;
    assert!(!home.contains("村里的图") && !home.contains("乡土资源"));
    admin.post(&format!("/api/resources/{village}/publish")).await.expect(200);
    assert!(text(&nobody, "/").await.contains("村里的图"));
    let patch = async |patch: Value| {
        admin.send(Method::PATCH, "/api/libraries/village", &patch).await.expect(200);
    };
    patch(json!({ "name": "安泰文化库" })).await;
    assert!(text(&nobody, "/").await.contains("安泰文化库"));
    patch(json!({ "visibility": "internal" })).await;
    let home = text(&nobody, "/").await;
    assert!(!home.contains("安泰文化库") && !home.contains("村里的图"));
}

#[tokio::test]
async fn a_region_has_its_way_up_its_levels_below_and_what_is_new() {
    let (app, _) = net().await;
    let nobody = app.nobody();
    let city = text(&nobody, "/regions/371100").await;
    assert!(city.contains("href=\"/regions/371102\"") && city.contains("href=\"/regions/371103\""));
    assert!(city.contains("村里的图") && !city.contains("全网的图"));
    let village = text(&nobody, "/regions/371102001001").await;
    for above in ["371100", "371102", "371102001"] {
        assert!(village.contains(&format!("href=\"/regions/{above}\"")), "{above}");
    }
    assert!(village.contains("href=\"/libraries/village\""));
    for missing in ["371199", "nowhere", "37'", "371102002"] {
        assert_eq!(page(&nobody, &format!("/regions/{missing}")).await.status, 404, "{missing}");
    }
    assert_eq!(page(&nobody, "/regions").await.status, 303, "there is one top");
    let admin = app.admin().await;
    for (code, longitude, latitude) in [("371102", 119.46, 35.43), ("371103", 119.32, 35.12)] {
        let at = json!({ "longitude": longitude, "latitude": latitude });
        admin.send(Method::PATCH, &format!("/api/organisations/{code}"), &at).await.expect(200);
    }
    assert!(!text(&nobody, "/regions/371100").await.contains("map-dot"), "one has libraries");
    admin
        .send(Method::PATCH, "/api/libraries/main", &json!({ "owner": "371103" }))
        .await
        .expect(200);
    assert_eq!(text(&nobody, "/regions/371100").await.matches("\"map-dot\"").count(), 2);
    let merge = json!({ "into": "371102" });
    let path = "/api/organisations/371103/merge";
    admin.send(Method::POST, path, &merge).await.expect(200);
    let merged = page(&nobody, "/regions/371103").await.expect(303);
    assert_eq!(merged.header("location"), "/regions/371102");
}

#[tokio::test]
async fn the_elder_mode_is_remembered_on_every_page() {
    let (app, [_, village, _]) = net().await;
    let nobody = app.nobody();
    let chosen = page(&nobody, "/?elder=1").await.expect(200);
    assert!(chosen.header("set-cookie").starts_with("elder=1; Path=/;"), "it is kept");
    let with = async |path: &str, cookie: &str| {
        let request = nobody.ask(Method::GET, path).header("accept", "text/html");
        answer(request.header("cookie", cookie)).await.text()
    };
    let resource = format!("/resources/{village}");
    for path in ["/", "/search?q=", "/libraries/village", &resource, "/regions/371102", "/nowhere"]
    {
        let elder = with(path, "elder=1").await;
        assert!(elder.contains(" data-elder>") && elder.contains("data-aloud"), "{path}");
        assert!(!with(path, "elder=0").await.contains(" data-elder>"), "{path}");
    }
    let home = with("/", "elder=1").await;
    assert!(!home.contains("id=\"regions\"") && home.contains("id=\"audiences\""), "fewer things");
    assert!(!with("/?elder=0", "elder=1").await.contains(" data-elder>"), "and back");
}

async fn send(client: &Client, path: &str, form: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = client.ask(Method::POST, path).header("accept", "text/html");
    answer(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
}

#[tokio::test]
async fn only_its_people_arrange_a_library() {
    let (app, [net, village, secret]) = net().await;
    let path = "/studio/libraries/village";
    let form = [("colour", "pine"), ("notice", "周五停课")];
    let author = app.person("wei", &[("village", Role::Author)]).await;
    let other = app.person("lin", &[("secret", Role::Librarian)]).await;
    let librarian = app.person("shu", &[("village", Role::Librarian)]).await;
    assert_eq!(page(&app.nobody(), path).await.status, 303, "to the login");
    for (who, status) in [(&app.nobody(), 401), (&author, 403), (&other, 403)] {
        assert_eq!(send(who, path, &form).await.status, status);
    }
    assert_eq!(page(&librarian, "/studio/libraries/secret").await.status, 404, "unseen");
    assert_eq!(page(&author, path).await.status, 403);
    assert!(text(&librarian, path).await.contains("村里的图"));
    let before = app.ran(&["audit", "verify"]);

    let form = [
        ("colour", "pine"),
        ("notice", "周五停课\r\n<b>周六</b>照常"),
        ("logo", &village),
        ("featured", &village),
        ("block-newest", "1"),
        ("block-featured", "2"),
        ("licence", "CC-BY-4.0"),
        ("topics", "health"),
        ("retention_days", "30"),
    ];
    assert_eq!(
        send(&librarian, path, &form).await.expect(303).header("location"),
        format!("{path}?saved=true")
    );
    let kept = app.nobody().get("/api/libraries/village").await.json();
    assert_eq!(kept["look"]["blocks"], json!(["newest", "featured"]));
    assert_eq!((&kept["licence"], &kept["retention_days"]), (&json!("CC-BY-4.0"), &json!(30)));
    assert_eq!(text_of(&kept["look"]["logo"]), village);
    assert_ne!(app.ran(&["audit", "verify"]), before, "it is on record");
    let shown = text(&app.nobody(), "/libraries/village").await;
    assert!(shown.contains("data-colour=\"pine\"") && shown.contains("<p>周五停课</p>"));
    assert!(shown.contains("&lt;b&gt;周六"), "text, never markup");
    assert!(shown.find("id=\"newest\"") < shown.find("id=\"featured\""), "in the chosen order");
    assert!(shown.contains("poster.jpg"), "the logo");
    assert!(shown.contains("href=\"/regions/371102001\"") && !shown.contains(path));

    for (field, value) in [
        ("colour", "red; }"),
        ("featured", net.as_str()),
        ("featured", secret.as_str()),
        ("more_featured", "不是编号"),
        ("logo", net.as_str()),
        ("topics", "no-such"),
        ("retention_days", "-1"),
    ] {
        let rest = form.iter().filter(|(name, _)| *name != field).copied();
        let bad: Vec<_> = rest.chain([(field, value)]).collect();
        let refused = send(&librarian, path, &bad).await;
        assert_eq!(refused.status, 422, "{field} {value}");
        assert!(refused.text().contains("role=\"alert\""), "{field} {value}");
    }
    assert_eq!(app.nobody().get("/api/libraries/village").await.json(), kept, "nothing was kept");
}

#[tokio::test]
async fn at_its_own_host_a_library_is_one_step_from_the_net() {
    let app = TestApp::with(&[("DUOKU_SERVER_PUBLIC_URL", "https://net.example")]);
    let admin = app.admin().await;
    app.ran(&["library", "create", "shijiu", "--name", "石臼社区资源库"]);
    let host = json!({ "host": "shijiu.example.cn" });
    admin.send(Method::PATCH, "/api/libraries/shijiu", &host).await.expect(200);
    let url = format!("http://{}/", app.address());
    let request = reqwest::Client::new().get(url).header("host", "Shijiu.example.cn:8080");
    let shown = request.send().await.expect("sent").text().await.expect("a page");
    assert!(shown.contains("<h1>石臼社区资源库</h1>"));
    assert!(shown.contains("href=\"https://net.example/\""), "the net");
    assert!(shown.contains("action=\"/search\"") && shown.contains("href=\"/login?next=/\""));
}
