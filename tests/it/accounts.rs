//! Who may do what: roles, sessions, tokens, and the commands for them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Stdio;

use duoku::catalogue::Role;
use http::Method;
use serde_json::{Value, json};

use crate::app::{PASSWORD, TestApp};
use crate::client::{Answer, Client, answer, text_of};
use crate::fixture;

#[tokio::test]
async fn private_and_missing_look_the_same() {
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
    let (admin, nobody) = (app.admin().await, app.nobody());
    let id = admin.upload_into("inner", "p.bmp", "图", &fixture::picture(1)).await;
    admin.settled(&id).await;
    let missing = "0198c0de000070008000000000000000";
    for path in
        ["/api/resources/{}", "/media/{}/original", "/media/{}/master.m3u8", "/resources/{}"]
    {
        let both = [path.replace("{}", &id), path.replace("{}", missing)];
        let private = nobody.get(&both[0]).await.expect(404);
        let missing = nobody.get(&both[1]).await.expect(404);
        assert_eq!(private.text(), missing.text(), "{path}");
        let names = |answer: &Answer| {
            let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
            names.sort();
            names
        };
        assert_eq!(names(&private), names(&missing), "{path}");
    }
    assert_eq!(
        nobody.get("/api/libraries/inner").await.expect(404).text(),
        nobody.get("/api/libraries/outer").await.expect(404).text()
    );
    let listed = nobody.get("/api/libraries").await.json();
    assert!(listed["items"].as_array().expect("a list").iter().all(|one| one["slug"] != "inner"));
    let listed = nobody.get("/api/resources?library=inner").await;
    listed.expect(404);
    let listed = nobody.get("/api/resources?stage=published").await.json();
    assert_eq!(listed["total"], 0, "{listed:#}");
}

#[tokio::test]
async fn lists_of_resources_show_each_caller_theirs() {
    let app = TestApp::start();
    app.ran(&["library", "create", "draft", "--name", "待审"]);
    let lin = app.person("lin", &[("draft", Role::Author)]).await;
    let chen = app.person("chen", &[("draft", Role::Author)]).await;
    let sun = app.person("sun", &[("draft", Role::Librarian)]).await;
    for (client, number) in [(&lin, 1), (&chen, 2)] {
        let id = client.upload_into("draft", "p.bmp", "图", &fixture::picture(number)).await;
        client.settled(&id).await;
    }
    let total = |client: Client, path: &'static str| async move {
        client.get(path).await.expect(200).json()["total"].clone()
    };
    for (client, seen) in [(app.nobody(), 0), (lin, 1), (chen, 1), (sun, 2), (app.admin().await, 2)]
    {
        let path = "/api/resources?library=draft&stage=ready";
        assert_eq!(total(client.clone(), path).await, seen);
        assert_eq!(total(client, "/api/resources?library=draft&stage=published").await, 0);
    }
    assert_eq!(total(app.nobody(), "/api/resources?stage=ready").await, 0);
}

async fn log_in(client: &Client, name: &str, password: &str) -> Answer {
    client.send(Method::POST, "/api/session", &json!({ "name": name, "password": password })).await
}

/// The pair of name and value that a browser sends back.
fn cookie_of(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().expect("a cookie").to_owned()
}

async fn with_cookie(client: &Client, method: Method, path: &str, cookie: &str) -> Answer {
    answer(client.ask(method, path).header("cookie", cookie)).await
}

#[tokio::test]
async fn a_session_begins_with_the_password_and_ends_with_it() {
    let app = TestApp::start();
    let nobody = app.nobody();
    let begun = log_in(&nobody, "Admin ", PASSWORD).await.expect(200);
    assert_eq!(begun.json()["administrator"], true);
    let set = begun.header("set-cookie");
    for flag in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(set.contains(flag), "{flag} in {set}");
    }
    assert!(!set.contains("Secure"), "not over plain HTTP: {set}");
    let cookie = cookie_of(&begun);
    let who = with_cookie(&nobody, Method::GET, "/api/session", &cookie).await.expect(200);
    assert_eq!(who.json()["name"], "admin");
    nobody.get("/api/session").await.expect(401);
    with_cookie(&nobody, Method::GET, "/api/session", "duoku_session=nonsense").await.expect(401);

    // A new password ends all sessions.
    app.ran(&["user", "password", "admin", "--password", "new password 2"]);
    with_cookie(&nobody, Method::GET, "/api/session", &cookie).await.expect(401);
    log_in(&nobody, "admin", PASSWORD).await.expect(401);
    let begun = log_in(&nobody, "admin", "new password 2").await.expect(200);
    let cookie = cookie_of(&begun);
    let ended = with_cookie(&nobody, Method::DELETE, "/api/session", &cookie).await.expect(204);
    assert!(ended.header("set-cookie").contains("Max-Age=0"), "{ended:?}");
    with_cookie(&nobody, Method::GET, "/api/session", &cookie).await.expect(401);
    // Neither side of a wrong login is told.
    let (wrong, unknown) =
        (log_in(&nobody, "admin", "x").await, log_in(&nobody, "nobody", "x").await);
    assert_eq!((wrong.status, wrong.text()), (401, unknown.text()));
    // Disabled at once.
    let begun = log_in(&nobody, "admin", "new password 2").await.expect(200);
    let cookie = cookie_of(&begun);
    app.ran(&["user", "disable", "admin"]);
    with_cookie(&nobody, Method::GET, "/api/session", &cookie).await.expect(401);
    log_in(&nobody, "admin", "new password 2").await.expect(401);
    app.ran(&["user", "enable", "admin"]);
    log_in(&nobody, "admin", "new password 2").await.expect(200);
}

#[tokio::test]
async fn many_logins_at_once_are_counted_before_they_are_tried() {
    let app = TestApp::start();
    let nobody = app.nobody();
    for _ in 0..12 {
        log_in(&nobody, "admin", PASSWORD).await.expect(200);
    }
    log_in(&nobody, "admin", &"长".repeat(1000)).await.expect(401);
    let attempts = (0..40).map(|_| log_in(&nobody, "admin", "wrong"));
    let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
    for answer in futures::future::join_all(attempts).await {
        *counts.entry(answer.status).or_default() += 1;
        if answer.status != 401 {
            assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
        }
    }
    assert_eq!(counts, BTreeMap::from([(401, 10), (429, 30)]));
}

#[tokio::test]
async fn a_session_cookie_is_secure_where_the_site_is() {
    let app = TestApp::with(&[("DUOKU_SERVER_PUBLIC_URL", "https://learn.example.cn")]);
    let begun = log_in(&app.nobody(), "admin", PASSWORD).await.expect(200);
    assert!(begun.header("set-cookie").contains("; Secure"), "{begun:?}");
}

#[tokio::test]
async fn writes_from_other_sites_are_refused() {
    let app = TestApp::start();
    let nobody = app.nobody();
    let admin = app.admin().await;
    let resource = admin.published("p.bmp", "图", &fixture::picture(1)).await;
    let path = format!("/api/resources/{}", text_of(&resource["id"]));
    let cookie = cookie_of(&log_in(&nobody, "admin", PASSWORD).await.expect(200));
    let ask = |method: Method, path: &str, name: &str, value: &str| {
        answer(nobody.ask(method, path).header("cookie", &cookie).header(name, value))
    };
    let own = format!("http://{}", app.address());
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "https://evil.example:443/"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let refused = ask(Method::POST, &format!("{path}/withdraw"), name, value).await;
        assert_eq!(
            (refused.status, &refused.json()["code"]),
            (403, &json!("foreign_origin")),
            "{name}: {value}"
        );
        ask(Method::DELETE, &path, name, value).await.expect(403);
        // Logging in from there, and logging out, as well.
        let login = nobody
            .ask(Method::POST, "/api/session")
            .header(name, value)
            .json(&json!({ "name": "admin", "password": PASSWORD }));
        answer(login).await.expect(403);
        ask(Method::DELETE, "/api/session", name, value).await.expect(403);
        // Reading is no harm.
        ask(Method::GET, &path, name, value).await.expect(200);
    }
    ask(Method::POST, &format!("{path}/withdraw"), "origin", &own).await.expect(200);
    ask(Method::POST, &format!("{path}/publish"), "sec-fetch-site", "same-origin")
        .await
        .expect(200);
    // A token is no cookie: whoever has it may be anywhere.
    let token = admin.ask(Method::POST, &format!("{path}/withdraw"));
    answer(token.header("origin", "https://school.example.cn")).await.expect(200);
}

#[tokio::test]
async fn guessing_passwords_is_slowed_down() {
    let app = TestApp::with(&[("DUOKU_SESSION_MAX_FAILURES", "3")]);
    let nobody = app.nobody();
    for _ in 0..3 {
        log_in(&nobody, "admin", "wrong").await.expect(401);
    }
    let refused = log_in(&nobody, "admin", PASSWORD).await.expect(429);
    assert_eq!(refused.header("retry-after"), "60");
    assert_eq!(refused.json()["code"], "too_many");
    // From this address, for other names as well; tokens still work.
    log_in(&nobody, "wei", "wrong").await.expect(429);
    app.admin().await.get("/api/session").await.expect(200);
}

#[tokio::test]
async fn tokens_are_made_listed_and_revoked_by_command() {
    let app = TestApp::start();
    let token =
        app.ran(&["token", "create", "--user", "admin", "--label", "脚本"]).trim().to_owned();
    assert_eq!(token.len(), 64, "{token}");
    let client = Client::new(app.address(), Some(token.clone()));
    assert_eq!(client.get("/api/session").await.expect(200).json()["name"], "admin");
    let list = app.ran(&["token", "list", "--user", "admin"]);
    assert!(list.contains("脚本") && !list.contains(&token), "{list}");
    let id = list.split('\t').next().expect("an id").to_owned();
    app.ran(&["token", "revoke", &id]);
    client.get("/api/session").await.expect(401);
    // A wrong token is told, even where nobody would do.
    client.get("/api/libraries").await.expect(401);
    for (arguments, said) in [
        (vec!["token", "revoke", id.as_str()], "there is no token"),
        (vec!["token", "create", "--user", "missing"], "there is no account"),
    ] {
        let refused = app.run(&arguments);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.err.contains(said), "{refused:?}");
    }
    let brief = app.ran(&["token", "create", "--user", "admin", "--days", "0"]);
    let client = Client::new(app.address(), Some(brief.trim().to_owned()));
    client.get("/api/session").await.expect(401);
}

#[tokio::test]
async fn accounts_and_libraries_are_looked_after_by_command() {
    let app = TestApp::start();
    app.ran(&["library", "create", "town", "--name", "镇库", "--quota-bytes", "1000"]);
    app.ran(&["user", "add", "Lin", "--display-name", "林老师", "--password", "long enough"]);
    app.ran(&["user", "grant", "lin", "--library", "town", "--role", "author"]);
    let list = app.ran(&["user", "list"]);
    assert!(list.contains("lin\t林老师\tauthor of town") && list.contains("admin\t"), "{list}");
    assert!(list.contains("administrator"), "{list}");
    let begun = log_in(&app.nobody(), "lin", "long enough").await.expect(200);
    assert_eq!(begun.json()["display_name"], "林老师");
    let cookie = cookie_of(&begun);
    let view = with_cookie(&app.nobody(), Method::GET, "/api/libraries/town", &cookie).await.json();
    assert_eq!(view["quota_bytes"], 1000, "its people see it: {view}");
    assert!(app.nobody().get("/api/libraries/town").await.json()["quota_bytes"].is_null());
    app.ran(&["user", "revoke", "lin", "--library", "town"]);
    let view = with_cookie(&app.nobody(), Method::GET, "/api/libraries/town", &cookie).await.json();
    assert!(view["quota_bytes"].is_null(), "{view}");
    app.ran(&["library", "quota", "town", "0"]);
    let list = app.ran(&["library", "list"]);
    assert!(list.contains("town\t镇库\t0\t-") && list.contains("main\t"), "{list}");
    for (arguments, said) in [
        (vec!["user", "add", "lin", "--password", "long enough"], "taken"),
        (vec!["user", "add", "short", "--password", "1234567"], "8 characters"),
        (vec!["user", "add", "two words", "--password", "long enough"], "login name"),
        (vec!["user", "grant", "nobody", "--library", "town", "--role", "author"], "no account"),
        (vec!["user", "grant", "lin", "--library", "nowhere", "--role", "author"], "no library"),
        (vec!["user", "grant", "lin", "--library", "town", "--role", "king"], "king"),
        (vec!["library", "create", "town", "--name", "x"], "taken"),
        (vec!["library", "create", "Bad Slug", "--name", "x"], "slug"),
        (vec!["library", "quota", "nowhere", "5"], "no library"),
    ] {
        let refused = app.run(&arguments);
        assert!(refused.code != 0 && refused.err.contains(said), "{arguments:?}: {refused:?}");
        assert!(!refused.err.contains("panicked"), "{refused:?}");
    }
    // The password may come on standard input, where no list of processes shows it.
    let mut adding = app.command(&["user", "add", "wei"]);
    let mut adding = adding.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().expect("started");
    adding.stdin.take().expect("piped").write_all("从标准输入来的\n".as_bytes()).expect("written");
    assert!(!adding.wait().expect("ended").success(), "seven characters are too few");
    let mut adding = app.command(&["user", "add", "wei"]);
    let mut adding = adding.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().expect("started");
    adding
        .stdin
        .take()
        .expect("piped")
        .write_all("从标准输入来的密码\n".as_bytes())
        .expect("written");
    assert!(adding.wait().expect("ended").success());
    log_in(&app.nobody(), "wei", "从标准输入来的密码").await.expect(200);
}

#[tokio::test]
async fn libraries_are_made_by_administrators_and_changed_by_librarians() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let new = json!({ "slug": "village", "name": "村库", "visibility": "internal" });
    app.nobody().send(Method::POST, "/api/libraries", &new).await.expect(401);
    app.person("wei", &[]).await.send(Method::POST, "/api/libraries", &new).await.expect(403);
    let made = admin.send(Method::POST, "/api/libraries", &new).await.expect(201).json();
    assert_eq!((&made["publishing"], &made["visibility"]), (&json!("manual"), &json!("internal")));
    admin.send(Method::POST, "/api/libraries", &new).await.expect(409);
    let bad = |field: &str, value: Value| {
        let mut new = json!({ "slug": "other", "name": "x" });
        new[field] = value;
        new
    };
    for (new, status) in [
        (bad("slug", json!("Bad Slug")), 422),
        (bad("name", json!("  ")), 422),
        (bad("visibility", json!("secret")), 422),
        (bad("unknown", json!(1)), 422),
    ] {
        let refused = admin.send(Method::POST, "/api/libraries", &new).await;
        assert_eq!(refused.status, status, "{new}: {}", refused.text());
    }
    let sun = app.person("sun", &[("village", Role::Librarian)]).await;
    let lin = app.person("lin", &[("village", Role::Author)]).await;
    let zhao = app.person("zhao", &[("main", Role::Librarian)]).await;
    let change = json!({ "name": "新村库" });
    let path = "/api/libraries/village";
    app.nobody().send(Method::PATCH, path, &change).await.expect(401);
    zhao.send(Method::PATCH, path, &change).await.expect(404);
    lin.send(Method::PATCH, path, &change).await.expect(403);
    assert_eq!(sun.send(Method::PATCH, path, &change).await.expect(200).json()["name"], "新村库");
    // How its videos are made is for its librarians, and only its people see it.
    let media = json!({ "media": { "codecs": ["h264", "av1"], "loudness_lufs": -16 } });
    lin.send(Method::PATCH, path, &media).await.expect(403);
    let view = sun.send(Method::PATCH, path, &media).await.expect(200).json();
    let wanted = json!({ "codecs": ["h264", "av1"], "opus": false, "loudness_lufs": -16 });
    assert_eq!(view["media"], wanted);
    for (bad, said) in [
        (json!({ "codecs": ["vp9"] }), "vp9"),
        (json!({ "loudness_lufs": 3 }), "3"),
        (json!({ "colour": "red" }), ""),
    ] {
        let refused = sun.send(Method::PATCH, path, &json!({ "media": bad })).await.expect(422);
        assert!(refused.text().contains(said), "{}", refused.text());
    }
    let set = app.run(&[
        "library",
        "set",
        "village",
        "--codecs",
        "hevc",
        "--opus",
        "true",
        "--loudness",
        "0",
    ]);
    assert_eq!(set.code, 0, "{set:?}");
    let bad = app.run(&["library", "set", "village", "--codecs", "vp9"]);
    assert!(bad.code != 0 && bad.err.contains("vp9"), "{bad:?}");
    let view = sun.get(path).await.json();
    let wanted = json!({ "codecs": ["h264", "hevc"], "opus": true, "loudness_lufs": null });
    assert_eq!(view["media"], wanted);
    assert!(zhao.get("/api/libraries").await.json().to_string().contains("main"));
    // How much a library may hold is not for its own people to say.
    sun.send(Method::PATCH, path, &json!({ "quota_bytes": 0 })).await.expect(403);
    admin.send(Method::PATCH, path, &json!({ "quota_bytes": 5 })).await.expect(200);
}

#[tokio::test]
async fn a_first_start_without_a_password_prints_a_link_that_works_once() {
    let mut app = TestApp::stopped(&[("DUOKU_ADMIN_PASSWORD", "")]);
    app.serve(&[]);
    let db = app.db().await;
    let token = duoku::db::settings::find(&mut db.read().await.expect("read"), "setup_token").await;
    let token = token.expect("read").expect("a token");
    db.close().await;
    let nobody = app.nobody();
    let path = format!("/setup/{token}");
    nobody.get("/setup/nonsense").await.expect(404);
    let form = nobody.get(&path).await.expect(200);
    assert!(form.text().contains("<form"), "{}", form.text());
    assert!(!app.logged().contains(&token), "the link is not logged");
    log_in(&nobody, "admin", "").await.expect(401);
}

#[tokio::test]
async fn nobody_waits_while_a_password_is_typed() {
    use std::io::Write as _;
    let mut app = TestApp::stopped(&[("DUOKU_ADMIN_PASSWORD", "")]);
    app.serve(&[]);
    let db = app.db().await;
    let token = duoku::db::settings::find(&mut db.read().await.expect("read"), "setup_token").await;
    db.close().await;
    let link = format!("/setup/{}", token.expect("read").expect("a token"));
    let (admin, nobody) = (app.admin().await, app.nobody());
    let mut command = app.command(&["user", "password", "admin"]);
    command.stdin(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut typing = command.spawn().expect("duoku starts");
    // It asks.
    let mut asked = [0; 1];
    let mut said = typing.stderr.take().expect("piped");
    std::io::Read::read_exact(&mut said, &mut asked).expect("a question");
    let begun = std::time::Instant::now();
    let change = json!({ "description": "改了" });
    admin.send(Method::PATCH, "/api/libraries/main", &change).await.expect(200);
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
    nobody.get(&link).await.expect(200);
    let mut input = typing.stdin.take().expect("piped");
    writeln!(input, "{PASSWORD}").expect("typed");
    drop(input);
    assert!(typing.wait().expect("ended").success());
    // The link has done its service.
    nobody.get(&link).await.expect(404);
    log_in(&nobody, "admin", PASSWORD).await.expect(200);
}
