//! Resources as tables, both ways, and changes of many at once.

use std::io::Write as _;
use std::time::Duration;

use duoku::catalogue::{
    Details, FileType, Library, Publishing, Resource, ResourceId, Role, Slug, Stage,
};
use duoku::db;
use http::Method;
use rust_xlsxwriter::{Formula, Workbook};
use serde_json::{Value, json};

use crate::app::{TestApp, eventually};
use crate::client::{Answer, Client, answer, text_of};

/// Makes a library.
async fn library(app: &TestApp, slug: &str) {
    let db = app.db().await;
    let mut tx = db.begin().await.expect("a transaction");
    let slug = slug.parse::<Slug>().expect("a slug");
    let library = Library { publishing: Publishing::Manual, ..Library::new(slug, "库", 0) };
    db::libraries::insert(&mut tx, &library).await.expect("inserted");
    tx.commit().await.expect("committed");
    db.close().await;
}

/// Makes resources without media, of `author`, in the library `slug`; gives their ids.
async fn resources(
    app: &TestApp,
    slug: &str,
    author: &str,
    stage: Stage,
    titles: &[String],
) -> Vec<String> {
    let db = app.db().await;
    let mut tx = db.begin().await.expect("a transaction");
    let library = db::libraries::find_by_slug(&mut tx, slug).await.expect("read").expect("there");
    let author = db::accounts::find_by_name(&mut tx, author, 0).await.expect("read");
    let author = author.expect("an account").id;
    let file_type = FileType::by_content("a.pdf", b"%PDF-1.7").expect("a type");
    let mut ids = Vec::new();
    for (at, title) in (1..).zip(titles) {
        let details = Details { title: title.clone(), ..Details::default() };
        let mut resource = Resource::draft(library.id, author, details, 1000 + at)
            .with_source("a.pdf", file_type, 1);
        db::resources::insert(&mut tx, &mut resource).await.expect("inserted");
        resource.stage = stage;
        resource.jobs_left = 0;
        resource.published_ms = (stage == Stage::Published).then_some(2000 + at);
        db::resources::save(&mut tx, &mut resource, 3000).await.expect("saved");
        ids.push(resource.id.to_string());
    }
    tx.commit().await.expect("committed");
    db.close().await;
    ids
}

fn titles(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

async fn export(client: &Client, query: &str) -> String {
    let answer = client.get(&format!("/api/resources.csv?editable=true&{query}")).await.expect(200);
    assert!(answer.text().starts_with('\u{feff}'), "with its mark");
    answer.text()
}

async fn send(client: &Client, query: &str, table: impl Into<Vec<u8>>) -> Answer {
    let request = client.ask(Method::POST, &format!("/api/resources/import?{query}"));
    answer(request.header("content-type", "text/csv").body(table.into())).await
}

async fn details(client: &Client, id: &str) -> Value {
    client.get(&format!("/api/resources/{id}")).await.expect(200).json()
}

/// Row number, column and code of each problem of a batch.
fn problems(batch: &Value) -> Vec<(i64, String, String)> {
    let rows = batch["rows"].as_array().expect("rows");
    let of = |row: &Value| {
        let number = row["number"].as_i64().expect("a number");
        let each = row["problems"].as_array().expect("a list").iter();
        each.map(|one| {
            (number, text_of(&one["column"]).to_owned(), text_of(&one["code"]).to_owned())
        })
        .collect::<Vec<_>>()
    };
    rows.iter().flat_map(of).collect()
}

fn counts(batch: &Value) -> [i64; 5] {
    ["total", "unchanged", "planned", "refused", "done"]
        .map(|n| batch[n].as_i64().expect("a number"))
}

#[tokio::test]
async fn a_table_goes_out_is_changed_and_comes_back() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let ids = resources(&app, "main", "admin", Stage::Published, &titles(&["剪纸", "编网"])).await;
    let table = export(&admin, "library=main").await;
    assert!(table.lines().next().expect("a heading").contains("标题"), "in Chinese");
    let same = send(&admin, "dry_run=true", table.clone()).await.expect(200).json();
    assert_eq!(counts(&same), [2, 2, 0, 0, 0], "what was not changed changes nothing");

    let line = table.lines().find(|line| line.contains("剪纸")).expect("a row");
    let changed = line.replacen("剪纸", "窗花剪纸", 1);
    let table = table.replace(line, &changed);
    let seen = send(&admin, "dry_run=true&name=a.csv", table).await.expect(200).json();
    assert_eq!(counts(&seen), [2, 1, 1, 0, 0]);
    assert_eq!(seen["state"], "seen");
    let change = &seen["rows"][0]["changes"][0];
    let told = ["column", "heading", "before", "after"].map(|name| text_of(&change[name]));
    assert_eq!(told, ["title", "标题", "剪纸", "窗花剪纸"]);
    assert_eq!(details(&admin, &ids[0]).await["title"], "剪纸", "nothing is done yet");

    let path = format!("/api/batches/{}", text_of(&seen["id"]));
    app.nobody().get(&path).await.expect(401);
    app.person("other", &[("main", Role::Librarian)]).await.get(&path).await.expect(404);
    let done = admin.post(&format!("{path}/apply")).await.expect(200).json();
    assert_eq!((counts(&done), text_of(&done["state"])), ([2, 1, 0, 0, 1], "done"));
    assert_eq!(details(&admin, &ids[0]).await["title"], "窗花剪纸");
    let again = admin.post(&format!("{path}/apply")).await.expect(200).json();
    assert_eq!(again["ended"], done["ended"], "it is done once");
    eventually("it is found", Duration::from_secs(10), || async {
        admin.found("窗花").await.contains(&ids[0]).then_some(())
    })
    .await;
    let report = admin.get(&format!("{path}/rows.csv")).await.expect(200).text();
    assert!(report.lines().count() == 2 && report.contains("标题,剪纸,窗花剪纸"), "{report}");
    let log = admin.get(&format!("/api/audit?subject={}", ids[0])).await.expect(200).json();
    assert_eq!(log["items"].as_array().expect("a list").len(), 1, "one row of the log");
    app.ran(&["audit", "verify"]);
}

#[tokio::test]
async fn whatever_is_said_comes_back_from_both_kinds_of_table() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let odd = ["=1+1", "'=1+1", "+86 10", "-", "@x", "a,b;\"c\"", "_x000D_", "𠮷 🦀", "007", "1e5"];
    resources(&app, "main", "admin", Stage::Ready, &titles(&odd)).await;
    let ids = resources(&app, "main", "admin", Stage::Ready, &titles(&["文"])).await;
    let patch = json!({ "description": "一\r\n=二\u{b}\n\t三", "topics": ["law", "science"],
        "language": "zh", "licence": "CC-BY-4.0", "author": "林;张" });
    admin.send(Method::PATCH, &format!("/api/resources/{}", ids[0]), &patch).await.expect(200);
    let csv = export(&admin, "library=main").await;
    assert!(csv.contains(",'=1+1,") && csv.contains("'@x"), "no formulas");
    let codes = export(&admin, "library=main&codes=true").await;
    assert!(
        codes.contains("law; science")
            && codes.lines().next().expect("a line").contains("id,title")
    );
    let ask = admin.ask(Method::GET, "/api/resources.xlsx?editable=true&library=main&lang=en");
    let xlsx = answer(ask).await.expect(200);
    assert!(xlsx.body.starts_with(b"PK"));
    for table in [csv.into_bytes(), codes.into_bytes(), xlsx.body.to_vec()] {
        let batch = send(&admin, "dry_run=true", table).await.expect(200).json();
        assert_eq!(counts(&batch), [11, 11, 0, 0, 0], "{:#?}", batch["rows"]);
    }
}

#[tokio::test]
async fn a_spreadsheet_s_values_are_taken_and_its_formulas_not_computed() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let ids = resources(&app, "main", "admin", Stage::Ready, &titles(&["一", "二", "三"])).await;
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (at, heading) in (0..).zip(["编号", "标题", "主题"]) {
        sheet.write_string(0, at, heading).expect("written");
    }
    for (row, id) in [(1, &ids[0]), (2, &ids[1]), (4, &ids[2])] {
        sheet.write_string(row, 0, id).expect("written");
    }
    let kept =
        Formula::new("=HYPERLINK(\"http://127.0.0.1:1/\")&[1]Other!A1").set_result("缓存的值");
    sheet.write_formula(1, 1, kept).expect("written");
    sheet.write_number(2, 1, 2026.0).expect("written");
    sheet.write_string(4, 1, "三").expect("written");
    sheet.write_string(4, 2, "法治教育、没有的主题").expect("written");
    let bytes = book.save_to_buffer().expect("a file");
    let batch = send(&admin, "", bytes).await.expect(200).json();
    assert_eq!(counts(&batch), [3, 0, 0, 1, 2], "{:#?}", batch["rows"]);
    assert_eq!(problems(&batch), [(5, "topics".to_owned(), "bad_value".to_owned())]);
    let detail = text_of(&batch["rows"][2]["problems"][0]["detail"]);
    assert!(detail.contains("没有的主题"), "{detail}");
    assert_eq!(details(&admin, &ids[0]).await["title"], "缓存的值");
    assert_eq!(details(&admin, &ids[1]).await["title"], "2026");
    let notes = batch["notes"].as_array().expect("a list");
    assert!(text_of(&notes[0]).contains("修改序号"), "it is told what is not guarded");
}

#[tokio::test]
async fn what_others_changed_since_is_left_alone() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let ids = resources(&app, "main", "admin", Stage::Ready, &titles(&["旧一", "旧二"])).await;
    let table = export(&admin, "library=main").await.replace("旧", "新");
    let seen = send(&admin, "dry_run=true", table.clone()).await.expect(200).json();
    let path = format!("/api/resources/{}", ids[0]);
    admin.send(Method::PATCH, &path, &json!({ "author": "别人" })).await.expect(200);
    // Between the look and the making.
    let made =
        admin.post(&format!("/api/batches/{}/apply", text_of(&seen["id"]))).await.expect(200);
    let made = made.json();
    assert_eq!((made["done"].as_i64(), made["failed"].as_i64()), (Some(1), Some(1)));
    assert_eq!(problems(&made)[0].2, "row_changed");
    assert_eq!(details(&admin, &ids[0]).await["title"], "旧一");
    // Between the export and the look.
    let late = send(&admin, "dry_run=true", table.clone()).await.expect(200).json();
    assert_eq!(problems(&late), [(2, "changed".to_owned(), "row_changed".to_owned())]);
    let over = send(&admin, "overwrite=true", table).await.expect(200).json();
    assert_eq!(over["done"], 1, "{:#?}", over["rows"]);
    let now = details(&admin, &ids[0]).await;
    assert_eq!(
        (text_of(&now["title"]), text_of(&now["author"])),
        ("新一", ""),
        "as the table says"
    );
}

#[tokio::test]
async fn nothing_is_changed_that_is_not_the_caller_s() {
    let app = TestApp::start();
    library(&app, "east").await;
    library(&app, "west").await;
    let lin = app.person("lin", &[("east", Role::Author)]).await;
    let shu = app.person("shu", &[("east", Role::Librarian)]).await;
    let own = resources(&app, "east", "lin", Stage::Ready, &titles(&["我的"])).await;
    let colleague = resources(&app, "east", "shu", Stage::Ready, &titles(&["同事的"])).await;
    let public = resources(&app, "west", "admin", Stage::Published, &titles(&["西边公开的"])).await;
    let hidden = resources(&app, "west", "admin", Stage::Ready, &titles(&["西边没公开的"])).await;
    let gone = ResourceId::fresh().to_string();
    let mut table = String::from("id,title\n");
    for id in [&own[0], &colleague[0], &public[0], &hidden[0], &gone] {
        table += &format!("{id},改了\n");
    }
    table += "不是编号,改了\n,改了\n";
    table += &format!("{},又一次\n", own[0]);
    let batch = send(&lin, "", table.clone()).await.expect(200).json();
    assert_eq!(counts(&batch), [8, 0, 0, 7, 1]);
    let told = problems(&batch);
    let missing = |row: i64| (row, "id".to_owned(), "row_missing".to_owned());
    assert_eq!(told[..5], [missing(3), missing(4), missing(5), missing(6), missing(7)]);
    assert_eq!((told[5].2.as_str(), told[6].2.as_str()), ("row_no_id", "row_twice"));
    assert!(batch["rows"].as_array().expect("rows").iter().all(|r| r["title"] != "西边没公开的"));
    let batch = send(&shu, "dry_run=true", table).await.expect(200).json();
    assert_eq!(counts(&batch), [8, 1, 1, 6, 0], "a librarian changes what is in the library");

    // Exports show what may be seen, and no more.
    let seen = lin.get("/api/resources.csv").await.expect(200).text();
    assert!(seen.contains("西边公开的") && !seen.contains("没公开的") && !seen.contains("我的"));
    let editable = export(&lin, "").await;
    assert!(
        editable.contains("改了") && !editable.contains("同事的") && !editable.contains("西边")
    );
    assert!(export(&shu, "library=east").await.contains("同事的"));
    lin.get("/api/resources.csv?editable=true&library=west").await.expect(403);
    lin.get("/api/resources.csv?library=none").await.expect(404);
    app.nobody().get("/api/resources.csv?editable=true").await.expect(401);
    send(&app.nobody(), "", "id,title\n").await.expect(401);
    let wei = app.person("wei", &[("east", Role::Learner)]).await;
    send(&wei, "", "id,title\n").await.expect(403);
}

#[tokio::test]
async fn columns_that_are_to_be_read_stay_as_they_are() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let ids = resources(&app, "main", "admin", Stage::Ready, &titles(&["一"])).await;
    let id = &ids[0];
    for (table, code, named) in [
        (format!("id,uploaded_by\n{id},somebody\n"), "table_unknown", "uploaded_by"),
        ("title\n一\n".to_owned(), "table_no_id", "编号"),
        (format!("id,title,标题\n{id},a,b\n"), "table_twice", "标题"),
        (" \n".to_owned(), "table_empty", ""),
    ] {
        let refused = send(&admin, "", table).await.expect(422).json();
        assert_eq!(refused["code"], code);
        assert!(text_of(&refused["detail"]).contains(named), "{refused}");
    }
    let table = format!("id,title,stage,状态2\n{id},二,published,x\n").replace(",状态2", "");
    let batch = send(&admin, "", table).await.expect(200).json();
    let told = problems(&batch);
    assert_eq!(told[0].2, "row_long", "a cell without a heading is told");
    assert_eq!(told[1], (2, "stage".to_owned(), "row_fixed".to_owned()));
    let empty =
        send(&admin, "", format!("id,title,language\n{id},,no language\n")).await.expect(200);
    let told: Vec<String> = problems(&empty.json()).into_iter().map(|(.., code)| code).collect();
    assert_eq!(told, ["row_needed", "bad_value"]);
    let same = format!("编号,标题,状态\n{id},二,待发布\n");
    assert_eq!(send(&admin, "", same).await.expect(200).json()["done"], 1);
    assert_eq!(details(&admin, id).await["stage"], "ready");
}

#[tokio::test]
async fn a_chinese_excel_s_csv_is_understood() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let ids = resources(&app, "main", "admin", Stage::Ready, &titles(&["一"])).await;
    let table = format!(
        "编号,标题,适用人群,语言,许可\r\n{},\"渔家编网\r\n第二行\",老年人；农民,中文,知识共享 署名\r\n",
        ids[0]
    );
    let bytes = encoding_rs::GB18030.encode(&table).0.into_owned();
    assert_eq!(send(&admin, "", bytes).await.expect(200).json()["done"], 1);
    let now = details(&admin, &ids[0]).await;
    assert_eq!(now["audiences"], json!(["elders", "farmers"]));
    assert_eq!((text_of(&now["language"]), text_of(&now["licence"])), ("zh", "CC-BY-4.0"));
    assert_eq!(now["title"], "渔家编网\n第二行");
}

#[tokio::test]
async fn hostile_spreadsheets_are_refused() {
    let app = TestApp::with(&[("DUOKU_TABLES_MAX_ROWS", "3"), ("DUOKU_TABLES_MAX_CELLS", "9")]);
    let admin = app.admin().await;
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for row in 0..5 {
        sheet.write_string(row, 0, "id").expect("written");
    }
    let rows = book.save_to_buffer().expect("a file");
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for at in 0..10 {
        sheet.write_string(0, at, "x").expect("written");
    }
    let cells = book.save_to_buffer().expect("a file");
    let small = Workbook::new().save_to_buffer();
    for (bytes, code) in [
        (rows, "table_rows"),
        (cells, "table_cells"),
        (bomb(), "archive_bomb"),
        (b"PK\x03\x04not an archive".to_vec(), "archive_damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 an old one".to_vec(), "table_old"),
        (b"id\n1\n2\n3\n4\n".to_vec(), "table_rows"),
        (small.unwrap_or_default(), "table_empty"),
    ] {
        let refused = send(&admin, "", bytes).await;
        assert_eq!((refused.status, text_of(&refused.json()["code"])), (422, code));
        assert!(!text_of(&refused.json()["detail"]).is_empty());
    }
    assert!(app.server().own_memory_kb() < 400_000, "the bomb burst elsewhere");
}

/// A spreadsheet whose sheet inflates to 400 MB.
fn bomb() -> Vec<u8> {
    use zip::write::SimpleFileOptions;
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("xl/worksheets/sheet1.xml", SimpleFileOptions::default()).expect("begun");
    let blank = vec![b' '; 1 << 20];
    for _ in 0..400 {
        archive.write_all(&blank).expect("written");
    }
    archive.finish().expect("ended").into_inner()
}

#[tokio::test]
async fn what_is_published_goes_to_its_library_s_review() {
    let app = TestApp::start();
    library(&app, "east").await;
    let admin = app.admin().await;
    let steps = json!({ "steps": [{ "name": "初审", "level": "library", "role": "librarian", "days": 3 }] });
    admin.send(Method::PUT, "/api/libraries/east/review", &steps).await.expect(200);
    let lin = app.person("lin", &[("east", Role::Author)]).await;
    let shu = app.person("shu", &[("east", Role::Librarian)]).await;
    let ids = resources(&app, "east", "lin", Stage::Published, &titles(&["已发布"])).await;
    let ready = resources(&app, "east", "lin", Stage::Ready, &titles(&["还没发布"])).await;
    let table = format!("id,title\n{},新标题\n{},新的\n", ids[0], ready[0]);
    let seen = send(&lin, "dry_run=true", table.clone()).await.expect(200).json();
    assert_eq!((seen["planned"].as_i64(), seen["planned_for_review"].as_i64()), (Some(2), Some(1)));
    let made = lin.post(&format!("/api/batches/{}/apply", text_of(&seen["id"]))).await.expect(200);
    let made = made.json();
    assert_eq!((made["done"].as_i64(), made["handed_in"].as_i64()), (Some(1), Some(1)));
    assert_eq!(details(&lin, &ids[0]).await["title"], "已发布", "until it was accepted");
    let again = send(&lin, "", table.replace("新标题", "更新的标题")).await.expect(200).json();
    assert_eq!(problems(&again), [(2, String::new(), "in_review".to_owned())]);

    // Published and withdrawn by the same rules.
    let publish = json!({ "ids": [ready[0], ids[0]], "action": "publish" });
    let made = lin.send(Method::POST, "/api/resources/bulk", &publish).await.expect(200).json();
    assert_eq!((made["handed_in"].as_i64(), made["unchanged"].as_i64()), (Some(1), Some(1)));
    assert_eq!(details(&lin, &ready[0]).await["stage"], "submitted");
    let mut withdraw = json!({ "ids": ids, "action": "withdraw" });
    let refused = shu.send(Method::POST, "/api/resources/bulk", &withdraw).await.expect(200).json();
    assert_eq!(problems(&refused)[0].2, "row_reason");
    withdraw["reason"] = json!("有误");
    let done = shu.send(Method::POST, "/api/resources/bulk", &withdraw).await.expect(200).json();
    assert_eq!(done["done"], 1, "{:#?}", done["rows"]);
    assert_eq!(details(&lin, &ids[0]).await["stage"], "withdrawn");
    app.ran(&["audit", "verify"]);
}

#[tokio::test]
async fn many_are_changed_by_a_choice_in_the_list() {
    let app = TestApp::start();
    library(&app, "east").await;
    let shu = app.person("shu", &[("east", Role::Librarian)]).await;
    let ids = resources(&app, "east", "shu", Stage::Ready, &titles(&["一", "二", "三"])).await;
    let foreign = resources(&app, "main", "admin", Stage::Published, &titles(&["别处"])).await;
    let bulk = async |body: Value| shu.send(Method::POST, "/api/resources/bulk", &body).await;
    let some = json!({ "dry_run": true, "ids": [ids[0], foreign[0], ids[0]],
        "set": { "licence": "CC-BY-4.0" }, "add": { "topics": ["law", "science"] } });
    let seen = bulk(some.clone()).await.expect(200).json();
    assert_eq!(counts(&seen), [2, 0, 1, 1, 0]);
    assert_eq!(problems(&seen)[0].2, "row_missing");
    assert_eq!(details(&shu, &ids[0]).await["topics"], json!([]));
    let mut made = some;
    made["dry_run"] = json!(false);
    assert_eq!(bulk(made).await.expect(200).json()["done"], 1);
    let all = json!({ "filter": { "library": "east", "stage": "ready" },
        "add": { "topics": ["law"] }, "remove": { "topics": ["science"] } });
    let done = bulk(all).await.expect(200).json();
    assert_eq!(counts(&done), [3, 0, 0, 0, 3]);
    assert_eq!(details(&shu, &ids[0]).await["topics"], json!(["law"]));
    assert_eq!(details(&shu, &ids[2]).await["topics"], json!(["law"]));
    for wrong in [
        json!({ "ids": ids, "set": { "stage": "published" } }),
        json!({ "ids": ids, "set": { "uploaded_by": "x" } }),
        json!({ "ids": ids, "add": { "title": ["x"] } }),
        json!({ "ids": ids }),
    ] {
        bulk(wrong).await.expect(422);
    }
    bulk(json!({ "ids": [], "set": {} })).await.expect(400);
    bulk(json!({ "filter": { "library": "main" }, "set": { "author": "x" } })).await.expect(403);
    let bad = bulk(json!({ "ids": ids, "add": { "topics": ["nonsense"] } })).await.expect(200);
    assert_eq!(counts(&bad.json()), [3, 0, 0, 3, 0], "each is told");
}

#[tokio::test]
async fn a_batch_whose_server_is_killed_is_made_to_its_end_and_once() {
    let mut app = TestApp::start();
    let names: Vec<String> = (0..600).map(|n| format!("旧{n}")).collect();
    let ids = resources(&app, "main", "admin", Stage::Ready, &names).await;
    let admin = app.admin().await;
    let table = export(&admin, "library=main").await.replace("旧", "新");
    let seen = send(&admin, "dry_run=true", table).await.expect(200).json();
    assert_eq!(counts(&seen), [600, 0, 600, 0, 0]);
    let path = format!("/api/batches/{}", text_of(&seen["id"]));
    let begun = admin.ask(Method::POST, &format!("{path}/apply"));
    let begun = tokio::spawn(async move { begun.send().await.is_ok() });
    let looked = admin.clone();
    eventually("some are made", Duration::from_secs(20), || async {
        let now = looked.get(&path).await.expect(200).json();
        let done = now["done"].as_i64()?;
        assert!(done < 600, "too quick for this test");
        (done > 0).then_some(())
    })
    .await;
    app.kill();
    begun.await.expect("it ended");
    app.serve(&[]);
    let admin = admin.at(app.address());
    let done = eventually("all are made", Duration::from_secs(120), || async {
        let now = admin.get(&path).await.expect(200).json();
        (now["state"] == "done").then_some(now)
    })
    .await;
    assert_eq!(counts(&done), [600, 0, 0, 0, 600], "none failed");
    for at in [0, 300, 599] {
        assert_eq!(details(&admin, &ids[at]).await["title"], json!(format!("新{at}")));
    }
    let db = app.db().await;
    let mut tx = db.begin().await.expect("a transaction");
    let edits: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE action = 'edit'")
        .fetch_one(&mut *tx)
        .await
        .expect("read");
    assert_eq!(edits, 600, "one row of the log for each");
    drop(tx);
    db.close().await;
    app.ran(&["audit", "verify"]);
}

#[tokio::test]
async fn tables_go_by_command_too() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let ids = resources(&app, "main", "admin", Stage::Ready, &titles(&["旧一", "旧二"])).await;
    let path = |name: &str| app.desk().join(name).display().to_string();
    for name in ["out.csv", "out.xlsx"] {
        app.ran(&["export", "--library", "main", "--out", &path(name)]);
        let said = app.ran(&["metadata", "import", &path(name), "--dry-run"]);
        assert!(said.contains("rows 2") && said.contains("unchanged 2"), "{said}");
    }
    let table = std::fs::read_to_string(path("out.csv")).expect("written");
    let table = table.replace("旧", "新") + "nothing,x\n";
    std::fs::write(path("in.csv"), table).expect("written");
    let said = app.run(&["metadata", "import", &path("in.csv"), "--report", &path("report.csv")]);
    assert_eq!(said.code, 2, "one was refused: {said:?}");
    assert!(said.out.contains("done 2") && said.out.contains("refused 1"), "{said:?}");
    assert_eq!(details(&admin, &ids[1]).await["title"], "新二");
    let report = std::fs::read_to_string(path("report.csv")).expect("a report");
    assert_eq!(report.lines().count(), 4, "{report}");
    assert_ne!(app.run(&["export", "--library", "main", "--out", &path("out.txt")]).code, 0);
}

#[tokio::test]
async fn it_all_goes_by_pages() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let ids = resources(&app, "main", "admin", Stage::Ready, &titles(&["旧一", "<b>旧二"])).await;
    let list = admin.get("/studio").await.expect(200).text();
    assert!(
        list.contains("用表格修改")
            && list.contains(&format!("value=\"{}\" form=\"many\"", ids[0]))
    );
    let form = admin.get(&format!("/studio/bulk?id={}&id={}", ids[0], ids[1])).await.expect(200);
    assert!(form.text().contains("旧一") && form.text().contains("&lt;b&gt;旧二"));
    admin.get("/studio/bulk?library=main&all=true").await.expect(200);
    admin.get("/studio/bulk?library=main").await.expect(303);
    let post = async |path: &str, body: String| {
        let request = admin.ask(Method::POST, path);
        answer(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    };
    let nothing = post("/studio/bulk", format!("act=edit&id={}", ids[0])).await.expect(422);
    assert!(nothing.text().contains("请选择要修改什么"));
    let body = format!(
        "act=edit&id={}&id={}&set.author=lin&list.topics=add%3Alaw&list.topics=",
        ids[0], ids[1]
    );
    let made = post("/studio/bulk", body).await.expect(303);
    let batch = made.header("location").to_owned();
    let seen = admin.get(&batch).await.expect(200).text();
    assert!(
        seen.contains("确认修改") && seen.contains("法治教育") && seen.contains("&lt;b&gt;旧二")
    );
    assert_eq!(details(&admin, &ids[0]).await["author"], "");
    post(&batch, "act=apply".into()).await.expect(303);
    assert!(admin.get(&batch).await.expect(200).text().contains("修改结果"));
    assert_eq!(details(&admin, &ids[0]).await["author"], "lin");

    admin.get("/studio/tables").await.expect(200);
    let upload = |text: &str| {
        let part = reqwest::multipart::Part::bytes(text.as_bytes().to_vec()).file_name("表.csv");
        let form = reqwest::multipart::Form::new().part("file", part);
        answer(admin.ask(Method::POST, "/studio/tables").multipart(form))
    };
    let refused = upload("id,x\n1,2\n").await.expect(422);
    assert!(refused.text().contains("不认识这一列"));
    let sent = upload(&format!("id,title\n{},新一\n", ids[0])).await.expect(303);
    let page = admin.get(sent.header("location")).await.expect(200).text();
    assert!(page.contains("表.csv") && page.contains("新一") && page.contains("修改序号"));
    let wei = app.person("wei", &[("main", Role::Learner)]).await;
    wei.get("/studio/tables").await.expect(403);
    wei.get(sent.header("location")).await.expect(403);
}
