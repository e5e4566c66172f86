//! Logging in by an account from elsewhere, with npm's oidc-provider as the other side.

use duoku::catalogue::Role;
use http::Method;
use serde_json::{Value, json};

use crate::app::PASSWORD;
use crate::client::text_of;
use crate::elsewhere::{Browser, Elsewhere, between, joined, parameter, told};
use crate::people::holder;

const CREATE: &str = "accounts = \"create\"";

async fn identities(browser: &Browser) -> Vec<Value> {
    browser.get("/api/identities").await.expect(200).json().as_array().expect("a list").clone()
}

async fn log_in_here(browser: &Browser, name: &str, password: &str) {
    let said =
        browser.post("/login", &[("name", name), ("password", password), ("next", "/")]).await;
    said.expect(303);
}

/// Links whoever is logged in with `name` of the provider; gives the last answer.
async fn link(browser: &Browser, name: &str) -> crate::client::Answer {
    let page = browser.get("/me").await.expect(200).text();
    let href = between(&page, "href=\"/login/with/city?", "\"").replace("&amp;", "&");
    let url = browser.begin(&format!("/login/with/city?{href}")).await;
    let back = browser.through(&url, name).await;
    browser.get(&back).await
}

#[tokio::test]
async fn the_first_login_makes_an_account_and_the_second_finds_it() {
    let all = Elsewhere::start(CREATE);
    let page = all.browser().get("/login").await.expect(200).text();
    assert!(page.contains("/login/with/city?") && page.contains("全市统一身份认证"));
    let first = all.arrived("lin").await;
    assert_eq!(first.name().await, "lin");
    let me = first.get("/api/me").await.expect(200).json();
    assert_eq!((&me["display_name"], &me["name"]), (&json!("林雪"), &json!("lin")));
    let second = all.arrived("lin").await;
    assert_eq!(second.get("/api/me").await.json()["id"], me["id"]);
    let people = all.app.admin().await.get("/api/people?q=lin").await.json();
    assert_eq!(people["total"], 1);
    let sessions = second.get("/api/sessions").await.expect(200).json();
    let providers: Vec<&Value> =
        sessions.as_array().expect("a list").iter().map(|one| &one["provider"]).collect();
    assert_eq!(providers, [&json!("city"), &json!("city")]);
    assert!(second.get("/me").await.text().contains("关联的账号"));
    let log = all.app.admin().await.get("/api/audit?limit=50").await.expect(200).json().to_string();
    assert!(log.contains("add-person") && log.contains("link-identity"));
    all.app.ran(&["audit", "verify"]);
}

#[tokio::test]
async fn a_name_or_an_address_that_is_the_same_takes_nobody_over() {
    let all = Elsewhere::start(CREATE);
    all.app.ran(&["user", "add", "lin", "--password", PASSWORD]);
    let local = all.browser();
    log_in_here(&local, "lin", PASSWORD).await;
    local
        .fill("/me", "/me", &[("act", "save"), ("display_name", "林"), ("email", "lin@example.cn")])
        .await
        .expect(303);
    all.claims(
        "lin",
        json!({ "preferred_username": "lin", "email": "lin@example.cn", "email_verified": true }),
    );
    let browser = all.arrived("lin").await;
    assert_eq!(browser.name().await, "lin-2");
    assert!(identities(&local).await.is_empty());
    // Nor is the administrator.
    all.claims("boss", json!({ "preferred_username": "admin" }));
    assert_eq!(all.arrived("boss").await.name().await, "admin-2");
}

#[tokio::test]
async fn an_account_is_linked_by_who_is_logged_in_and_the_last_way_in_stays() {
    let all = Elsewhere::start("accounts = \"link\"");
    all.app.ran(&["user", "add", "wei", "--password", PASSWORD]);
    all.app.ran(&["user", "add", "zhao", "--password", PASSWORD]);
    let stranger = all.browser().log_in("lin").await.expect(422).text();
    assert!(stranger.contains(&told("identity_unknown")));
    let wei = all.browser();
    log_in_here(&wei, "wei", PASSWORD).await;
    assert_eq!(link(&wei, "lin").await.expect(303).header("location"), "/me?done=true");
    assert_eq!(identities(&wei).await.len(), 1);
    assert_eq!(all.arrived("lin").await.name().await, "wei");
    // Once more changes nothing, and it is nobody else's.
    link(&wei, "lin").await.expect(303);
    assert_eq!(identities(&wei).await.len(), 1);
    let zhao = all.browser();
    log_in_here(&zhao, "zhao", PASSWORD).await;
    let taken = link(&zhao, "lin").await.expect(422).text();
    assert!(taken.contains(&told("identity_taken")) && identities(&zhao).await.is_empty());
    // Without the value of the session's forms nothing is linked.
    wei.get("/login/with/city?link=0000").await.expect(403);

    let by_it = all.arrived("lin").await;
    let id = text_of(&identities(&wei).await[0]["id"]).to_owned();
    wei.fill("/me", "/me", &[("act", "unlink"), ("id", &id)]).await.expect(303);
    assert!(identities(&wei).await.is_empty());
    assert_eq!(by_it.name().await, "", "sessions that it began have ended");
    all.browser().log_in("lin").await.expect(422);
    all.app.ran(&["audit", "verify"]);
}

#[tokio::test]
async fn who_has_no_password_keeps_what_lets_them_in() {
    let all = Elsewhere::start(CREATE);
    let lin = all.arrived("lin").await;
    let id = text_of(&identities(&lin).await[0]["id"]).to_owned();
    let kept = lin.fill("/me", "/me", &[("act", "unlink"), ("id", &id)]).await.expect(422).text();
    assert!(kept.contains(&told("identity_last")));
    let path = format!("/api/identities/{id}");
    crate::client::answer(lin.ask(Method::DELETE, &path)).await.expect(409);
    // Another's is not there.
    all.claims("hai", json!({ "preferred_username": "hai" }));
    let hai = all.arrived("hai").await;
    crate::client::answer(hai.ask(Method::DELETE, &path)).await.expect(404);
    // With a second one, the first may go.
    all.claims("work", json!({ "preferred_username": "lin-at-work" }));
    let fresh = all.browser();
    // The provider's own session is another browser's: it would not ask who it is again.
    let url = fresh.begin("/login/with/city").await;
    let back = fresh.through(&url, "lin").await;
    fresh.get(&back).await.expect(303);
    all.app.ran(&["identity", "link", "--user", "lin", "--provider", "city", "--subject", "work"]);
    fresh.fill("/me", "/me", &[("act", "unlink"), ("id", &id)]).await.expect(303);
    assert_eq!(all.arrived("work").await.name().await, "lin");
}

#[tokio::test]
async fn those_who_look_after_somebody_link_and_unlink_them() {
    let all = Elsewhere::start("accounts = \"link\"");
    let app = &all.app;
    std::fs::write(app.desk().join("tree.csv"), "code,name\n371100,市\n371102,东区\n371103,西区\n")
        .expect("written");
    app.ran(&["organisation", "import", &app.desk().join("tree.csv").display().to_string()]);
    let east = holder(app, "dong", "371102", Role::Librarian).await;
    let west = holder(app, "xi", "371103", Role::Librarian).await;
    let id = crate::people::added(&east, "wei", "371102").await;
    let path = format!("/api/people/{id}/identities");
    let body = json!({ "provider": "city", "subject": "lin" });
    assert_eq!(west.send(Method::POST, &path, &body).await.status, 404);
    assert_eq!(west.get(&path).await.status, 404);
    app.nobody().get(&path).await.expect(401);
    let bad = json!({ "provider": "town", "subject": "lin" });
    east.send(Method::POST, &path, &bad).await.expect(422);
    let linked = east.send(Method::POST, &path, &body).await.expect(201).json();
    assert_eq!(all.arrived("lin").await.name().await, "wei");
    let listed = app.ran(&["identity", "list", "--user", "wei"]);
    assert!(listed.contains(text_of(&linked["id"])) && listed.contains("\tlin\t"));
    assert!(app.ran(&["identity", "check"]).starts_with("city\tok\t"));
    let one = format!("{path}/{}", text_of(&linked["id"]));
    assert_eq!(west.delete(&one).await.status, 404);
    east.delete(&one).await.expect(204);
    all.browser().log_in("lin").await.expect(422);
    app.ran(&["audit", "verify"]);
}

#[tokio::test]
async fn who_is_suspended_is_told_so() {
    let all = Elsewhere::start(CREATE);
    let lin = all.arrived("lin").await;
    all.app.ran(&["user", "disable", "lin"]);
    assert_eq!(lin.name().await, "");
    let page = all.browser().log_in("lin").await.expect(422).text();
    assert!(page.contains(&told("identity_suspended")));
    all.app.ran(&["user", "enable", "lin"]);
    all.arrived("lin").await;
}

#[tokio::test]
async fn an_answer_counts_once_and_in_the_browser_that_asked() {
    let all = Elsewhere::start(CREATE);
    let (browser, other) = (all.browser(), all.browser());
    let url = browser.begin("/login/with/city").await;
    assert_eq!(parameter(&url, "code_challenge_method"), "S256");
    assert_eq!(parameter(&url, "redirect_uri"), format!("{}/login/with/city/done", all.site));
    let back = browser.through(&url, "lin").await;
    assert_eq!(parameter(&back, "iss"), all.issuer);
    other.begin("/login/with/city").await;
    let page = other.get(&back).await.expect(422).text();
    assert!(page.contains(&told("identity_state")), "another browser's");
    assert!(!page.contains(&parameter(&back, "code")), "the page does not keep the code");
    all.browser().get(&back).await.expect(422);
    let state = parameter(&back, "state");
    browser.get(&back.replace(&state, "other")).await.expect(422);
    browser.get(&back).await.expect(303);
    let page = browser.get(&back).await.expect(422).text();
    assert!(page.contains(&told("identity_state")), "it was used");
    assert_eq!((browser.name().await, other.name().await), ("lin".into(), String::new()));

    // The code of one login with the state of another: it was used at the provider.
    let url = browser.begin("/login/with/city").await;
    let again = back.replace(&state, &parameter(&url, "state"));
    let page = browser.get(&again).await.expect(422).text();
    assert!(page.contains(&told("identity_over")));
    // What another provider sends, or one that does not say who it is.
    for (from, to) in [("iss=", "iss=http%3A%2F%2Fevil"), ("iss=", "x=")] {
        let url = browser.begin("/login/with/city").await;
        let back = browser.through(&url, "lin").await;
        let page = browser.get(&back.replace(from, to)).await.expect(422).text();
        assert!(page.contains(&told("identity_token")), "{to}");
    }
}

#[tokio::test]
async fn wrong_answers_are_counted_like_wrong_passwords() {
    let mut all = Elsewhere::start(CREATE);
    all.app.kill();
    all.app.set("DUOKU_SESSION_MAX_FAILURES", "3");
    all.app.serve(&[]);
    let browser = all.browser();
    for _ in 0..3 {
        browser.get("/login/with/city/done?state=x&code=y").await.expect(422);
    }
    let page = browser.get("/login/with/city/done?state=x&code=y").await.expect(429).text();
    assert!(page.contains(&told("too_many")));
}

#[tokio::test]
async fn a_refusal_at_the_provider_is_told_on_the_page() {
    let all = Elsewhere::start(CREATE);
    let browser = all.browser();
    let url = browser.begin("/login/with/city?next=/libraries").await;
    let asked = browser.get(&url).await.expect(303);
    let asked = joined(&url, asked.header("location"));
    let abort =
        browser.get(&format!("{asked}/abort")).await.expect(303).header("location").to_owned();
    let back = browser.through(&abort, "lin").await;
    assert_eq!(parameter(&back, "error"), "access_denied");
    let page = browser.get(&back).await.expect(422).text();
    assert!(page.contains(&told("identity_denied")) && page.contains("value=\"/libraries\""));
    // Without a state that is ours, nothing of it is believed.
    let page =
        browser.get("/login/with/city/done?error=access_denied&state=x").await.expect(422).text();
    assert!(page.contains(&told("identity_state")));
}

#[tokio::test]
async fn a_login_leads_only_to_our_own_pages() {
    let all = Elsewhere::start(CREATE);
    for next in ["//evil", "https%3A%2F%2Fevil", "%2F%5Cevil", ""] {
        let browser = all.browser();
        let url = browser.begin(&format!("/login/with/city?next={next}")).await;
        let back = browser.through(&url, "lin").await;
        assert_eq!(browser.get(&back).await.expect(303).header("location"), "/", "{next}");
    }
    all.browser().get("/login/with/town").await.expect(404);
    // A library's own host sends browsers to the net's first.
    let elsewhere = all
        .browser()
        .ask(Method::GET, "/login/with/city?next=/a")
        .header("host", "small.example.cn");
    let sent = crate::client::answer(elsewhere).await.expect(303);
    assert_eq!(sent.header("location"), format!("{}/login/with/city?next=/a&here=true", all.site));
}

#[tokio::test]
async fn a_provider_that_is_down_keeps_nobody_from_the_login_here() {
    let mut all = Elsewhere::start(CREATE);
    all.app.ran(&["user", "add", "wei", "--password", PASSWORD]);
    all.stop_provider();
    let browser = all.browser();
    let page = browser.get("/login/with/city?next=/libraries").await.expect(503).text();
    assert!(page.contains(&told("identity_down")) && page.contains("name=\"password\""));
    assert_eq!(all.app.run(&["identity", "check"]).code, 1);
    log_in_here(&browser, "wei", PASSWORD).await;
    // It goes while somebody is there.
    all.start_provider();
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    let browser = all.browser();
    let url = browser.begin("/login/with/city").await;
    let back = browser.through(&url, "lin").await;
    all.stop_provider();
    let page = browser.get(&back).await.expect(503).text();
    assert!(page.contains(&told("identity_down")));
    assert!(!all.app.logged().contains(&parameter(&back, "code")), "codes are not logged");
}

#[tokio::test]
async fn keys_that_changed_are_asked_for_once() {
    let mut all = Elsewhere::start(CREATE);
    all.arrived("lin").await;
    all.stop_provider();
    all.start_provider();
    all.arrived("lin").await;
    // Once a minute only: a second change is not looked at yet.
    all.stop_provider();
    all.start_provider();
    let page = all.browser().log_in("lin").await.expect(422).text();
    assert!(page.contains(&told("identity_token")));
}

#[tokio::test]
async fn groups_lead_into_teams_and_out_again() {
    let all =
        Elsewhere::start(&format!("{CREATE}\nteams = {{ jiaoshi = \"教师\", keqi = \"教师\" }}"));
    let admin = all.app.admin().await;
    let new = json!({ "name": "教师" });
    let team = admin.send(Method::POST, "/api/teams", &new).await.expect(201).json();
    let path = format!("/api/teams/{}", text_of(&team["id"]));
    let other =
        admin.send(Method::POST, "/api/teams", &json!({ "name": "别的" })).await.expect(201).json();
    let lin = |groups: Value| json!({ "preferred_username": "lin", "groups": groups });
    all.claims("lin", lin(json!(["keqi", "x"])));
    let browser = all.arrived("lin").await;
    let id = text_of(&browser.get("/api/me").await.json()["id"]).to_owned();
    let member = format!("/api/teams/{}/members/{id}", text_of(&other["id"]));
    admin.send(Method::PUT, &member, &json!({})).await.expect(204);
    let size = async |path: &str| admin.get(path).await.expect(200).json()["members"].clone();
    assert_eq!(size(&path).await, 1);
    all.claims("lin", lin(json!([])));
    all.arrived("lin").await;
    assert_eq!(size(&path).await, 0);
    let other = format!("/api/teams/{}", text_of(&other["id"]));
    assert_eq!(size(&other).await, 1, "teams that the settings do not name stay");
    let log = admin.get("/api/audit?limit=50").await.json().to_string();
    assert!(log.contains("join-team") && log.contains("leave-team"));
}

#[tokio::test]
async fn a_trusted_address_finds_one_account_and_never_an_administrator() {
    let all = Elsewhere::start(
        "accounts = \"link\"\ntrust_email = true\nemail_domains = [\"example.cn\"]",
    );
    let browser = all.browser();
    all.app.ran(&["user", "add", "wei", "--password", PASSWORD]);
    let address = async |name: &str, address: &str| {
        let browser = all.browser();
        log_in_here(&browser, name, PASSWORD).await;
        let fields = [("act", "save"), ("display_name", name), ("email", address)];
        browser.fill("/me", "/me", &fields).await.expect(303);
    };
    address("wei", "Wei@example.cn").await;
    let claims =
        |email: &str, verified: bool| json!({ "email": email, "email_verified": verified });
    all.claims("wei", claims("wei@example.cn", false));
    let page = browser.log_in("wei").await.expect(422).text();
    assert!(page.contains(&told("identity_domain")));
    all.claims("out", claims("wei@example.com", true));
    all.browser().log_in("out").await.expect(422);
    all.claims("wei", claims("wei@example.cn", true));
    assert_eq!(all.arrived("wei").await.name().await, "wei");
    address("admin", "boss@example.cn").await;
    all.claims("boss", claims("boss@example.cn", true));
    let page = all.browser().log_in("boss").await.expect(422).text();
    assert!(page.contains(&told("identity_unknown")));
}

#[tokio::test]
async fn logging_out_there_ends_the_sessions_here() {
    let all = Elsewhere::start(CREATE);
    let browser = all.arrived("lin").await;
    let elsewhere = all.arrived("lin").await;
    let first = browser.get("/api/sessions").await.expect(200).json();
    assert_eq!(first.as_array().map(Vec::len), Some(2));
    let to = browser.fill("/me", "/logout", &[]).await.expect(303).header("location").to_owned();
    assert_eq!(to, "/logged-out/city");
    assert_eq!(browser.name().await, "");
    // Logged in again without being asked: the provider's session goes on.
    let url = browser.begin("/login/with/city?next=/libraries").await;
    let back = browser.get(&url).await.expect(303).header("location").to_owned();
    browser.get(&back).await.expect(303);
    assert_eq!(browser.name().await, "lin");
    let page = browser.get("/logged-out/city").await.expect(200).text();
    let out = between(&page, &format!("href=\"{}", all.issuer), "\"").replace("&amp;", "&");
    let page = browser.get(&format!("{}{out}", all.issuer)).await.expect(200).text();
    let xsrf = between(&page, "name=\"xsrf\" value=\"", "\"").to_owned();
    let action = between(&page, "action=\"", "\"").to_owned();
    let said = browser.post(&action, &[("xsrf", &xsrf), ("logout", "yes")]).await.expect(303);
    assert!(said.header("location").starts_with(&format!("{}/", all.site)));
    assert_eq!(browser.name().await, "", "the provider told of it");
    assert_eq!(elsewhere.name().await, "lin", "a session of another browser there goes on");
    let path = "/login/with/city/logout";
    browser.post(path, &[("logout_token", "a.b.c")]).await.expect(400);
    browser.post(path, &[]).await.expect(400);
    all.app.ran(&["audit", "verify"]);
}
