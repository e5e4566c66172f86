//! The tree of organisations: from a table, by API, moved, merged and closed; roles reach down it.

use duoku::catalogue::Role;
use duoku::db::grants::{Grantee, Scope};
use duoku::db::{self};
use http::Method;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::client::Client;

const TABLE: &str = "code,name,level,parent,contact\n\
    371102001001,安泰社区学校,,,王老师 0633-0000001\n\
    371100,日照社区大学,,,\n\
    371102,东港区社区教育学院,,,\n\
    371103,岚山区社区教育学院,,,\n\
    371102001,日照街道社区教育中心,,,\n";

/// An installation with the table's organisations and a library for each that is asked for.
async fn net(libraries: &str) -> TestApp {
    let app = TestApp::start();
    write(&app, "tree.csv", TABLE);
    write(&app, "libraries.csv", libraries);
    let table = app.data().join("tree.csv").display().to_string();
    assert!(app.ran(&["organisation", "import", &table, "--dry-run"]).contains("added 5"));
    assert!(app.ran(&["organisation", "import", &table]).contains("added 5"));
    assert!(app.ran(&["organisation", "import", &table]).contains("unchanged 5"));
    let table = app.data().join("libraries.csv").display().to_string();
    app.ran(&["library", "create", "--from", &table]);
    app
}

fn write(app: &TestApp, name: &str, text: &str) {
    std::fs::write(app.data().join(name), text).expect("written");
}

async fn with_role(app: &TestApp, name: &str, code: &str, role: Role) -> Client {
    let client = app.person(name, &[]).await;
    app.ran(&["user", "grant", name, "--organisation", code, "--role", role.as_str()]);
    client
}

async fn id_of(client: &Client, code: &str) -> String {
    let found = client.get(&format!("/api/organisations/{code}")).await.json();
    found["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_table_makes_the_tree_and_a_wrong_line_makes_nothing() {
    let app = net("slug,name\n").await;
    let all = app.nobody().get("/api/organisations").await.json();
    let names: Vec<_> =
        all["items"].as_array().expect("a list").iter().map(|one| &one["name"]).collect();
    assert_eq!(names[0], "日照社区大学");
    let below = app.nobody().get("/api/organisations?parent=371102001").await.json();
    assert_eq!(below["items"][0]["name"], "安泰社区学校");
    assert_eq!(below["items"][0]["level"], "community");

    write(&app, "wrong.csv", "code,name\n371104,莒县社区教育学院\n371199001,无上级\n");
    let wrong = app.data().join("wrong.csv").display().to_string();
    let said = app.run(&["organisation", "import", &wrong]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("line 3") && said.err.contains("371199"), "{}", said.err);
    assert_eq!(app.nobody().get("/api/organisations/371104").await.status, 404);
}

#[tokio::test]
async fn a_city_and_its_sixty_seven_libraries_are_made_by_two_commands() {
    let app = TestApp::start();
    let example = |name: &str| format!("{}/docs/examples/{name}", env!("CARGO_MANIFEST_DIR"));
    app.ran(&["organisation", "import", &example("divisions-371100.csv")]);
    let made = app.ran(&["library", "create", "--from", &example("libraries-371100.csv")]);
    assert!(made.contains("67"), "{made}");
    let township = app.nobody().get("/api/organisations/371102001").await.json();
    let library = app.nobody().get("/api/libraries/t371102001").await.json();
    assert_eq!(library["owner"], township["id"]);
    app.ran(&["library", "create", "--from", &example("libraries-371100.csv")]);
    let all = app.nobody().get("/api/libraries?per_page=500").await.json();
    assert_eq!(all["items"].as_array().expect("a list").len(), 68, "with main, none twice");
}

#[tokio::test]
async fn a_role_on_an_organisation_reaches_down_and_moves_with_it() {
    let app = net("slug,name,owner,visibility\n\
         village,村库,371102001001,internal\n\
         lanshan,岚山库,371103,internal\n")
    .await;
    let east = with_role(&app, "dong", "371102", Role::Librarian).await;
    let west = with_role(&app, "lan", "371103", Role::Librarian).await;
    let sees = async |client: &Client, slug: &str| {
        client.get(&format!("/api/libraries/{slug}")).await.status
    };
    assert_eq!((sees(&east, "village").await, sees(&east, "lanshan").await), (200, 404));
    assert_eq!((sees(&west, "village").await, sees(&west, "lanshan").await), (404, 200));
    assert_eq!(sees(&app.nobody(), "village").await, 404);

    // The township goes to the other district, with the village below it.
    app.ran(&["organisation", "move", "371102001", "--under", "371103"]);
    assert_eq!((sees(&east, "village").await, sees(&west, "village").await), (404, 200));
    let patch = json!({ "description": "村里的库" });
    let path = "/api/libraries/village";
    assert_eq!(west.send(Method::PATCH, path, &patch).await.status, 200);
    assert_eq!(east.send(Method::PATCH, path, &patch).await.status, 404);
    app.ran(&["user", "revoke", "lan", "--organisation", "371103"]);
    assert_eq!(sees(&west, "village").await, 404);
}

#[tokio::test]
async fn a_role_that_is_granted_for_a_time_ends() {
    let app = net("slug,name,owner,visibility\nvillage,村库,371102001001,internal\n").await;
    let wei = app.person("wei", &[]).await;
    let db = app.db().await;
    let mut tx = db.begin().await.expect("a transaction");
    let account = db::accounts::find_by_name(&mut tx, "wei", 0).await.expect("read");
    let library = db::libraries::find_by_slug(&mut tx, "village").await.expect("read");
    let (to, on) =
        (Grantee::Account(account.expect("there").id), Scope::Library(library.expect("there").id));
    db::grants::grant(&mut tx, to, Role::Learner, on, 0, Some(1)).await.expect("granted");
    tx.commit().await.expect("committed");
    assert_eq!(wei.get("/api/libraries/village").await.status, 404, "it ended in 1970");
    let mut tx = db.begin().await.expect("a transaction");
    db::grants::grant(&mut tx, to, Role::Learner, on, 0, None).await.expect("granted");
    tx.commit().await.expect("committed");
    db.close().await;
    assert_eq!(wei.get("/api/libraries/village").await.status, 200);
}

#[tokio::test]
async fn what_is_merged_or_closed_keeps_its_history() {
    let app = net("slug,name,owner\nvillage,村库,371102001001\n").await;
    let admin = app.admin().await;
    let (east, west) = (id_of(&admin, "371102").await, id_of(&admin, "371103").await);
    let path = format!("/api/organisations/{east}");
    assert_eq!(admin.post(&format!("{path}/close")).await.status, 409, "it has a township");
    let merge = json!({ "into": "371102001" });
    let into_own = admin.send(Method::POST, &format!("{path}/merge"), &merge).await;
    assert_eq!(into_own.status, 422, "below itself");
    let merge = json!({ "into": "371103" });
    let answer = admin.send(Method::POST, &format!("{path}/merge"), &merge).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["merged_into"], json!(west));
    let moved = admin.get("/api/organisations/371102001").await.json();
    assert_eq!(moved["parent"], json!(west));

    // Sent in October by the village: October's numbers stay with the district of then.
    let db = app.db().await;
    let mut tx = db.begin().await.expect("a transaction");
    sqlx::query("UPDATE organisation_place SET from_ms = 0 WHERE until_ms IS NOT NULL")
        .execute(&mut *tx)
        .await
        .expect("updated");
    sqlx::query("UPDATE organisation_place SET from_ms = 1 WHERE from_ms > 0 AND organisation NOT IN (SELECT organisation FROM organisation_place WHERE from_ms = 0)")
        .execute(&mut *tx)
        .await
        .expect("updated");
    sqlx::query("UPDATE library_owner SET from_ms = 1").execute(&mut *tx).await.expect("updated");
    let library = db::libraries::find_by_slug(&mut tx, "village").await.expect("read");
    let sent = db::traffic::Day { day: "2026-10-05".into(), answers: 7, bytes: 700 };
    db::traffic::add(&mut tx, library.expect("there").id, &sent).await.expect("added");
    tx.commit().await.expect("committed");
    db.close().await;
    let numbers = async |id: &str, when: &str| -> Value {
        admin.get(&format!("/api/organisations/{id}/numbers?{when}")).await.json()
    };
    let october = "from=2026-10-01&to=2026-10-31";
    assert_eq!(numbers(&east, october).await["answers"], 7);
    assert_eq!(numbers(&west, october).await["answers"], 0);
    assert_eq!(numbers("371100", october).await["answers"], 7);
    assert_eq!(numbers(&west, "from=2026-10-01").await["libraries"], 1);
    assert_eq!(numbers(&east, "from=2026-10-01").await["libraries"], 0);
}

#[tokio::test]
async fn only_administrators_of_a_branch_change_it() {
    let app = net("slug,name\n").await;
    let east = with_role(&app, "dong", "371102", Role::Administrator).await;
    let librarian = with_role(&app, "shu", "371102", Role::Librarian).await;
    let new = json!({ "name": "石臼街道社区教育中心", "code": "371102002" });
    let post = async |client: &Client, new: &Value| {
        client.send(Method::POST, "/api/organisations", new).await.status
    };
    assert_eq!(post(&app.nobody(), &new).await, 401);
    assert_eq!(post(&librarian, &new).await, 403);
    assert_eq!(post(&east, &new).await, 201);
    assert_eq!(post(&east, &new).await, 409, "the code is taken");
    assert_eq!(post(&east, &json!({ "name": "碑廓镇", "code": "371103101" })).await, 403);
    assert_eq!(post(&east, &json!({ "name": "另一个市", "level": "city" })).await, 403);
    assert_eq!(post(&east, &json!({ "name": "村", "code": "37" })).await, 422);
    let path = "/api/organisations/371102002";
    let patch = async |patch: Value| east.send(Method::PATCH, path, &patch).await.status;
    assert_eq!(patch(json!({ "contact": "李老师" })).await, 200);
    assert_eq!(patch(json!({ "parent": "371103" })).await, 403, "nothing to say there");
    assert_eq!(patch(json!({ "id": "x" })).await, 422, "no such field");
    let library = json!({ "slug": "shijiu", "name": "石臼库", "owner": "371102002" });
    assert_eq!(east.send(Method::POST, "/api/libraries", &library).await.status, 201);
    assert_eq!(
        librarian
            .send(Method::PATCH, "/api/libraries/shijiu", &json!({ "quota_bytes": 5 }))
            .await
            .status,
        403
    );
    assert_eq!(
        east.send(Method::PATCH, "/api/libraries/shijiu", &json!({ "quota_bytes": 5 }))
            .await
            .status,
        200
    );
}
