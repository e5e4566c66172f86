//! Metadata: every field by the API and by both forms, what refuses it, what carries it; and who
//! vouches for what is local.

use std::time::Duration;

use duoku::catalogue::Role;
use http::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, eventually};
use crate::client::{Answer, Client, answer, encode, text_of};
use crate::fixture;

const TREE: &str = "code,name\n\
    371100,日照社区大学\n\
    371103,岚山区社区教育学院\n\
    371103001,岚山头街道社区教育中心\n\
    371103001001,官草汪村社区教育学校\n\
    371102,东港区社区教育学院\n";

/// A village's public library, one of its people's, and an internal one.
struct Net {
    app: TestApp,
    admin: Client,
    /// Author in the village.
    lin: Client,
    /// Reviewer of the township.
    zhen: Client,
    /// Reviewer of another district.
    other: Client,
    /// Librarian of the village's library, not of the organisation.
    shu: Client,
}

impl Net {
    async fn start() -> Self {
        let app = TestApp::start();
        let write = |name: &str, text: &str| {
            let path = app.data().join(name);
            std::fs::write(&path, text).expect("written");
            path.display().to_string()
        };
        app.ran(&["organisation", "import", &write("tree.csv", TREE)]);
        let libraries = "slug,name,owner,visibility,publishing\n\
            village,官草汪村库,371103001001,public,automatic\n\
            inside,岚山内部库,371103001001,internal,automatic\n\
            slow,东港库,371102,public,manual\n";
        app.ran(&["library", "create", "--from", &write("libraries.csv", libraries)]);
        let lin = app.person("lin", &[("village", Role::Author), ("slow", Role::Author)]).await;
        let zhen = at(&app, "zhen", "371103001", Role::Reviewer).await;
        let other = at(&app, "other", "371102", Role::Reviewer).await;
        let shu = app.person("shu", &[("village", Role::Librarian)]).await;
        Self { admin: app.admin().await, lin, zhen, other, shu, app }
    }

    async fn picture(&self, library: &str, number: u32, title: &str) -> String {
        let by = if library == "inside" { &self.admin } else { &self.lin };
        let id = by.upload_into(library, "p.bmp", title, &fixture::picture(number)).await;
        by.settled(&id).await;
        id
    }
}

async fn at(app: &TestApp, name: &str, code: &str, role: Role) -> Client {
    let client = app.person(name, &[]).await;
    app.ran(&["user", "grant", name, "--organisation", code, "--role", role.as_str()]);
    client
}

async fn patch(client: &Client, id: &str, body: &Value) -> Answer {
    client.send(Method::PATCH, &format!("/api/resources/{id}"), body).await
}

async fn vouch(client: &Client, id: &str, organisation: &str) -> Answer {
    let body = json!({ "organisation": organisation, "note": "看着他长大的" });
    client.send(Method::POST, &format!("/api/resources/{id}/vouchers"), &body).await
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

fn everything() -> Value {
    json!({
        "keywords": ["织网", "拉网"],
        "contributors": [{ "name": "王丽", "role": "teacher" }, { "name": "赵强", "role": "camera" }],
        "publisher": "岚山文化馆",
        "made": "2019-05",
        "place": "官草汪",
        "place_code": "371103001001",
        "difficulty": "very-easy",
        "learning_minutes": 90,
        "rights_holder": "官草汪村",
        "evidence": "permission",
        "evidence_words": "本人书面同意",
        "evidence_paper": "村委会三号柜",
        "source_url": "https://source.example/1",
        "local": {
            "origin": "岚山区官草汪", "bearer": "王秀英", "dialect": "jiaoliao",
            "dialect_words": "安东卫口音", "heritage": "city",
        },
    })
}

/// `patched` holds every field of `said`.
#[track_caller]
fn holds(patched: &Value, said: &Value) {
    for (name, value) in said.as_object().expect("fields") {
        assert_eq!(&patched[name], value, "{name}");
    }
}

#[tokio::test]
async fn every_field_is_kept_told_and_carried() {
    let net = Net::start().await;
    let id = net.picture("village", 1, "黄海渔民编网").await;
    let said = everything();
    holds(&patch(&net.lin, &id, &said).await.expect(200).json(), &said);
    // What is left out stays; what is emptied goes.
    let less = json!({ "place": "", "learning_minutes": 0, "keywords": [] });
    let patched = patch(&net.lin, &id, &less).await.expect(200).json();
    assert_eq!(patched["place"], "");
    assert_eq!((&patched["learning_minutes"], &patched["keywords"]), (&Value::Null, &json!([])));
    assert_eq!(patched["local"], said["local"]);
    let gone = patch(&net.lin, &id, &json!({ "local": null })).await.expect(200).json();
    assert_eq!(gone["local"], Value::Null);
    patch(&net.lin, &id, &said).await.expect(200);

    let nobody = net.app.nobody();
    let public = nobody.get(&format!("/api/resources/{id}")).await.expect(200).json();
    assert_eq!(public["evidence_paper"], Value::Null, "the cupboard is nobody's business");
    assert_eq!(public["evidence_words"], "本人书面同意");
    let html = page(&nobody, &format!("/resources/{id}")).await.expect(200).text();
    for text in ["地方特色", "王秀英", "胶辽官话", "市级非遗", "织网", "权利人", "source.example"]
    {
        assert!(html.contains(text), "{text}");
    }
    assert!(html.contains("\"timeRequired\":\"PT90M\"") && html.contains("\"keywords\":[\"织网\""));
    assert!(html.contains("name=\"DC.coverage\"") && !html.contains("三号柜"));
    for (prefix, texts) in [
        (
            "oai_dc",
            &["<dc:contributor>王丽（主讲）", "<dc:date>2019-05<", "<dc:source>", ">织网<"][..],
        ),
        ("lom", &["ROLE:主讲", "<value>very easy<", "PT1H30M0S", "isbasedon", "371103001001"]),
    ] {
        let path = format!("/oai?verb=ListRecords&metadataPrefix={prefix}&set=library.village");
        let records = eventually(prefix, Duration::from_secs(10), || async {
            let text = nobody.get(&path).await.expect(200).text();
            Some(text).filter(|text| text.contains("王秀英"))
        })
        .await;
        for text in texts {
            assert!(records.contains(text), "{text} in {prefix}");
        }
        assert!(!records.contains("三号柜"));
    }
}

#[tokio::test]
async fn what_is_said_is_found_and_local_is_a_filter() {
    let net = Net::start().await;
    let id = net.picture("village", 1, "第一课").await;
    net.picture("village", 2, "第二课").await;
    patch(&net.lin, &id, &everything()).await.expect(200);
    let nobody = net.app.nobody();
    for word in ["拉网", "王秀英", "官草汪", "安东卫口音", "胶辽官话", "王丽"] {
        eventually(word, Duration::from_secs(15), || async {
            (nobody.found(word).await == [id.clone()]).then_some(())
        })
        .await;
    }
    let found = nobody.get("/api/search?q=&local=true").await.expect(200).json();
    assert_eq!(found["total"], 1);
    assert_eq!(found["facets"]["local"], json!([["true", 1]]));
    assert_eq!(nobody.get("/api/search?q=&local=vouched").await.expect(200).json()["total"], 0);
    let html = page(&nobody, "/search?q=&local=true").await.expect(200).text();
    assert!(html.contains("第一课") && !html.contains("第二课"));
}

#[tokio::test]
async fn each_refusal_names_its_field() {
    let net = Net::start().await;
    let id = net.picture("village", 1, "编网").await;
    for (field, value, word) in [
        ("keywords", json!(["长".repeat(61)]), "关键词"),
        ("keywords", json!((0..31).map(|n| n.to_string()).collect::<Vec<_>>()), "关键词"),
        ("contributors", json!([{ "name": "a", "role": "king" }]), "参与者"),
        ("publisher", json!("长".repeat(201)), "出版者"),
        ("made", json!("去年"), "制作时间"),
        ("place_code", json!("37"), "行政区划代码"),
        ("difficulty", json!("hard"), "难度"),
        ("learning_minutes", json!(60_001), "学习时长"),
        ("evidence", json!("hearsay"), "权利依据"),
        ("source_url", json!("javascript:alert(1)"), "来源网址"),
        ("local", json!({ "origin": "" }), "来自哪里"),
        ("local", json!({ "origin": "村", "dialect": "klingon" }), "方言"),
        ("local", json!({ "origin": "村", "heritage": "world" }), "非遗级别"),
    ] {
        let refused = patch(&net.lin, &id, &json!({ field: value })).await.expect(422).json();
        assert_eq!(refused["code"], "bad_field", "{field}");
        assert!(text_of(&refused["detail"]).contains(word), "{field}");
    }
    // Nothing that is not the author's to say.
    for field in ["vouchers", "stage", "published", "uploaded_by", "local_mark", "vouched", "tags"]
    {
        let refused = patch(&net.lin, &id, &json!({ field: "x" })).await.expect(422).json();
        assert_eq!(refused["code"], "unknown_field", "{field}");
        assert!(text_of(&refused["detail"]).contains(field));
    }
    let inner = json!({ "local": { "origin": "村", "vouched": true } });
    patch(&net.lin, &id, &inner).await.expect(422);
    let draft = json!({ "library": "village", "title": "a", "stage": "published" });
    let refused = net.lin.send(Method::POST, "/api/resources", &draft).await.expect(422).json();
    assert_eq!(refused["code"], "unknown_field");
    let mut draft = everything();
    draft["library"] = json!("village");
    draft["title"] = json!("草稿");
    let made = net.lin.send(Method::POST, "/api/resources", &draft).await.expect(201).json();
    holds(&made, &everything());
    // Others do not change it, nobody does not see it.
    patch(&net.zhen, &id, &json!({ "place": "x" })).await.expect(403);
    patch(&net.app.nobody(), &id, &json!({ "place": "x" })).await.expect(401);
}

#[tokio::test]
async fn the_lists_are_published() {
    let app = TestApp::start();
    let all = app.nobody().get("/api/vocabularies").await.expect(200).json();
    let names: Vec<&str> =
        all.as_array().expect("a list").iter().map(|one| text_of(&one["name"])).collect();
    for name in ["topics", "audiences", "languages", "licences", "evidence", "dialects", "heritage"]
    {
        assert!(names.contains(&name), "{name}");
    }
    let dialects = app.nobody().get("/api/vocabularies/dialects").await.expect(200).json();
    let known = dialects["terms"].as_array().expect("terms");
    assert!(
        known.contains(&json!({ "code": "jiaoliao", "zh": "胶辽官话", "en": "Jiaoliao Mandarin" }))
    );
    app.nobody().get("/api/vocabularies/planets").await.expect(404);
}

#[tokio::test]
async fn only_reviewers_of_its_place_vouch_and_it_is_seen_and_logged() {
    let net = Net::start().await;
    let id = net.picture("village", 1, "渔民号子").await;
    let town = "371103001";
    let vouchers = format!("/api/resources/{id}/vouchers");
    assert_eq!(vouch(&net.zhen, &id, town).await.expect(409).json()["code"], "not_local");
    patch(&net.lin, &id, &everything()).await.expect(200);

    vouch(&net.app.nobody(), &id, town).await.expect(401);
    for client in [&net.lin, &net.other, &net.shu] {
        vouch(client, &id, town).await.expect(403);
    }
    // A reviewer of another branch does not vouch in their own organisation's name either.
    vouch(&net.other, &id, "371102").await.expect(403);
    vouch(&net.zhen, &id, "nowhere").await.expect(404);
    vouch(&net.zhen, &id, &"0".repeat(32)).await.expect(404);
    let foreign = json!({ "organisation": town, "level": "city" });
    net.zhen.send(Method::POST, &vouchers, &foreign).await.expect(422);

    let given = vouch(&net.zhen, &id, town).await.expect(201).json();
    assert_eq!((&given[0]["level"], &given[0]["stands"]), (&json!("township"), &json!(true)));
    assert_eq!(vouch(&net.zhen, &id, town).await.expect(409).json()["code"], "vouched_already");
    let public = net.app.nobody().get(&vouchers).await.expect(200).json();
    assert_eq!((&public[0]["by"], &public[0]["note"]), (&Value::Null, &json!("看着他长大的")));
    let resource = net.app.nobody().get(&format!("/api/resources/{id}")).await.expect(200).json();
    assert_eq!(resource["vouchers"][0]["organisation"], "岚山头街道社区教育中心");
    let html = page(&net.app.nobody(), &format!("/resources/{id}")).await.expect(200).text();
    assert!(html.contains("认证机构") && html.contains("岚山头街道社区教育中心"));
    let home = page(&net.app.nobody(), "/").await.expect(200).text();
    assert!(home.contains("乡土珍藏") && home.contains("渔民号子"));
    eventually("the filter", Duration::from_secs(15), || async {
        let found = net.app.nobody().get("/api/search?q=&local=vouched").await.expect(200).json();
        (found["total"] == 1).then_some(())
    })
    .await;

    let log = net.admin.get("/api/audit?action=vouch").await.expect(200).json();
    let entry =
        log["items"].as_array().expect("a list").iter().find(|one| one["action"] == "vouch");
    let entry = entry.expect("in the log").to_string();
    assert!(entry.contains(&id) && entry.contains("township") && entry.contains("王秀英"));
    net.app.ran(&["audit", "verify"]);

    let path = format!("{vouchers}/{}", text_of(&given[0]["id"]));
    net.other.delete(&path).await.expect(403);
    net.lin.delete(&path).await.expect(403);
    net.zhen.delete(&path).await.expect(204);
    net.zhen.delete(&path).await.expect(409);
    assert_eq!(net.app.nobody().get(&vouchers).await.expect(200).json(), json!([]));
    assert_eq!(net.zhen.get(&vouchers).await.expect(200).json()[0]["stands"], false);
    let home = page(&net.app.nobody(), "/").await.expect(200).text();
    assert!(!home.contains("乡土珍藏"));
}

#[tokio::test]
async fn a_voucher_ends_with_the_mark_that_it_was_for() {
    let net = Net::start().await;
    let id = net.picture("village", 1, "渔民号子").await;
    patch(&net.lin, &id, &everything()).await.expect(200);
    let town = "371103001";
    vouch(&net.zhen, &id, town).await.expect(201);
    let vouched = async || {
        let resource = net.lin.get(&format!("/api/resources/{id}")).await.expect(200).json();
        resource["vouchers"].as_array().expect("a list").len()
    };
    patch(&net.lin, &id, &json!({ "title": "新标题", "place": "别处" })).await.expect(200);
    assert_eq!(vouched().await, 1, "that was about something else");
    let mut local = everything()["local"].clone();
    local["bearer"] = json!("别人");
    patch(&net.lin, &id, &json!({ "local": local })).await.expect(200);
    assert_eq!(vouched().await, 0);
    let home = page(&net.app.nobody(), "/").await.expect(200).text();
    assert!(!home.contains("乡土珍藏"));
    vouch(&net.zhen, &id, town).await.expect(201);
    assert_eq!(vouched().await, 1);
}

#[tokio::test]
async fn what_is_internal_is_vouched_for_inside_only() {
    let net = Net::start().await;
    let id = net.picture("inside", 1, "内部的号子").await;
    patch(&net.admin, &id, &everything()).await.expect(200);
    let town = "371103001";
    let vouchers = format!("/api/resources/{id}/vouchers");
    for client in [&net.app.nobody(), &net.lin, &net.other] {
        client.get(&vouchers).await.expect(404);
    }
    vouch(&net.other, &id, town).await.expect(404);
    vouch(&net.zhen, &id, town).await.expect(201);
    for client in [&net.app.nobody(), &net.zhen, &net.admin] {
        let home = page(client, "/").await.expect(200).text();
        assert!(!home.contains("内部的号子"));
        let found = client.get("/api/search?q=&local=true").await.expect(200).json();
        assert_eq!(found["total"], 0);
    }
    page(&net.app.nobody(), &format!("/resources/{id}/vouch")).await.expect(303);
    page(&net.other, &format!("/resources/{id}/vouch")).await.expect(404);
}

#[tokio::test]
async fn the_short_form_offers_guesses_and_keeps_nothing_unconfirmed() {
    let net = Net::start().await;
    let picture = fixture::picture(1);
    let name = "03-黄海渔民编网技艺_20231012.bmp";
    let id = net.lin.upload_into("slow", name, "", &picture).await;
    net.lin.settled(&id).await;
    let path = format!("/studio/resources/{id}/short");
    let html = page(&net.lin, &path).await.expect(200).text();
    assert!(html.contains("value=\"黄海渔民编网技艺\"") && html.contains("猜的"));
    assert!(
        html.contains("value=\"culture-arts\" checked")
            && html.contains("value=\"farmers\" checked")
    );
    assert!(
        html.contains("name=\"local\" value=\"yes\" checked") && html.contains("value=\"东港区\"")
    );
    assert!(html.contains("全部确认，发布"));
    let kept = net.lin.get(&format!("/api/resources/{id}")).await.expect(200).json();
    assert_eq!((&kept["topics"], &kept["local"]), (&json!([]), &Value::Null), "only shown");

    let fields = [
        ("title", "黄海渔民编网"),
        ("topics", "culture-arts"),
        ("audiences", "farmers"),
        ("author", "林"),
        ("local", "yes"),
        ("local.origin", "官草汪"),
        ("action", "confirm"),
    ];
    let refused = form(&net.lin, &path, &fields).await.expect(422).text();
    assert!(refused.contains("凭什么可以公开") && refused.contains("value=\"官草汪\""));
    let mut all = fields.to_vec();
    all.push(("evidence", "own"));
    let mut nowhere = all.clone();
    nowhere.retain(|(name, _)| *name != "local.origin");
    assert!(form(&net.lin, &path, &nowhere).await.expect(422).text().contains("来自哪里"));
    form(&net.lin, &path, &all).await.expect(303);
    let kept = net.app.nobody().get(&format!("/api/resources/{id}")).await.expect(200).json();
    assert_eq!((&kept["stage"], &kept["title"]), (&json!("published"), &json!("黄海渔民编网")));
    assert_eq!((&kept["evidence"], &kept["local"]["origin"]), (&json!("own"), &json!("官草汪")));
    page(&net.zhen, &path).await.expect(403);
    page(&net.app.nobody(), &path).await.expect(303);
}

#[tokio::test]
async fn the_full_form_has_every_field_and_says_what_is_wrong_beside_it() {
    let net = Net::start().await;
    let id = net.picture("village", 1, "编网").await;
    let path = format!("/studio/resources/{id}");
    let html = page(&net.lin, &path).await.expect(200).text();
    for name in [
        "keywords",
        "place",
        "place_code",
        "difficulty",
        "learning_minutes",
        "contributor_role",
        "contributor_name",
        "publisher",
        "made",
        "rights_holder",
        "evidence",
        "evidence_words",
        "evidence_paper",
        "source_url",
        "local",
        "local.origin",
        "local.bearer",
        "local.dialect",
        "local.dialect_words",
        "local.heritage",
    ] {
        assert!(html.contains(&format!("name=\"{name}\"")), "{name}");
    }
    let fields = [
        ("particulars", "1"),
        ("action", "save"),
        ("title", "编网"),
        ("keywords", "织网、拉网，渔具"),
        ("contributor_role", "teacher"),
        ("contributor_name", "王丽"),
        ("contributor_role", "teacher"),
        ("contributor_name", ""),
        ("made", "去年"),
        ("local", "yes"),
        ("local.origin", "官草汪"),
    ];
    let refused = form(&net.lin, &path, &fields).await.expect(422).text();
    assert!(refused.contains("id=\"refused-made\"") && refused.contains("value=\"王丽\""));
    let fields: Vec<_> =
        fields.iter().map(|(n, v)| (*n, if *n == "made" { "2019" } else { *v })).collect();
    form(&net.lin, &path, &fields).await.expect(303);
    let kept = net.lin.get(&format!("/api/resources/{id}")).await.expect(200).json();
    assert_eq!(kept["keywords"], json!(["织网", "拉网", "渔具"]));
    assert_eq!(kept["contributors"], json!([{ "name": "王丽", "role": "teacher" }]));
    assert_eq!((&kept["made"], &kept["local"]["origin"]), (&json!("2019"), &json!("官草汪")));
}
