//! Ways in: invitations, codes, sessions, tokens; and the pages of those who look after people.

use duoku::catalogue::Role;
use http::Method;
use reqwest::RequestBuilder;
use serde_json::json;

use crate::app::{PASSWORD, TestApp};
use crate::client::{Answer, Client, answer, encode, text_of};
use crate::people::{added, form_of, holder, net};

const SECRET: &str = "a long secret";

/// A browser with a session.
struct Browser {
    client: Client,
    cookie: String,
}

impl Browser {
    async fn log_in(app: &TestApp, name: &str, password: &str) -> Self {
        let client = app.nobody();
        let body = json!({ "name": name, "password": password });
        let answer = client.send(Method::POST, "/api/session", &body).await.expect(200);
        Self { client, cookie: cookie_of(&answer) }
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.ask(method, path).header("cookie", &self.cookie).header("accept", "text/html")
    }

    async fn get(&self, path: &str) -> Answer {
        answer(self.ask(Method::GET, path)).await
    }

    /// Fills in a form of the page at `page` and sends it to `path`.
    async fn fill(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let text = self.get(page).await.expect(200).text();
        let csrf = text.split_once("name=\"csrf\" value=\"").expect("a form").1;
        let csrf = csrf.split_once('"').expect("ends").0;
        let mut body = format!("csrf={csrf}");
        for (name, value) in fields {
            body += &format!("&{name}={}", encode(value));
        }
        let request = self.ask(Method::POST, path);
        answer(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }
}

fn cookie_of(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().expect("a cookie").to_owned()
}

fn path_of(link: &str) -> String {
    format!("/{}", link.splitn(4, '/').nth(3).expect("a URL"))
}

async fn invite(client: &Client, body: serde_json::Value) -> (String, String) {
    let made = client.send(Method::POST, "/api/invitations", &body).await.expect(201).json();
    (text_of(&made["id"]).to_owned(), path_of(text_of(&made["link"])))
}

#[tokio::test]
async fn an_invitation_brings_its_role_to_as_many_as_it_is_for() {
    let app = net().await;
    let east = holder(&app, "dong", "371102", Role::Administrator).await;
    let (_, path) = invite(&east, json!({ "role": "author", "library": "small", "uses": 2 })).await;
    let nobody = app.nobody();
    let page = nobody.get(&path).await.expect(200).text();
    assert!(page.contains("镇库") && page.contains("作者"), "it says what it brings");
    let come = async |name: &str| {
        let body =
            format!("display_name=%E6%9E%97&name={name}&password={0}&again={0}", encode(SECRET));
        answer(form_of(&nobody, &path, &body)).await
    };
    let first = come("lin").await.expect(303);
    assert_eq!(come("lin").await.status, 422, "the name is taken");
    let session = |cookie: String| {
        let request = nobody.ask(Method::GET, "/api/session").header("cookie", cookie);
        async { answer(request).await }
    };
    assert_eq!(session(cookie_of(&first)).await.expect(200).json()["name"], "lin");
    let found = east.get("/api/people?q=lin").await.json();
    assert_eq!(found["total"], 1, "they belong to the owner of the library");

    // Somebody with an account accepts with it, once.
    app.ran(&["user", "add", "wei", "--password", SECRET]);
    let wei = Browser::log_in(&app, "wei", SECRET).await;
    wei.fill(&path, &path, &[]).await.expect(303);
    assert_eq!(wei.get(&path).await.status, 404, "two came");
    assert_eq!(come("zhao").await.status, 404);
    let left = &east.get("/api/invitations").await.json()["items"][0];
    assert_eq!((&left["uses_left"], &left["open"]), (&json!(0), &json!(false)));
    app.ran(&["audit", "verify"]);
}

#[tokio::test]
async fn an_invitation_ends_when_it_is_taken_back_or_its_maker_may_no_longer_give_it() {
    let app = net().await;
    let nobody = app.nobody();
    let east = holder(&app, "dong", "371102", Role::Administrator).await;
    let librarian = holder(&app, "shu", "371102", Role::Librarian).await;
    let bring = json!({ "role": "author", "organisation": "371102001" });
    let (id, path) = invite(&librarian, bring.clone()).await;
    nobody.get(&path).await.expect(200);
    east.delete(&format!("/api/invitations/{id}")).await.expect(204);
    nobody.get(&path).await.expect(404);
    let (_, path) = invite(&librarian, bring).await;
    app.ran(&["user", "revoke", "shu", "--organisation", "371102"]);
    nobody.get(&path).await.expect(404);
}

#[tokio::test]
async fn a_code_is_read_out_and_chooses_a_password_once() {
    let app = net().await;
    let east = holder(&app, "dong", "371102", Role::Librarian).await;
    let id = added(&east, "lin", "371102001").await;
    let path = format!("/api/people/{id}/reset");
    let reset = async || {
        let said = east.post(&path).await.expect(200).json();
        text_of(&said["code"]).to_owned()
    };
    let (old, code) = (reset().await, reset().await);
    let nobody = app.nobody();
    let typed = async |code: &str| {
        answer(form_of(&nobody, "/start", &format!("code={}", encode(code)))).await
    };
    assert_eq!(typed(&old).await.status, 422, "a later code ends it");
    let to = typed(&code.to_lowercase().replace('-', " ")).await.expect(303);
    let choose = to.header("location").to_owned();
    let body = format!("password={0}&again={0}", encode(SECRET));
    answer(form_of(&nobody, &choose, "password=short&again=short")).await.expect(422);
    answer(form_of(&nobody, &choose, &body)).await.expect(303);
    assert_eq!(answer(form_of(&nobody, &choose, &body)).await.status, 422, "once");

    let browser = Browser::log_in(&app, "lin", SECRET).await;
    let alive = async || browser.get("/api/session").await.status;
    assert_eq!(alive().await, 200);
    reset().await;
    assert_eq!(alive().await, 401, "sessions end");
    Browser::log_in(&app, "lin", SECRET).await;

    // Nobody knows who has their tokens: they end too, unless it is said that they are to stay.
    let token = app.ran(&["token", "create", "--user", "lin"]).trim().to_owned();
    let program = Client::new(app.address(), Some(token));
    east.send(Method::POST, &path, &json!({ "keep_tokens": true })).await.expect(200);
    program.get("/api/me").await.expect(200);
    let code = reset().await;
    program.get("/api/me").await.expect(401);
    let disable = json!({ "disabled": true });
    east.send(Method::PATCH, &format!("/api/people/{id}"), &disable).await.expect(200);
    assert_eq!(typed(&code).await.status, 422, "whoever is disabled chooses nothing");
}

#[tokio::test]
async fn wrong_attempts_count_over_processes_and_for_every_way_in() {
    let app = TestApp::with(&[("DUOKU_SESSION_MAX_FAILURES", "4")]);
    let other = app.another(&[]);
    app.ran(&["user", "add", "lin", "--password", SECRET]);
    let clients = [app.nobody(), app.nobody().at(&other.address)];
    let attempt = async |at: usize, name: &str, password: &str| {
        let body = json!({ "name": name, "password": password });
        clients[at].send(Method::POST, "/api/session", &body).await.status
    };
    for at in [0, 1, 0] {
        assert_eq!(attempt(at, "lin", "wrong wrong").await, 401);
    }
    // The fourth is a code that nobody has, from the same address.
    let body = "code=AAAABBBBCCCC";
    assert_eq!(answer(form_of(&clients[1], "/start", body)).await.status, 422);
    for client in &clients {
        assert_eq!(answer(form_of(client, "/start", body)).await.status, 429);
        assert_eq!(client.get("/join/xxxx").await.status, 429);
        assert_eq!(client.get("/start/xxxx").await.status, 429);
    }
    assert_eq!(attempt(0, "lin", SECRET).await, 429);
    assert_eq!(attempt(1, "13800138000", SECRET).await, 429);
}

#[tokio::test]
async fn a_token_does_what_it_was_made_for_and_nothing_else() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let made = async |with: &Client, scopes: &[&str], days: Option<i64>| {
        let body = json!({ "label": "t", "scopes": scopes, "days": days });
        with.send(Method::POST, "/api/tokens", &body).await
    };
    let client = async |scopes: &[&str]| {
        let token = made(&admin, scopes, Some(1)).await.expect(201).json();
        Client::new(app.address(), Some(text_of(&token["token"]).to_owned()))
    };
    let (read, upload, manage) =
        (client(&["read"]).await, client(&["upload"]).await, client(&["manage"]).await);
    let rename = json!({ "name": "新名" });
    for (who, client, expected) in [
        ("read", &read, [200, 403, 403, 200, 403]),
        ("upload", &upload, [403, 201, 403, 403, 403]),
        ("manage", &manage, [403, 403, 200, 403, 422]),
    ] {
        let got = [
            client.get("/api/people").await.status,
            answer(client.create("a.bmp", 10)).await.status,
            client.send(Method::PATCH, "/api/libraries/main", &rename).await.status,
            client.get("/libraries/main").await.status,
            client.send(Method::POST, "/api/people", &json!({ "name": "" })).await.status,
        ];
        assert_eq!(got, expected, "{who}");
    }
    let refused = read.send(Method::PATCH, "/api/libraries/main", &rename).await;
    assert_eq!(refused.json()["code"], "scope");
    // One token makes another only within its own uses.
    assert_eq!(made(&manage, &["read"], None).await.status, 403);
    assert_eq!(made(&manage, &["manage"], None).await.status, 201);
    // Its owner sees and revokes it; by command too.
    let tokens = admin.get("/api/tokens").await.json();
    let id = text_of(&tokens[1]["id"]).to_owned();
    assert_eq!(tokens[1]["scopes"], json!(["read"]));
    assert!(!admin.get("/api/tokens").await.text().contains(read.token.as_deref().expect("one")));
    let other = app.person("lin", &[]).await;
    other.delete(&format!("/api/tokens/{id}")).await.expect(404);
    admin.delete(&format!("/api/tokens/{id}")).await.expect(204);
    read.get("/api/people").await.expect(401);
    let token = app.ran(&["token", "create", "--user", "admin", "--scopes", "upload"]);
    let by_command = Client::new(app.address(), Some(token.trim().to_owned()));
    by_command.get("/api/people").await.expect(403);
    // One whose time is over.
    let db = app.db().await;
    let mut tx = db.begin().await.expect("a transaction");
    sqlx::query("UPDATE token SET expires_ms = 1").execute(&mut *tx).await.expect("updated");
    tx.commit().await.expect("committed");
    db.close().await;
    upload.get("/api/session").await.expect(401);
}

#[tokio::test]
async fn one_sees_and_ends_one_s_own_logins() {
    let app = TestApp::start();
    app.ran(&["user", "add", "lin", "--password", SECRET]);
    let (one, two) =
        (Browser::log_in(&app, "lin", SECRET).await, Browser::log_in(&app, "lin", SECRET).await);
    let admin = Browser::log_in(&app, "admin", PASSWORD).await;
    let listed = one.get("/api/sessions").await.expect(200).json();
    let others = listed.as_array().expect("a list").iter().filter(|one| one["current"] == false);
    let other: Vec<&str> = others.map(|one| text_of(&one["id"])).collect();
    assert_eq!((listed.as_array().map(Vec::len), other.len()), (Some(2), 1));
    assert_eq!(listed[0]["address"], "127.0.0.1");
    let end = async |browser: &Browser, id: &str| {
        answer(browser.ask(Method::DELETE, &format!("/api/sessions/{id}"))).await.status
    };
    assert_eq!(end(&admin, other[0]).await, 404, "not theirs");
    assert_eq!(end(&one, other[0]).await, 204);
    assert_eq!(two.get("/api/session").await.status, 401);

    // The page does the same, and changes the password; other logins end with it.
    let two = Browser::log_in(&app, "lin", SECRET).await;
    let wrong = [
        ("act", "password"),
        ("old", "not it at all"),
        ("new", "another secret"),
        ("again", "another secret"),
    ];
    one.fill("/me", "/me", &wrong).await.expect(422);
    let right = [
        ("act", "password"),
        ("old", SECRET),
        ("new", "another secret"),
        ("again", "another secret"),
    ];
    one.fill("/me", "/me", &right).await.expect(303);
    assert_eq!(one.get("/api/session").await.status, 200);
    assert_eq!(two.get("/api/session").await.status, 401);
    let save =
        [("act", "save"), ("display_name", "林老师"), ("phone", "138-0013-8000"), ("email", "")];
    one.fill("/me", "/me", &save).await.expect(303);
    Browser::log_in(&app, "+86 13800138000", "another secret").await;
    let token = [("act", "token"), ("label", "手机"), ("days", "9"), ("scope", "read")];
    let page = one.fill("/me", "/me", &token).await.expect(200).text();
    assert!(page.contains("只显示这一次"));
    assert!(!one.get("/me").await.text().contains("只显示这一次"));
}

#[tokio::test]
async fn writes_from_elsewhere_are_refused() {
    let app = net().await;
    let admin = Browser::log_in(&app, "admin", PASSWORD).await;
    let foreign = |method: Method, path: &str| {
        admin.ask(method, path).header("origin", "https://evil.example").json(&json!({}))
    };
    for (method, path) in [
        (Method::POST, "/api/people"),
        (Method::POST, "/api/people/import"),
        (Method::PATCH, "/api/people/x"),
        (Method::POST, "/api/people/x/reset"),
        (Method::POST, "/api/grants"),
        (Method::DELETE, "/api/grants/x"),
        (Method::POST, "/api/teams"),
        (Method::PUT, "/api/teams/x/members/y"),
        (Method::POST, "/api/invitations"),
        (Method::DELETE, "/api/sessions/x"),
        (Method::POST, "/api/tokens"),
        (Method::PATCH, "/api/me"),
        (Method::POST, "/api/me/password"),
        (Method::POST, "/me"),
        (Method::POST, "/start"),
        (Method::POST, "/start/x"),
        (Method::POST, "/join/x"),
        (Method::POST, "/admin/people"),
        (Method::POST, "/admin/organisations"),
        (Method::POST, "/admin/libraries"),
        (Method::POST, "/admin/teams"),
        (Method::POST, "/admin/invitations"),
        (Method::POST, "/admin/jobs"),
    ] {
        assert_eq!(answer(foreign(method.clone(), path)).await.status, 403, "{method} {path}");
    }
    // From here, but without what the form carries.
    let body = "act=save&display_name=x";
    let request = admin.ask(Method::POST, "/me").body(body);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(answer(request).await.status, 403);
}

#[tokio::test]
async fn the_pages_do_what_they_say() {
    let app = net().await;
    let admin = Browser::log_in(&app, "admin", PASSWORD).await;
    let fill = async |path: &str, fields: &[(&str, &str)]| admin.fill(path, path, fields).await;
    let city = admin.get("/api/organisations/371102").await.json();
    let east = text_of(&city["id"]).to_owned();
    let place = format!("o:{east}");

    let new = [
        ("display_name", "林"),
        ("name", "lin"),
        ("organisation", &east),
        ("role", "author"),
        ("place", &place),
    ];
    let made = fill("/admin/people", &new).await.expect(303);
    let person = made.header("location").split('?').next().expect("a path").to_owned();
    let page = admin.get(&person).await.expect(200).text();
    assert!(page.contains("作者") && page.contains("东区"), "the role is shown");
    fill("/admin/people", &new).await.expect(422);
    let reset = fill(&person, &[("act", "reset")]).await.expect(200).text();
    assert!(reset.contains("/start/"), "the code is shown");
    fill(&person, &[("act", "disable")]).await.expect(303);
    assert!(admin.get(&person).await.text().contains("已停用"));

    let made =
        fill("/admin/teams", &[("name", "剪纸组"), ("organisation", &east)]).await.expect(303);
    let team = made.header("location").split('?').next().expect("a path").to_owned();
    let id = person.rsplit('/').next().expect("an id");
    fill(&team, &[("act", "join"), ("account", id)]).await.expect(303);
    fill(&team, &[("act", "grant"), ("role", "reviewer"), ("place", "l:small")]).await.expect(303);
    assert!(admin.get(&team).await.text().contains("审核员"));
    let link = fill(
        "/admin/invitations",
        &[("act", "invite"), ("role", "learner"), ("place", &place), ("uses", "3"), ("days", "7")],
    )
    .await;
    assert!(link.expect(200).text().contains("/join/"));

    let new = [("name", "新镇"), ("code", "371102009")];
    let made = fill("/admin/organisations", &new).await.expect(303);
    let town = made.header("location").split('?').next().expect("a path").to_owned();
    let west = admin.get("/api/organisations/371103").await.json();
    let parent = text_of(&west["id"]).to_owned();
    fill(&town, &[("act", "move"), ("parent", &parent)]).await.expect(303);
    assert_eq!(admin.get("/api/organisations/371102009").await.json()["parent"], west["id"]);
    fill(&format!("/admin/organisations/{parent}"), &[("act", "close")]).await.expect(422);
    fill(&town, &[("act", "close")]).await.expect(303);

    let new = [
        ("name", "戏曲库"),
        ("slug", "opera"),
        ("owner", &east),
        ("visibility", "internal"),
        ("quota_gb", "5"),
    ];
    fill("/admin/libraries", &new).await.expect(303);
    let save = [
        ("act", "save"),
        ("name", "戏曲"),
        ("description", "吕剧"),
        ("visibility", "public"),
        ("publishing", "manual"),
        ("quota_gb", ""),
    ];
    fill("/admin/libraries/opera", &save).await.expect(303);
    let saved = admin.get("/api/libraries/opera").await.json();
    assert_eq!((&saved["name"], &saved["quota_bytes"]), (&json!("戏曲"), &json!(null)));

    let log = admin.get("/admin/audit?verify=true&who=admin").await.expect(200).text();
    assert!(log.contains("完整无缺") && log.contains("停用人员"), "it is whole, in words");
    let none = admin.get("/admin/audit?who=nobody").await.expect(200).text();
    assert!(none.contains("没有符合的记录"));
    assert_eq!(admin.get("/admin/audit?from=yesterday").await.status, 422);
    let rows = admin.get("/api/audit?action=disable-person&per_page=1").await.expect(200).json();
    assert_eq!(
        (&rows["items"][0]["name"], &rows["next"]),
        (&json!("admin"), &rows["items"][0]["number"])
    );
    let exported = admin.get("/api/audit/export").await.expect(200).text();
    let last: serde_json::Value =
        serde_json::from_str(exported.lines().last().expect("a row")).expect("JSON");
    assert_eq!(last["number"], json!(exported.lines().count()));
    assert_eq!(admin.get("/api/audit/verify").await.json()["whole"], true);
}

#[tokio::test]
async fn every_page_is_for_those_who_look_after_something() {
    let app = net().await;
    let pages = [
        "/admin",
        "/admin/people",
        "/admin/teams",
        "/admin/invitations",
        "/admin/libraries",
        "/admin/organisations",
        "/admin/audit",
        "/admin/jobs",
    ];
    let admin = Browser::log_in(&app, "admin", PASSWORD).await;
    app.ran(&["user", "add", "lin", "--password", SECRET]);
    app.ran(&["user", "add", "dong", "--password", SECRET]);
    app.ran(&["user", "grant", "dong", "--organisation", "371102", "--role", "administrator"]);
    let learner = Browser::log_in(&app, "lin", SECRET).await;
    let east = Browser::log_in(&app, "dong", SECRET).await;
    for page in pages {
        admin.get(page).await.expect(200);
        assert_eq!(learner.get(page).await.status, 403, "{page}");
        let whole = ["/admin/audit", "/admin/jobs"].contains(&page);
        let seen = east.get(page).await;
        assert_eq!(seen.status, if whole { 403 } else { 200 }, "{page}");
        let text = seen.text();
        assert!(!text.contains("西区") && !text.contains("西库"), "{page} tells of another branch");
        let nobody = app.nobody().ask(Method::GET, page).header("accept", "text/html");
        let to = answer(nobody).await.expect(303);
        assert_eq!(to.header("location"), format!("/login?next={page}"));
    }
    learner.get("/me").await.expect(200);
}
