//! People: from a table, seen and changed by those who look after them, in teams.

use std::time::{Duration, Instant};

use duoku::catalogue::Role;
use http::Method;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::client::{Answer, Client, answer, text_of};

const TREE: &str =
    "code,name\n371100,市\n371102,东区\n371103,西区\n371102001,东镇\n371103001,西镇\n";

/// A net with a library in each district and in the eastern township.
pub(crate) async fn net() -> TestApp {
    let app = TestApp::start();
    for (name, text) in [
        ("tree.csv", TREE),
        (
            "libraries.csv",
            "slug,name,owner\neast,东库,371102\nwest,西库,371103\nsmall,镇库,371102001\n",
        ),
    ] {
        std::fs::write(app.desk().join(name), text).expect("written");
    }
    app.ran(&["organisation", "import", &desk(&app, "tree.csv")]);
    app.ran(&["library", "create", "--from", &desk(&app, "libraries.csv")]);
    app
}

fn desk(app: &TestApp, name: &str) -> String {
    app.desk().join(name).display().to_string()
}

/// Somebody with a role on an organisation.
pub(crate) async fn holder(app: &TestApp, name: &str, code: &str, role: Role) -> Client {
    let client = app.person(name, &[]).await;
    app.ran(&["user", "grant", name, "--organisation", code, "--role", role.as_str()]);
    client
}

pub(crate) async fn add(client: &Client, body: Value) -> Answer {
    client.send(Method::POST, "/api/people", &body).await
}

/// Adds somebody, who must be taken; gives their id.
pub(crate) async fn added(client: &Client, name: &str, organisation: &str) -> String {
    let body = json!({ "name": name, "organisation": organisation });
    let answer = add(client, body).await.expect(201);
    text_of(&answer.json()["id"]).to_owned()
}

async fn names(client: &Client, query: &str) -> Vec<String> {
    let page = client.get(&format!("/api/people?per_page=500&{query}")).await.expect(200).json();
    let items = page["items"].as_array().expect("a list");
    assert_eq!(page["total"], json!(items.len()), "the count is that of the rows");
    let mut names: Vec<String> = items.iter().map(|one| text_of(&one["name"]).to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn two_thousand_people_come_by_one_command() {
    let app = net().await;
    let mut table = String::from("name,display_name,phone,email,organisation,role,library\n");
    for number in 0..2000 {
        let (code, library) = [("371102001", "small"), ("371103001", "")][number % 2];
        let role = ["author", "learner", "teacher"][number % 3];
        table += &format!("p{number},人{number},138{number:08},,{code},{role},{library}\n");
    }
    std::fs::write(app.desk().join("people.csv"), &table).expect("written");
    let (from, links) = (desk(&app, "people.csv"), desk(&app, "links.csv"));
    let tried = app.ran(&["user", "add", "--from", &from, "--dry-run"]);
    assert!(tried.contains("added 2000"), "{tried}");
    assert_eq!(app.ran(&["user", "list"]).lines().count(), 1, "nothing was made yet");
    let begun = Instant::now();
    let done = app.ran(&["user", "add", "--from", &from, "--links", &links]);
    let took = begun.elapsed();
    assert!(done.contains("added 2000") && done.contains("granted 2000"), "{done}");
    assert!(took < Duration::from_secs(40), "{took:?}");
    let again = app.ran(&["user", "add", "--from", &from]);
    assert!(again.contains("added 0") && again.contains("there 2000"), "{again}");
    assert!(again.contains("granted 0"), "{again}");

    let links = std::fs::read_to_string(links).expect("links");
    assert_eq!(links.lines().count(), 2001);
    let line = links.lines().find(|line| line.starts_with("p7,")).expect("one for each");
    let path = format!("/start/{}", line.rsplit_once("/start/").expect("a link").1);
    let nobody = app.nobody();
    let form = nobody.get(&path).await.expect(200);
    assert!(form.text().contains("人7"), "it greets its owner");
    let body = "password=a+long+secret&again=a+long+secret";
    let chosen = answer(form_of(&nobody, &path, body)).await.expect(303);
    assert!(chosen.header("set-cookie").starts_with("duoku_session="));
    nobody.get(&path).await.expect(422);
    let by_phone = json!({ "name": "138 0000 0007", "password": "a long secret" });
    let session = nobody.send(Method::POST, "/api/session", &by_phone).await.expect(200);
    assert_eq!(session.json()["name"], "p7");
    app.ran(&["audit", "verify"]);
}

pub(crate) fn form_of(client: &Client, path: &str, body: &str) -> reqwest::RequestBuilder {
    client
        .ask(Method::POST, path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.to_owned())
}

#[tokio::test]
async fn a_table_with_wrong_lines_is_told_line_by_line_and_makes_nothing() {
    let app = net().await;
    let admin = app.admin().await;
    let table = "name,display_name,phone,organisation,role,library\n\
        good,好,13800000001,371102,author,\n\
        ,无名,,371102,,\n\
        bad phone,x,13800000002,371102,,\n\
        two,二,123,371102,,\n\
        three,三,,371199,,\n\
        four,四,,371102,king,\n\
        five,五,,,author,nowhere\n\
        six,六,13800000001,371102,,\n";
    let post = |path: &str| {
        answer(admin.ask(Method::POST, path).header("content-type", "text/csv").body(table))
    };
    let refused = post("/api/people/import").await.expect(422).json();
    let lines: Vec<i64> = refused["problems"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["line"].as_i64().expect("a number"))
        .collect();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8, 9]);
    assert!(text_of(&refused["problems"][3]["detail"]).contains("371199"));
    post("/api/people/import?dry_run=true").await.expect(200);
    assert_eq!(names(&admin, "").await, ["admin"]);

    // A branch's administrator takes only their own.
    let east = holder(&app, "dong", "371102", Role::Administrator).await;
    let table = "name,organisation,role\na,371102001,author\nb,371103,author\n";
    let request = east.ask(Method::POST, "/api/people/import").body(table);
    let refused = answer(request).await.expect(422).json();
    assert_eq!(refused["problems"].as_array().expect("a list").len(), 1);
    assert_eq!(refused["problems"][0]["line"], 3);
    let request = east
        .ask(Method::POST, "/api/people/import?links=true")
        .body("name,organisation,role\na,371102001,审核员\n");
    let taken = answer(request).await.expect(200).json();
    assert!(text_of(&taken["links"][0]["link"]).contains("/start/"), "for whoever has no password");
}

#[tokio::test]
async fn who_looks_after_a_branch_sees_and_changes_only_its_people() {
    let app = net().await;
    let admin = app.admin().await;
    let east = holder(&app, "dong", "371102", Role::Administrator).await;
    let west = holder(&app, "xi", "371103", Role::Librarian).await;
    let (here, there) =
        (added(&east, "lin", "371102001").await, added(&west, "wei", "371103").await);
    assert_eq!(add(&east, json!({ "name": "x", "organisation": "371103" })).await.status, 403);
    assert_eq!(add(&east, json!({ "name": "x" })).await.status, 403, "nobody's");
    assert_eq!(names(&east, "").await, ["dong", "lin"]);
    assert_eq!(names(&west, "").await, ["wei", "xi"]);
    assert_eq!(names(&east, "organisation=371103").await, Vec::<String>::new());
    assert_eq!(names(&east, "q=wei").await, Vec::<String>::new());
    assert_eq!(names(&east, "q=%25").await, Vec::<String>::new(), "not a pattern");
    assert_eq!(names(&admin, "").await, ["admin", "dong", "lin", "wei", "xi"]);
    let csv = east.get("/api/people?format=csv").await.expect(200).text();
    assert!(csv.contains("lin") && !csv.contains("wei"), "the table as well");

    // Whoever has a role here is seen here, but is their home's to change.
    let grant = json!({ "account": there, "role": "author", "organisation": "371102" });
    let grants = "/api/grants";
    assert_eq!(east.send(Method::POST, grants, &grant).await.status, 404, "not seen yet");
    let grant = json!({ "account": there, "role": "author", "library": "east" });
    admin.send(Method::POST, grants, &grant).await.expect(201);
    assert_eq!(names(&east, "").await, ["dong", "lin", "wei"]);
    let patch = json!({ "display_name": "改了" });
    let path = format!("/api/people/{there}");
    assert_eq!(east.send(Method::PATCH, &path, &patch).await.status, 403);
    assert_eq!(east.post(&format!("{path}/reset")).await.status, 403);
    // And holds a role elsewhere, which their own librarian could not give.
    assert_eq!(west.send(Method::PATCH, &path, &patch).await.status, 403);
    let held = west.get(&format!("/api/grants?account={there}")).await.expect(200).json();
    assert_eq!(held["items"], json!([]), "roles of another branch are not shown");
    let held = east.get(&format!("/api/grants?account={there}")).await.expect(200).json();
    let grant = text_of(&held["items"][0]["id"]).to_owned();
    assert_eq!(west.delete(&format!("/api/grants/{grant}")).await.status, 404);
    east.delete(&format!("/api/grants/{grant}")).await.expect(204);
    west.send(Method::PATCH, &path, &patch).await.expect(200);

    let patch = json!({ "organisation": "371103" });
    let path = format!("/api/people/{here}");
    assert_eq!(east.send(Method::PATCH, &path, &patch).await.status, 403, "into another branch");
    let disabled = json!({ "disabled": true });
    east.send(Method::PATCH, &path, &disabled).await.expect(200);
    assert_eq!(names(&east, "disabled=true").await, ["lin"]);
}

#[tokio::test]
async fn what_is_not_ones_own_looks_as_if_it_were_missing() {
    let app = net().await;
    let admin = app.admin().await;
    let east = holder(&app, "dong", "371102", Role::Administrator).await;
    let person = added(&admin, "wei", "371103").await;
    let new = json!({ "name": "西组", "organisation": "371103" });
    let team = admin.send(Method::POST, "/api/teams", &new).await.expect(201).json();
    let team = text_of(&team["id"]);
    let new = json!({ "role": "author", "library": "west" });
    let invitation = admin.send(Method::POST, "/api/invitations", &new).await.expect(201).json();
    let invitation = text_of(&invitation["id"]);
    let new = json!({ "account": person, "role": "author", "library": "west" });
    let grant = admin.send(Method::POST, "/api/grants", &new).await.expect(201).json();
    let grant = text_of(&grant["id"]);
    let missing = "0198c0de000070008000000000000000";
    let none = json!({});
    for (method, path, id, body) in [
        (Method::GET, "/api/people/{}", person.as_str(), &none),
        (Method::PATCH, "/api/people/{}", &person, &none),
        (Method::POST, "/api/people/{}/reset", &person, &none),
        (Method::GET, "/admin/people/{}", &person, &none),
        (Method::GET, "/api/teams/{}", team, &none),
        (Method::PATCH, "/api/teams/{}", team, &json!({ "name": "x" })),
        (Method::DELETE, "/api/teams/{}", team, &none),
        (Method::GET, "/admin/teams/{}", team, &none),
        (Method::PUT, &format!("/api/teams/{team}/members/{{}}"), &person, &none),
        (Method::DELETE, "/api/invitations/{}", invitation, &none),
        (Method::DELETE, "/api/grants/{}", grant, &none),
        (Method::GET, "/admin/libraries/{}", "west", &none),
        (Method::DELETE, "/api/sessions/{}", missing, &none),
        (Method::DELETE, "/api/tokens/{}", missing, &none),
    ] {
        let ask = async |id: &str| {
            answer(east.ask(method.clone(), &path.replace("{}", id)).json(body)).await.expect(404)
        };
        let (private, missing, no_id) = (ask(id).await, ask(missing).await, ask("x%00y").await);
        assert_eq!(private.text(), missing.text(), "{method} {path}");
        assert_eq!(no_id.text(), missing.text(), "{method} {path}");
    }
    for path in ["/api/teams", "/api/invitations", "/api/grants"] {
        let listed = east.get(path).await.expect(200).text();
        let others = [person.as_str(), team, invitation, grant];
        assert!(others.iter().all(|id| !listed.contains(id)), "{path}");
    }
    // Those who look after nothing, and nobody.
    let learner = app.person("zhao", &[]).await;
    for path in [
        "/api/people",
        "/api/people?format=csv",
        "/api/people/tokens",
        "/api/grants",
        "/api/teams",
        "/api/invitations",
        "/api/audit",
    ] {
        assert_eq!(learner.get(path).await.status, 403, "{path}");
        assert_eq!(app.nobody().get(path).await.status, 401, "{path}");
    }
    assert_eq!(east.get("/api/audit").await.status, 403, "it tells of the whole net");
}

#[tokio::test]
async fn nobody_gives_more_than_they_have_by_any_way() {
    let app = net().await;
    let admin = app.admin().await;
    let librarian = holder(&app, "shu", "371102", Role::Librarian).await;
    let own = text_of(&librarian.get("/api/me").await.json()["id"]).to_owned();
    let chief = added(&admin, "chief", "371102").await;
    let give = async |role: &str, on: (&str, &str), to: (&str, &str)| {
        let body = json!({ "role": role, on.0: on.1, to.0: to.1 });
        librarian.send(Method::POST, "/api/grants", &body).await.status
    };
    let (east, me) = (("organisation", "371102"), ("account", own.as_str()));
    assert_eq!(give("administrator", east, me).await, 403);
    assert_eq!(give("librarian", east, me).await, 403);
    assert_eq!(give("reviewer", east, me).await, 201);
    assert_eq!(give("learner", ("organisation", "371100"), me).await, 403, "above");
    assert_eq!(give("learner", ("library", "west"), me).await, 404, "elsewhere");

    // A password is not set for somebody who holds more.
    let body = json!({ "account": chief, "role": "administrator", "organisation": "371102" });
    admin.send(Method::POST, "/api/grants", &body).await.expect(201);
    let reset = format!("/api/people/{chief}/reset");
    assert_eq!(librarian.post(&reset).await.status, 403);
    let invite = json!({ "role": "administrator", "organisation": "371102" });
    assert_eq!(librarian.send(Method::POST, "/api/invitations", &invite).await.status, 403);

    // Nor by a team that was given more from above.
    let body = json!({ "name": "东组", "organisation": "371102" });
    let team = librarian.send(Method::POST, "/api/teams", &body).await.expect(201).json();
    let team = text_of(&team["id"]);
    let member = format!("/api/teams/{team}/members/{own}");
    let put = async || answer(librarian.ask(Method::PUT, &member)).await.status;
    assert_eq!(put().await, 204);
    let body = json!({ "team": team, "role": "author", "organisation": "371103" });
    admin.send(Method::POST, "/api/grants", &body).await.expect(201);
    librarian.delete(&member).await.expect(403);
    assert_eq!(put().await, 403);
    let added = admin.get("/api/people?organisation=371103").await.json();
    assert_eq!(added["total"], 0, "the team's people are not listed as granted there by name");
    let west = holder(&app, "xi", "371103", Role::Administrator).await;
    assert_eq!(names(&west, "").await, ["shu", "xi"], "by the team they have a role there");
}

#[tokio::test]
async fn fields_that_are_nobody_s_to_set_are_refused() {
    let app = net().await;
    let admin = app.admin().await;
    let id = added(&admin, "lin", "371102").await;
    let person = format!("/api/people/{id}");
    for (method, path, body) in [
        (Method::POST, "/api/people", json!({ "name": "x", "administrator": true })),
        (Method::POST, "/api/people", json!({ "name": "x", "password": "a long secret" })),
        (Method::PATCH, &person, json!({ "administrator": true })),
        (Method::PATCH, &person, json!({ "name": "admin" })),
        (Method::PATCH, &person, json!({ "role": "administrator" })),
        (Method::PATCH, "/api/me", json!({ "organisation": "371102" })),
        (Method::PATCH, "/api/me", json!({ "role": "administrator" })),
        (Method::PATCH, "/api/me", json!({ "disabled": false })),
        (Method::POST, "/api/tokens", json!({ "scopes": ["read"], "account": id })),
        (Method::POST, "/api/tokens", json!({ "scopes": ["root"] })),
        (Method::POST, "/api/tokens", json!({ "scopes": [] })),
        (Method::POST, "/api/tokens", json!({ "scopes": ["read"], "days": -1 })),
        (Method::POST, "/api/teams", json!({ "name": "x", "id": id })),
        (Method::POST, "/api/teams", json!({ "name": " " })),
        (
            Method::POST,
            "/api/invitations",
            json!({ "role": "author", "library": "east", "uses_left": 9 }),
        ),
        (
            Method::POST,
            "/api/invitations",
            json!({ "role": "author", "library": "east", "uses": 0 }),
        ),
        (
            Method::POST,
            "/api/invitations",
            json!({ "role": "author", "library": "east", "days": 5000 }),
        ),
        (Method::POST, "/api/invitations", json!({ "role": "author" })),
        (
            Method::POST,
            "/api/grants",
            json!({ "account": id, "role": "author", "library": "east", "id": "x" }),
        ),
        (
            Method::POST,
            "/api/grants",
            json!({ "account": id, "role": "author", "library": "east", "ends": "soon" }),
        ),
        (
            Method::POST,
            "/api/grants",
            json!({ "account": id, "role": "author", "library": "east", "ends": "2020-01-01T00:00:00Z" }),
        ),
        (Method::PATCH, &person, json!({ "phone": "12" })),
        (Method::PATCH, &person, json!({ "email": "nobody" })),
        (Method::PATCH, &person, json!({ "display_name": "" })),
    ] {
        let answer = admin.send(method.clone(), path, &body).await;
        assert_eq!(answer.status, 422, "{method} {path} {body}");
    }
    let phone = json!({ "phone": "0633-8781234" });
    admin.send(Method::PATCH, &person, &phone).await.expect(200);
    admin.send(Method::PATCH, "/api/me", &phone).await.expect(409);
    add(&admin, json!({ "name": "LIN" })).await.expect(409);
}

#[tokio::test]
async fn people_go_with_their_organisation() {
    let app = net().await;
    let admin = app.admin().await;
    let west = holder(&app, "xi", "371103", Role::Administrator).await;
    let id = added(&admin, "lin", "371102001").await;
    let path = format!("/api/people/{id}");
    assert_eq!(west.get(&path).await.status, 404);
    app.ran(&["organisation", "move", "371102001", "--under", "371103"]);
    west.get(&path).await.expect(200);
    app.ran(&["organisation", "merge", "371102001", "--into", "371103001"]);
    let merged = admin.get("/api/organisations/371103001").await.json()["id"].clone();
    assert_eq!(west.get(&path).await.expect(200).json()["organisation"], merged);
    app.ran(&["library", "give", "small", "--owner", "371103"]);
    app.ran(&["organisation", "close", "371103001"]);
    let above = admin.get("/api/organisations/371103").await.json()["id"].clone();
    assert_eq!(west.get(&path).await.expect(200).json()["organisation"], above);
}
