//! Review: up a chain, returned, delegated, late; withdrawn at once; complaints and appeals.

use std::time::{Duration, Instant};

use duoku::catalogue::Role;
use http::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, eventually};
use crate::client::{Answer, Client, answer, encode, text_of};
use crate::fixture;

const TREE: &str = "code,name\n\
    371100,日照社区大学\n\
    371102,东港区社区教育学院\n\
    371102001,日照街道社区教育中心\n\
    371102001002,安泰社区学校\n";

const VILLAGE: &str = "371102001002";

/// A village's library with the chain township, district; its people, and those of the levels above.
struct Net {
    app: TestApp,
    admin: Client,
    /// Author in the village.
    lin: Client,
    /// Librarian of the village.
    shu: Client,
    /// Reviewer of the township.
    zhen: Client,
    /// Reviewer of the district.
    xian: Client,
    /// Reviewer of the city.
    shi: Client,
}

impl Net {
    async fn start(settings: &[(&str, &str)], publishing: &str) -> Self {
        let app = TestApp::with(settings);
        write(&app, "tree.csv", TREE);
        let libraries =
            format!("slug,name,owner,publishing\nvillage,村库,{VILLAGE},{publishing}\n");
        write(&app, "libraries.csv", &libraries);
        for (command, name) in [("organisation", "tree.csv"), ("library", "libraries.csv")] {
            let path = app.data().join(name).display().to_string();
            match command {
                "organisation" => app.ran(&["organisation", "import", &path]),
                _ => app.ran(&["library", "create", "--from", &path]),
            };
        }
        let admin = app.admin().await;
        let steps = json!({ "steps": [
            { "name": "镇审", "level": "township", "role": "reviewer", "days": 3 },
            { "name": "区审", "level": "district", "days": 5 },
        ] });
        admin.send(Method::PUT, "/api/libraries/village/review", &steps).await.expect(200);
        Self {
            admin,
            lin: app.person("lin", &[("village", Role::Author)]).await,
            shu: app.person("shu", &[("village", Role::Librarian)]).await,
            zhen: at(&app, "zhen", "371102001", Role::Reviewer).await,
            xian: at(&app, "xian", "371102", Role::Reviewer).await,
            shi: at(&app, "shi", "371100", Role::Reviewer).await,
            app,
        }
    }

    /// Something of lin's that is ready.
    async fn ready(&self, number: u32, title: &str) -> String {
        let bytes = fixture::picture(number);
        let id = self.lin.upload_into("village", "a.bmp", title, &bytes).await;
        self.lin.settled(&id).await;
        id
    }

    /// Something of lin's that went up the chain.
    async fn published(&self, number: u32, title: &str) -> String {
        let id = self.ready(number, title).await;
        self.lin.post(&format!("/api/resources/{id}/publish")).await.expect(200);
        decide(&self.zhen, &id, "accept", "").await.expect(200);
        decide(&self.xian, &id, "accept", "").await.expect(200);
        id
    }
}

fn write(app: &TestApp, name: &str, text: &str) {
    std::fs::write(app.data().join(name), text).expect("written");
}

async fn at(app: &TestApp, name: &str, code: &str, role: Role) -> Client {
    let client = app.person(name, &[]).await;
    app.ran(&["user", "grant", name, "--organisation", code, "--role", role.as_str()]);
    client
}

async fn decide(client: &Client, id: &str, verdict: &str, reason: &str) -> Answer {
    let body = json!({ "verdict": verdict, "reason": reason });
    client.send(Method::POST, &format!("/api/resources/{id}/review/decision"), &body).await
}

async fn post(client: &Client, path: &str, body: Value) -> Answer {
    client.send(Method::POST, path, &body).await
}

async fn stage(client: &Client, id: &str) -> String {
    let resource = client.get(&format!("/api/resources/{id}")).await.expect(200).json();
    text_of(&resource["stage"]).to_owned()
}

async fn page(client: &Client, path: &str) -> Answer {
    answer(client.ask(Method::GET, path).header("accept", "text/html")).await
}

async fn form(client: &Client, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let request = client
        .ask(Method::POST, path)
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded");
    answer(request.body(body.join("&"))).await
}

async fn waiting(client: &Client) -> Vec<String> {
    let queue = client.get("/api/review?mine").await.expect(200).json();
    let items = queue["items"].as_array().expect("a list");
    items.iter().map(|item| text_of(&item["title"]).to_owned()).collect()
}

#[tokio::test]
async fn from_the_village_up_the_chain_into_the_search_and_gone_within_ten_seconds() {
    let net = Net::start(&[], "manual").await;
    let (app, lin, zhen, xian) = (&net.app, &net.lin, &net.zhen, &net.xian);
    let id = lin.upload_into("village", "a.mp4", "村里的剪纸", &fixture::video(4)).await;
    lin.settled(&id).await;
    let path = format!("/api/resources/{id}");
    let handed_in = lin.post(&format!("{path}/publish")).await.expect(200).json();
    assert_eq!((&handed_in["stage"], &handed_in["in_review"]), (&json!("submitted"), &json!(1)));
    let nobody = app.nobody();
    nobody.get(&path).await.expect(404);
    assert_eq!((waiting(zhen).await, waiting(xian).await), (vec!["村里的剪纸".into()], vec![]));
    // While it is in review nobody changes it, and only the step that has it decides.
    let patch = json!({ "title": "另一个" });
    assert_eq!(
        lin.send(Method::PATCH, &path, &patch).await.expect(409).json()["code"],
        "in_review"
    );
    // The district stands above the township, but whoever reads for it does not read for both.
    let ticketed = zhen.get(&path).await.expect(200).json();
    let ticketed = text_of(&ticketed["links"]["hls"]).to_owned();
    assert!(ticketed.starts_with("/t/"), "{ticketed}");
    decide(zhen, &id, "accept", "很好").await.expect(200);
    nobody.get(&path).await.expect(404);
    assert_eq!((waiting(zhen).await.len(), waiting(xian).await.len()), (0, 1));
    decide(zhen, &id, "accept", "").await.expect(403);
    let done = decide(xian, &id, "accept", "").await.expect(200).json();
    assert_eq!(
        (&done["stage"], &done["versions"][0]["state"]),
        (&json!("published"), &json!("accepted"))
    );
    eventually("it is found", Duration::from_secs(5), || async {
        nobody.found("村里的剪纸").await.contains(&id).then_some(())
    })
    .await;

    let second = app.another(&["--no-work"]);
    let there = nobody.at(&second.address);
    let media = format!("/media/{id}/master.m3u8");
    let html = format!("/resources/{id}");
    for client in [&nobody, &there] {
        for address in [&path, &media, &html, &ticketed] {
            client.get(address).await.expect(200);
        }
    }
    eventually("the other process finds it", Duration::from_secs(10), || async {
        there.found("村里的剪纸").await.contains(&id).then_some(())
    })
    .await;
    assert!(page(&there, "/libraries/village").await.expect(200).text().contains("村里的剪纸"));
    let begun = Instant::now();
    let reason = json!({ "reason": "涉嫌侵权" });
    post(xian, &format!("{path}/withdraw"), reason).await.expect(200);
    for client in [&nobody, &there] {
        for address in [&path, &media, &html, &ticketed] {
            eventually(address, Duration::from_secs(10), || async {
                (client.get(address).await.status == 404).then_some(())
            })
            .await;
        }
        eventually("searches", Duration::from_secs(10), || async {
            (!client.found("村里的剪纸").await.contains(&id)).then_some(())
        })
        .await;
        let listed = page(client, "/libraries/village").await.expect(200).text();
        assert!(!listed.contains("村里的剪纸"));
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let log = audit(app).await;
    assert_eq!(log, ["upload", "process", "hand-in", "accept", "accept", "withdraw"]);
    app.ran(&["audit", "verify"]);
}

/// What was done to resources, in order.
async fn audit(app: &TestApp) -> Vec<String> {
    let db = app.db().await;
    let mut read = db.read().await.expect("a connection");
    let log = duoku::db::audit::list_after(&mut read, 0, 1000).await.expect("read");
    drop(read);
    db.close().await;
    let of =
        ["upload", "process", "hand-in", "accept", "return", "take-back", "withdraw", "publish"];
    log.into_iter().map(|row| row.action).filter(|action| of.contains(&&**action)).collect()
}

#[tokio::test]
async fn what_is_returned_is_changed_and_handed_in_again() {
    let net = Net::start(&[], "manual").await;
    let id = net.ready(1, "编筐").await;
    let path = format!("/api/resources/{id}");
    net.lin.post(&format!("{path}/review")).await.expect(200);
    net.lin.post(&format!("{path}/review")).await.expect(409);
    let said = json!({ "text": "这里看不清", "start_ms": null });
    let commented = post(&net.zhen, &format!("{path}/review/comments"), said).await.expect(201);
    let comment = text_of(&commented.json()["comments"][0]["id"]).to_owned();
    let wrong = json!({ "text": "x", "answers": "nothing" });
    post(&net.lin, &format!("{path}/review/comments"), wrong).await.expect(422);
    let late = json!({ "text": "x", "page": 0 });
    post(&net.lin, &format!("{path}/review/comments"), late).await.expect(422);
    decide(&net.zhen, &id, "return", " ").await.expect(422);
    decide(&net.zhen, &id, "maybe", "").await.expect(422);
    decide(&net.zhen, &id, "return", "请写简介").await.expect(200);
    assert_eq!(stage(&net.lin, &id).await, "ready");
    let studio = page(&net.lin, &format!("/studio/resources/{id}")).await.expect(200).text();
    assert!(studio.contains("请写简介") && studio.contains("送审"));
    assert!(page(&net.lin, "/studio").await.expect(200).text().contains("退回：请写简介"));

    let patch = json!({ "description": "怎样编一个筐" });
    net.lin.send(Method::PATCH, &path, &patch).await.expect(200);
    let said = json!({ "text": "补拍了", "answers": comment });
    post(&net.lin, &format!("{path}/review/comments"), said).await.expect(201);
    let settled = json!({ "resolved": true });
    let one = format!("{path}/review/comments/{comment}");
    let shown = net.lin.send(Method::PATCH, &one, &settled).await.expect(200).json();
    assert_eq!(shown["comments"][0]["resolved"], true);
    assert_eq!(shown["comments"][1]["answers"], json!(comment));
    net.lin.post(&format!("{path}/publish")).await.expect(200);
    let seen = net.zhen.get(&format!("{path}/review")).await.expect(200).json();
    let changes = seen["versions"][0]["changes"].as_array().expect("a list");
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(
        (&changes[0]["field"], &changes[0]["after"]),
        (&json!("description"), &json!("怎样编一个筐"))
    );
    // A click that comes too late is for the version that was read.
    let stale = json!({ "verdict": "accept", "version": 1 });
    post(&net.zhen, &format!("{path}/review/decision"), stale).await.expect(409);
    net.lin.delete(&format!("{path}/review")).await.expect(200);
    assert_eq!(stage(&net.lin, &id).await, "ready");
    decide(&net.zhen, &id, "accept", "").await.expect(409);
    net.lin.delete(&path).await.expect(204);
    net.zhen.get(&format!("{path}/review")).await.expect(404);
}

#[tokio::test]
async fn only_whose_step_it_is_decides_and_others_see_nothing() {
    let net = Net::start(&[], "manual").await;
    net.app.ran(&["library", "create", "other", "--name", "别处"]);
    let id = net.ready(2, "纺线").await;
    let path = format!("/api/resources/{id}/review");
    net.lin.post(&path).await.expect(200);
    let (nobody, learner) = (net.app.nobody(), net.app.person("wei", &[]).await);
    let stranger = net.app.person("zhao", &[("other", Role::Librarian)]).await;
    let colleague = net.app.person("chen", &[("village", Role::Author)]).await;
    let elsewhere = at(&net.app, "hai", "371102001", Role::Author).await;
    for (client, sees, decides) in [
        (&nobody, 401, 401),
        (&learner, 404, 404),
        (&stranger, 404, 404),
        (&colleague, 404, 404),
        (&elsewhere, 404, 404),
        (&net.lin, 200, 403),
        (&net.shu, 200, 403),
        (&net.xian, 200, 200),
    ] {
        client.get(&path).await.expect(sees);
        if decides != 200 {
            decide(client, &id, "accept", "").await.expect(decides);
            let expected = if sees == 200 { 303 } else { sees };
            let said = form(client, &format!("/review/{id}"), &[("action", "accept")]).await;
            assert!(said.status == expected || said.status == decides, "{}", said.status);
        }
    }
    for (client, total) in [(&net.zhen, 1), (&net.shu, 1), (&net.lin, 0), (&stranger, 0)] {
        let queue = client.get("/api/review").await.expect(200).json();
        assert_eq!(queue["total"], total);
    }
    stranger.get("/api/review?library=nothing").await.expect(404);
    // A librarian hands in as well: only the end of the chain publishes past it.
    let other = net.ready(3, "织布").await;
    let publish = format!("/api/resources/{other}/publish");
    let handed_in = net.shu.post(&publish).await.expect(200).json();
    assert_eq!(handed_in["stage"], "submitted");
    // What somebody handed in, they do not read, whatever they are.
    let third = net.ready(4, "染布").await;
    assert_eq!(
        net.admin.post(&format!("/api/resources/{third}/publish")).await.expect(200).json()["stage"],
        "published"
    );
    for wrong in [
        json!({ "steps": [{ "name": "x", "level": "community", "days": 0 }] }),
        json!({ "steps": [{ "name": "x", "level": "somewhere", "days": 1 }] }),
        json!({ "steps": [{ "name": "x", "account": "nobody-known", "days": 1 }] }),
        json!({ "steps": [{ "name": "x", "days": 1 }] }),
    ] {
        net.admin.send(Method::PUT, "/api/libraries/village/review", &wrong).await.expect(422);
    }
    let none = json!({ "steps": [] });
    let chief = at(&net.app, "zhang", VILLAGE, Role::Administrator).await;
    for (client, status) in [(&nobody, 401), (&stranger, 403), (&net.shu, 403), (&chief, 403)] {
        client.send(Method::PUT, "/api/libraries/village/review", &none).await.expect(status);
    }
}

#[tokio::test]
async fn what_is_late_comes_first_and_a_delegate_decides_for_a_time() {
    let net = Net::start(&[], "manual").await;
    let (old, new) = (net.ready(5, "旧").await, net.ready(6, "新").await);
    for id in [&old, &new] {
        net.lin.post(&format!("/api/resources/{id}/review")).await.expect(200);
    }
    let db = net.app.db().await;
    let mut tx = db.begin().await.expect("a transaction");
    sqlx::query("UPDATE review SET due_ms = 1 WHERE resource = $1")
        .bind(&new)
        .execute(&mut *tx)
        .await
        .expect("updated");
    tx.commit().await.expect("committed");
    db.close().await;
    assert_eq!(waiting(&net.zhen).await, ["新", "旧"]);
    let queue = net.zhen.get("/api/review?mine&q=%E6%96%B0").await.expect(200).json();
    assert_eq!((&queue["total"], &queue["items"][0]["overdue"]), (&json!(1), &json!(true)));
    assert!(page(&net.zhen, "/review").await.expect(200).text().contains("已超期"));

    let wei = net.app.person("wei", &[]).await;
    wei.get(&format!("/api/resources/{old}/review")).await.expect(404);
    let path = "/api/libraries/village/review/delegations";
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let new = json!({ "step": "镇审", "account": "wei", "until": soon.to_string() });
    post(&net.shu, path, new.clone()).await.expect(403);
    for (field, value) in [("step", "四审"), ("account", "qian"), ("until", "1970-01-01T00:00:00Z")]
    {
        let mut wrong = new.clone();
        wrong[field] = json!(value);
        post(&net.zhen, path, wrong).await.expect(422);
    }
    let made = post(&net.zhen, path, new).await.expect(201).json();
    assert_eq!(waiting(&wei).await.len(), 2);
    page(&wei, &format!("/review/{old}")).await.expect(200);
    decide(&wei, &old, "accept", "代审").await.expect(200);
    let id = text_of(&made["delegations"][0]["id"]);
    net.zhen.delete(&format!("{path}/{id}")).await.expect(204);
    assert!(waiting(&wei).await.is_empty());
}

#[tokio::test]
async fn a_step_is_handed_over_and_given_to_a_team_by_its_page() {
    let net = Net::start(&[], "manual").await;
    let wei = net.app.person("wei", &[]).await;
    let id = net.ready(8, "题").await;
    net.lin.post(&format!("/api/resources/{id}/review")).await.expect(200);
    let here = "/review/libraries/village";
    let text = page(&net.zhen, here).await.expect(200).text();
    assert!(text.contains("请人代审") && text.contains("<option value=\"镇审\">"));
    assert!(!text.contains("<option value=\"区审\">"), "only what is theirs");
    assert!(!page(&net.lin, here).await.expect(200).text().contains("请人代审"));
    let send = async |client: &Client, fields: &[(&str, &str)]| form(client, here, fields).await;
    let soon = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48)).to_string();
    let day = &soon[..10];
    let with = |to, until| [("act", "delegate"), ("step", "镇审"), ("to", to), ("until", until)];
    for (to, until) in [("qian", day), ("wei", "1970-01-01"), ("wei", "soon"), ("wei", "")] {
        let refused = send(&net.zhen, &with(to, until)).await.expect(422).text();
        assert!(refused.contains("notice bad"), "{to} {until}");
    }
    send(&net.lin, &with("wei", day)).await.expect(403);
    send(&net.zhen, &with("Wei", day)).await.expect(303);
    assert_eq!(waiting(&wei).await, ["题"]);
    let text = page(&net.zhen, here).await.expect(200).text();
    let held = text.split_once("name=\"delegation\" value=\"").expect("one").1;
    let held = held.split_once('"').expect("ends").0;
    let end = [("act", "end-delegation"), ("delegation", held)];
    send(&net.lin, &end).await.expect(403);
    send(&net.zhen, &end).await.expect(303);
    assert!(waiting(&wei).await.is_empty());

    let team = post(&net.admin, "/api/teams", json!({ "name": "专家组" })).await.expect(201).json();
    let value = format!("team.{}", text_of(&team["id"]));
    let text = page(&net.admin, here).await.expect(200).text();
    assert!(text.contains(&format!("<option value=\"{value}\">小组：专家组</option>")));
    assert!(!page(&net.shu, here).await.expect(200).text().contains("专家组"), "not theirs");
    let fields = [("name", "组审"), ("who", &value), ("account", ""), ("days", "4")];
    send(&net.admin, &fields).await.expect(303);
    let chain = net.admin.get("/api/libraries/village/review").await.expect(200).json();
    assert_eq!(chain["steps"][0]["team"], team["id"]);
    net.app.ran(&["audit", "verify"]);
}

#[tokio::test]
async fn what_is_published_stays_as_it_is_while_an_authors_changes_are_read() {
    let net = Net::start(&[], "automatic").await;
    let id = net.ready(7, "老题").await;
    assert_eq!(stage(&net.lin, &id).await, "submitted", "handed in when it was ready");
    decide(&net.zhen, &id, "accept", "").await.expect(200);
    decide(&net.xian, &id, "accept", "").await.expect(200);
    let path = format!("/api/resources/{id}");
    let patch = json!({ "title": "新题" });
    let patched = net.lin.send(Method::PATCH, &path, &patch).await.expect(200).json();
    assert_eq!((&patched["title"], &patched["in_review"]), (&json!("老题"), &json!(2)));
    net.lin.send(Method::PATCH, &path, &json!({ "title": "再改" })).await.expect(409);
    let captions = format!("{path}/captions/zh");
    let put = net.lin.ask(Method::PUT, &captions).body("WEBVTT\n");
    assert_eq!(answer(put).await.expect(409).json()["code"], "was_reviewed");
    assert!(page(&net.zhen, &format!("/review/{id}")).await.expect(200).text().contains("新题"));
    decide(&net.zhen, &id, "accept", "").await.expect(200);
    assert_eq!(net.app.nobody().get(&path).await.expect(200).json()["title"], "老题");
    decide(&net.xian, &id, "accept", "").await.expect(200);
    assert_eq!(net.app.nobody().get(&path).await.expect(200).json()["title"], "新题");
    // A librarian's small changes go on at once.
    net.shu.send(Method::PATCH, &path, &json!({ "author": "林" })).await.expect(200);
    assert_eq!(net.app.nobody().get(&path).await.expect(200).json()["author"], "林");
}

#[tokio::test]
async fn a_complaint_has_a_number_and_an_upheld_one_can_be_appealed_from() {
    let proxy = ("DUOKU_SERVER_TRUSTED_PROXIES", "127.0.0.1");
    let few = ("DUOKU_REVIEW_MAX_OPEN_COMPLAINTS", "2");
    let net = Net::start(&[proxy, few], "manual").await;
    let id = net.published(8, "年画").await;
    let nobody = net.app.nobody();
    let path = format!("/resources/{id}/complaint");
    let fields = [("reason", "copyright"), ("words", "这是我画的"), ("contact", "13800000000")];
    assert!(page(&nobody, &format!("/resources/{id}")).await.text().contains(&path));
    let robot = [&fields[..], &[("website", "x")]].concat();
    form(&nobody, &path, &robot).await.expect(422);
    form(&nobody, &path, &[("reason", "none"), ("words", "x")]).await.expect(422);
    let sent = form(&nobody, &path, &fields).await.expect(303);
    let place = sent.header("location").split('?').next().expect("a path").to_owned();
    let number = place.strip_prefix("/complaints/").expect("a case").to_owned();
    assert!(number.len() == 11 && number.ends_with("-000001"), "{number}");
    let shown = page(&nobody, &place).await.expect(200).text();
    assert!(shown.contains(&number) && shown.contains("处理中"));
    for secret in ["这是我画的", "13800000000", "年画", &id] {
        assert!(!shown.contains(secret), "{secret}");
    }
    page(&nobody, "/complaints/2026-999999").await.expect(404);
    page(&nobody, "/complaints/x").await.expect(404);
    let again = json!({ "resource": id, "reason": "wrong", "text": "错字" });
    post(&nobody, "/api/complaints", again.clone()).await.expect(201);
    let more = post(&nobody, "/api/complaints", again.clone()).await.expect(409).json();
    assert_eq!(more["code"], "complained_enough");
    for status in [409, 409, 409, 429] {
        let request = nobody.ask(Method::POST, "/api/complaints");
        let request = request.header("x-forwarded-for", "192.0.2.7").json(&again);
        answer(request).await.expect(status);
    }

    // Librarians of the library and of those above decide; others do not know of it.
    net.lin.get("/api/complaints").await.expect(403);
    nobody.get("/api/complaints").await.expect(401);
    let list = net.shu.get("/api/complaints?state=open").await.expect(200).json();
    assert_eq!((&list["total"], &list["items"][0]["contact"]), (&json!(2), &json!("13800000000")));
    let answer_path = format!("/api/complaints/{number}/answer");
    let upheld = json!({ "verdict": "upheld", "answer": "核实了，已经下架。" });
    for (client, status) in [(&nobody, 401), (&net.lin, 404), (&net.zhen, 404)] {
        post(client, &answer_path, upheld.clone()).await.expect(status);
    }
    post(&net.shu, &answer_path, json!({ "verdict": "upheld", "answer": "" })).await.expect(422);
    post(&net.shu, &answer_path, upheld.clone()).await.expect(200);
    post(&net.shu, &answer_path, upheld).await.expect(409);
    nobody.get(&format!("/api/resources/{id}")).await.expect(404);
    let shown = page(&nobody, &place).await.expect(200).text();
    assert!(shown.contains("核实了，已经下架。") && shown.contains("成立"));

    // The author hears why, and the township, right above the village, decides about the appeal.
    let studio = page(&net.lin, &format!("/studio/resources/{id}")).await.expect(200).text();
    assert!(studio.contains("核实了") && studio.contains("申诉"));
    let appeal_path = format!("/api/resources/{id}/appeal");
    post(&net.shu, &appeal_path, json!({ "text": "x" })).await.expect(403);
    let appeal = post(&net.lin, &appeal_path, json!({ "text": "画是我爷爷传下来的" })).await;
    let appeal = text_of(&appeal.expect(201).json()["id"]).to_owned();
    post(&net.lin, &appeal_path, json!({ "text": "再来" })).await.expect(409);
    let answer_path = format!("/api/appeals/{appeal}/answer");
    let yes = json!({ "verdict": "upheld", "answer": "有证据" });
    let learner = net.app.person("wei", &[]).await;
    for (client, status) in [(&nobody, 401), (&learner, 403), (&net.lin, 403), (&net.shu, 403)] {
        post(client, &answer_path, yes.clone()).await.expect(status);
    }
    assert_eq!(net.zhen.get("/api/appeals").await.expect(200).json()[0]["id"], json!(appeal));
    page(&net.zhen, "/review/appeals").await.expect(200);
    post(&net.zhen, &answer_path, yes).await.expect(200);
    nobody.get(&format!("/api/resources/{id}")).await.expect(200);
    net.app.ran(&["audit", "verify"]);
}

#[tokio::test]
async fn an_order_from_above_is_undone_above_and_a_return_can_be_overruled() {
    let net = Net::start(&[], "manual").await;
    let id = net.published(9, "皮影").await;
    let path = format!("/api/resources/{id}");
    post(&net.zhen, &format!("{path}/withdraw"), json!({})).await.expect(422);
    post(&net.shi, &format!("{path}/withdraw"), json!({ "reason": "违法或有害" }))
        .await
        .expect(200);
    // Neither author, librarian nor the lower steps bring back what the city withdrew.
    net.lin.post(&format!("{path}/publish")).await.expect(200);
    decide(&net.zhen, &id, "accept", "").await.expect(200);
    let refused = decide(&net.xian, &id, "accept", "").await.expect(409).json();
    assert_eq!(refused["code"], "withdrawn_by_order");
    net.admin.delete(&format!("{path}/review")).await.expect(200);
    assert_eq!(
        net.admin.post(&format!("{path}/publish")).await.expect(200).json()["stage"],
        "published"
    );

    let other = net.ready(10, "木偶").await;
    let path = format!("/api/resources/{other}");
    net.lin.post(&format!("{path}/review")).await.expect(200);
    decide(&net.zhen, &other, "return", "不合适").await.expect(200);
    let appeal = post(&net.lin, &format!("{path}/appeal"), json!({ "text": "合适" })).await;
    let appeal = text_of(&appeal.expect(201).json()["id"]).to_owned();
    let answer_path = format!("/api/appeals/{appeal}/answer");
    let yes = json!({ "verdict": "upheld", "answer": "可以" });
    post(&net.zhen, &answer_path, yes.clone()).await.expect(403);
    post(&net.shi, &answer_path, yes).await.expect(200);
    let seen = net.lin.get(&format!("{path}/review")).await.expect(200).json();
    assert_eq!(seen["stage"], "submitted");
    assert_eq!(seen["versions"][0]["steps"][0]["appealed"], true);
    decide(&net.xian, &other, "accept", "").await.expect(200);
    net.app.nobody().get(&path).await.expect(200);
}

#[tokio::test]
async fn everything_works_by_forms_alone() {
    let net = Net::start(&[], "manual").await;
    let id = net.ready(11, "泥塑").await;
    let studio = format!("/studio/resources/{id}");
    form(&net.lin, &studio, &[("action", "publish")]).await.expect(303);
    let path = format!("/review/{id}");
    page(&net.app.nobody(), &path).await.expect(303);
    assert!(page(&net.zhen, "/review").await.expect(200).text().contains(&path));
    let shown = page(&net.zhen, &path).await.expect(200).text();
    assert!(shown.contains(r#"value="accept""#) && shown.contains(r#"value="return""#));
    form(&net.zhen, &path, &[("action", "comment"), ("words", "好看")]).await.expect(303);
    form(&net.zhen, &path, &[("action", "comment"), ("words", "x"), ("at", "abc")])
        .await
        .expect(422);
    let silent = form(&net.zhen, &path, &[("action", "return"), ("reason", "")]).await.expect(422);
    assert!(silent.text().contains("退回要写明理由"));
    form(&net.zhen, &path, &[("action", "return"), ("reason", "重拍")]).await.expect(303);
    form(&net.lin, &studio, &[("action", "publish")]).await.expect(303);
    form(&net.lin, &studio, &[("action", "take-back")]).await.expect(303);
    form(&net.lin, &studio, &[("action", "publish")]).await.expect(303);
    form(&net.zhen, &path, &[("action", "accept")]).await.expect(303);
    form(&net.xian, &path, &[("action", "accept")]).await.expect(303);
    assert_eq!(stage(&net.app.nobody(), &id).await, "published");
    let reason = [("action", "withdraw"), ("reason", "涉及隐私"), ("words", "有电话号码")];
    form(&net.zhen, &path, &reason).await.expect(303);
    assert!(page(&net.lin, &studio).await.expect(200).text().contains("涉及隐私：有电话号码"));
    form(&net.lin, &studio, &[("action", "appeal"), ("words", "打了码")]).await.expect(303);
    let shown = page(&net.xian, "/review/appeals").await.expect(200).text();
    let of = shown.split(r#"name="of" value=""#).nth(1).and_then(|rest| rest.split('"').next());
    let of = of.expect("an appeal");
    let no = [("of", of), ("verdict", "rejected"), ("answer", "还看得清")];
    form(&net.xian, "/review/appeals", &no).await.expect(303);
    assert!(page(&net.lin, &studio).await.expect(200).text().contains("还看得清"));
    let chain = "/review/libraries/village";
    page(&net.shu, chain).await.expect(200);
    form(
        &net.shu,
        chain,
        &[("name", ""), ("who", "library.reviewer"), ("account", ""), ("days", "3")],
    )
    .await
    .expect(403);
    let one = [("name", "初审"), ("who", "library.librarian"), ("account", ""), ("days", "2")];
    form(&net.admin, chain, &one).await.expect(303);
    let now = net.admin.get("/api/libraries/village/review").await.expect(200).json();
    assert_eq!(
        (&now["steps"][0]["name"], &now["steps"][0]["level"]),
        (&json!("初审"), &json!("library"))
    );
}
