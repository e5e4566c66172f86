//! Courses and collections: made, edited by several, learned, searched, shared and exported.

use std::io::{Cursor, Read};
use std::time::Duration;

use duoku::catalogue::Role;
use http::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, eventually};
use crate::client::{Answer, Client, answer, encode, text_of};
use crate::fixture;

/// Uploads a picture and waits until it is done; gives its id.
async fn picture(client: &Client, library: &str, title: &str, number: u8) -> String {
    let picture = fixture::picture(number.into());
    let id = client.upload_into(library, "p.bmp", title, &picture).await;
    client.settled(&id).await;
    id
}

/// Makes a course of `resources` in one section; gives its id.
async fn course(client: &Client, library: &str, title: &str, resources: &[&str]) -> String {
    let new = json!({ "library": library, "title": title, "teachers": "王守海", "hours": 2.5 });
    let made = client.send(Method::POST, "/api/courses", &new).await.expect(201).json();
    let id = text_of(&made["id"]).to_owned();
    put(client, &id, resources).await.expect(200);
    id
}

async fn put(client: &Client, course: &str, resources: &[&str]) -> Answer {
    let lessons: Vec<Value> = resources.iter().map(|id| json!({ "resource": id })).collect();
    let sections = json!({ "sections": [{ "lessons": lessons }] });
    client.send(Method::PUT, &format!("/api/courses/{course}/lessons"), &sections).await
}

/// Titles and states of the lessons that a caller sees.
async fn lessons(client: &Client, course: &str) -> Vec<(String, String)> {
    let view = client.get(&format!("/api/courses/{course}/lessons")).await.expect(200).json();
    let sections = view["sections"].as_array().expect("a list");
    let lessons =
        sections.iter().flat_map(|section| section["lessons"].as_array().expect("a list"));
    lessons
        .map(|lesson| (text_of(&lesson["title"]).to_owned(), text_of(&lesson["state"]).to_owned()))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(title, state)| ((*title).to_owned(), (*state).to_owned())).collect()
}

/// Asks for a page as a browser does.
async fn page(client: &Client, path: &str) -> Answer {
    answer(client.ask(Method::GET, path).header("accept", "text/html")).await
}

/// Sends a form of the studio.
async fn form(client: &Client, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let request = client
        .ask(Method::POST, path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "text/html")
        .body(body.join("&"));
    answer(request).await
}

/// What the page of the studio carries as the course's version.
async fn version(client: &Client, path: &str) -> String {
    let text = page(client, path).await.expect(200).text();
    let rest = text.split("name=\"version\" value=\"").nth(1).expect("a form");
    rest.split('"').next().expect("a value").to_owned()
}

#[tokio::test]
async fn a_course_is_made_published_learned_and_withdrawn() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let (a, b) =
        (picture(&admin, "main", "红纸", 1).await, picture(&admin, "main", "梭子", 2).await);
    let id = course(&admin, "main", "乡村手艺", &[&a, &b]).await;
    let path = format!("/courses/{id}");
    nobody.get(&format!("/api{path}")).await.expect(404);
    page(&nobody, &path).await.expect(404);
    admin.post(&format!("/api{path}/publish")).await.expect(200);
    let seen = nobody.get(&format!("/api{path}")).await.expect(200).json();
    assert_eq!((&seen["lessons"], &seen["hours"]), (&json!(2), &json!(2.5)));
    assert!(text_of(&seen["poster"]).starts_with(&format!("/media/{a}/poster.jpg")), "{seen}");
    let text = page(&nobody, &path).await.expect(200).text();
    for part in ["乡村手艺", "王守海", "红纸", "梭子", "2.5 学时", &format!("{path}/lessons/1")]
    {
        assert!(text.contains(part), "{part}");
    }
    assert!(!text.contains("/cartridge") && !text.contains("/studio/"), "for people of a library");
    let lesson = page(&nobody, &format!("{path}/lessons/1")).await.expect(200).text();
    assert!(lesson.contains(&format!("rel=\"next\" href=\"{path}/lessons/2\"")));
    assert!(lesson.contains(&format!("data-next=\"{path}/lessons/2\"")));
    let last = page(&nobody, &format!("{path}/lessons/2")).await.expect(200).text();
    assert!(last.contains("rel=\"prev\"") && !last.contains("rel=\"next\""));
    page(&nobody, &format!("{path}/lessons/3")).await.expect(404);
    assert!(page(&nobody, "/").await.text().contains(&path), "the front page shows it");
    assert!(page(&nobody, "/libraries/main").await.text().contains(&path), "and its library");
    admin.post(&format!("/api{path}/withdraw")).await.expect(200);
    page(&nobody, &path).await.expect(404);
    page(&nobody, &format!("{path}/lessons/1")).await.expect(404);
    admin.post(&format!("/api{path}/withdraw")).await.expect(409);
    admin.delete(&format!("/api{path}")).await.expect(204);
    admin.get(&format!("/api{path}")).await.expect(404);
    admin.get(&format!("/api/resources/{a}")).await.expect(200);
    app.check();
}

#[tokio::test]
async fn a_lesson_whose_resource_is_withdrawn_is_kept_for_its_author_only() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let ids = [
        picture(&admin, "main", "红纸", 1).await,
        picture(&admin, "main", "梭子", 2).await,
        picture(&admin, "main", "渔网", 3).await,
    ];
    let id = course(&admin, "main", "乡村手艺", &[&ids[0], &ids[1], &ids[2]]).await;
    admin.post(&format!("/api/courses/{id}/publish")).await.expect(200);
    admin.post(&format!("/api/resources/{}/withdraw", ids[1])).await.expect(200);
    let open = pairs(&[("红纸", "published"), ("渔网", "published")]);
    assert_eq!(lessons(&nobody, &id).await, open);
    let all = pairs(&[("红纸", "published"), ("梭子", "withdrawn"), ("渔网", "published")]);
    assert_eq!(lessons(&admin, &id).await, all);
    // Addresses stay: the third is still the third.
    page(&nobody, &format!("/courses/{id}/lessons/2")).await.expect(404);
    let third = page(&nobody, &format!("/courses/{id}/lessons/3")).await.expect(200).text();
    assert!(third.contains("2 / 2") && !third.contains("梭子"), "numbers that are shown follow");
    assert!(!page(&nobody, &format!("/courses/{id}")).await.text().contains("梭子"));
    let studio = page(&admin, &format!("/studio/courses/{id}")).await.expect(200).text();
    assert!(studio.contains("资源已下架，学习者看不到这一课"));
    admin.delete(&format!("/api/resources/{}", ids[1])).await.expect(204);
    let all = pairs(&[("红纸", "published"), ("梭子", "gone"), ("渔网", "published")]);
    assert_eq!(lessons(&admin, &id).await, all);
    let view = nobody.get(&format!("/api/courses/{id}")).await.expect(200).json();
    assert_eq!(view["lessons"], 2);
    app.check();
}

#[tokio::test]
async fn the_second_of_two_editors_is_told() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let a = picture(&admin, "main", "红纸", 1).await;
    let id = course(&admin, "main", "手艺", &[&a]).await;
    let path = format!("/api/courses/{id}");
    let tag = admin.get(&path).await.expect(200).header("etag").to_owned();
    let change = |title: &str, tag: &str| {
        let request = admin.ask(Method::PATCH, &path).header("if-match", tag);
        answer(request.json(&json!({ "title": title })))
    };
    let saved = change("第一位", &tag).await.expect(200);
    assert_ne!(saved.header("etag"), tag);
    let refused = change("第二位", &tag).await.expect(412).json();
    assert_eq!(refused["code"], "edited_meanwhile");
    assert_eq!(admin.get(&path).await.json()["title"], "第一位");
    let lessons = admin.ask(Method::PUT, &format!("{path}/lessons")).header("if-match", &tag);
    answer(lessons.json(&json!({ "sections": [] }))).await.expect(412);
    // The same in the studio: what is there now is shown, and a sentence.
    let studio = format!("/studio/courses/{id}");
    let old = version(&admin, &studio).await;
    let remove = [("version", old.as_str()), ("action", "add-section"), ("new-section", "一")];
    form(&admin, &studio, &remove).await.expect(303);
    let late = form(&admin, &studio, &remove).await.expect(412).text();
    assert!(late.contains("在您编辑期间") && late.contains("value=\"一\""));
    let collection = json!({ "library": "main", "title": "过年", "resources": [a] });
    let made = admin.send(Method::POST, "/api/collections", &collection).await.expect(201);
    let path = format!("/api/collections/{}", text_of(&made.json()["id"]));
    let tag = made.header("etag").to_owned();
    for status in [200, 412] {
        let request = admin.ask(Method::PATCH, &path).header("if-match", &tag);
        answer(request.json(&json!({ "title": "腊月" }))).await.expect(status);
    }
}

#[tokio::test]
async fn lessons_are_put_in_order_by_buttons() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let ids = [
        picture(&admin, "main", "甲", 1).await,
        picture(&admin, "main", "乙", 2).await,
        picture(&admin, "main", "丙", 3).await,
    ];
    let id = course(&admin, "main", "手艺", &[&ids[0], &ids[1]]).await;
    let studio = format!("/studio/courses/{id}");
    let path = format!("/api/courses/{id}/lessons");
    let lesson = |view: &Value, section: usize, at: usize| {
        text_of(&view["sections"][section]["lessons"][at]["id"]).to_owned()
    };
    let press = async |action: &str, more: &[(&str, &str)]| {
        let version = version(&admin, &studio).await;
        let mut fields = vec![("version", version.as_str()), ("action", action)];
        fields.extend_from_slice(more);
        form(&admin, &studio, &fields).await.expect(303);
        admin.get(&path).await.expect(200).json()
    };
    let order = |view: &Value| {
        let sections = view["sections"].as_array().expect("a list").iter();
        let titles = sections.map(|section| {
            let lessons = section["lessons"].as_array().expect("a list").iter();
            lessons.map(|lesson| text_of(&lesson["title"])).collect::<String>()
        });
        titles.collect::<Vec<_>>()
    };
    let view = press(&format!("add:{}", ids[2]), &[]).await;
    assert_eq!(order(&view), ["甲乙丙"]);
    let view = press(&format!("up:{}", lesson(&view, 0, 2)), &[]).await;
    assert_eq!(order(&view), ["甲丙乙"]);
    let view = press("add-section", &[("new-section", "第二单元")]).await;
    let view = press(&format!("down:{}", lesson(&view, 0, 2)), &[]).await;
    assert_eq!(order(&view), ["甲丙", "乙"]);
    // Dragging sends where it was dropped.
    let (first, second) = (lesson(&view, 0, 0), lesson(&view, 1, 0));
    let view = press(&format!("put:{first}"), &[("to", "1"), ("before", &second)]).await;
    assert_eq!(order(&view), ["丙", "甲乙"]);
    let own = format!("title-{first}");
    let view = press("titles", &[(&own, "第一把剪刀"), ("section-1", "单元二")]).await;
    assert_eq!(order(&view), ["丙", "第一把剪刀乙"]);
    assert_eq!(view["sections"][1]["title"], "单元二");
    press(&format!("remove:{first}"), &[]).await;
    let view = press("section-remove:1", &[]).await;
    assert_eq!(order(&view), ["丙乙"]);
    let (version, wrong) = (version(&admin, &studio).await, "up:x");
    form(&admin, &studio, &[("version", version.as_str()), ("action", wrong)]).await.expect(422);
    form(&admin, &studio, &[("version", "x"), ("action", "titles")]).await.expect(400);
}

#[tokio::test]
async fn nobody_is_told_of_what_they_may_not_see() {
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
    let author = app.person("lin", &[("main", Role::Author)]).await;
    let other = app.person("chen", &[("main", Role::Author)]).await;
    let member = app.person("wei", &[("inner", Role::Author)]).await;
    let secret = picture(&admin, "inner", "机密图", 1).await;
    let open = picture(&admin, "main", "公开图", 2).await;
    let inside = course(&admin, "inner", "内部课程", &[&secret, &open]).await;
    admin.post(&format!("/api/courses/{inside}/publish")).await.expect(200);
    let mine = course(&author, "main", "草稿课程", &[&open]).await;
    // Of another library only what everybody sees, and missing is like forbidden.
    let missing = "0198c0de000070008000000000000000";
    for id in [secret.as_str(), missing] {
        let refused = put(&author, &mine, &[id]).await.expect(422).json();
        assert_eq!(refused["code"], "bad_field");
    }
    put(&admin, &mine, &[&secret]).await.expect(422);
    for (client, course, status) in [
        (&nobody, &inside, 404),
        (&author, &inside, 404),
        (&member, &inside, 200),
        (&nobody, &mine, 404),
        (&other, &mine, 404),
        (&author, &mine, 200),
        (&admin, &mine, 200),
    ] {
        for path in [
            format!("/api/courses/{course}"),
            format!("/api/courses/{course}/lessons"),
            format!("/api/search?q=x&course={course}"),
        ] {
            client.get(&path).await.expect(status);
        }
        page(client, &format!("/courses/{course}")).await.expect(status);
        page(client, &format!("/courses/{course}/lessons/1")).await.expect(status);
    }
    let titles = async |client: &Client, path: &str| {
        let view = client.get(path).await.expect(200).json();
        let items = view["items"].as_array().expect("a list");
        assert_eq!(view["total"], items.len());
        items.iter().map(|item| text_of(&item["title"]).to_owned()).collect::<Vec<_>>()
    };
    assert!(titles(&nobody, "/api/courses").await.is_empty());
    assert!(titles(&other, "/api/courses?library=main&stage=draft").await.is_empty());
    assert_eq!(titles(&author, "/api/courses?library=main&stage=draft").await, ["草稿课程"]);
    assert_eq!(titles(&member, "/api/courses?library=inner").await, ["内部课程"]);
    nobody.get("/api/courses?library=inner").await.expect(404);
    // A lesson of a library that became internal is gone for all but its people.
    admin.post(&format!("/api/courses/{mine}/publish")).await.expect(200);
    let patch = json!({ "visibility": "internal" });
    let collection =
        json!({ "library": "inner", "title": "内部专题", "resources": [open, secret] });
    let made = admin.send(Method::POST, "/api/collections", &collection).await.expect(201).json();
    let path = format!("/api/collections/{}", text_of(&made["id"]));
    nobody.get(&path).await.expect(404);
    assert_eq!(nobody.get("/api/collections").await.expect(200).json(), json!([]));
    let seen = member.get(&path).await.expect(200).json();
    assert_eq!(seen["resources"].as_array().map(Vec::len), Some(2));
    admin.send(Method::PATCH, "/api/libraries/main", &patch).await.expect(200);
    let seen = member.get(&path).await.expect(200).json();
    assert_eq!(seen["resources"], json!([secret]));
    let left = member.get(&format!("/api/courses/{inside}/lessons")).await.expect(200).json();
    assert_eq!(left["sections"][0]["lessons"].as_array().map(Vec::len), Some(1));
    for client in [&nobody, &member] {
        client.get(&format!("/api/courses/{mine}")).await.expect(404);
    }
    // Who may change what.
    for (client, status) in [(&nobody, 401), (&other, 403), (&author, 200)] {
        let patch = json!({ "title": "新名" });
        client.send(Method::PATCH, &format!("/api/courses/{mine}"), &patch).await.expect(status);
    }
    member.send(Method::PATCH, &format!("/api/courses/{mine}"), &json!({})).await.expect(404);
    app.check();
}

#[tokio::test]
async fn courses_are_found_and_searched_inside() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let net = admin.published("a.txt", "编网讲义", b"fishing nets, and how to tie knots").await;
    let other = admin.published("b.txt", "别的讲义", b"knots of others").await;
    let (net, other) = (text_of(&net["id"]).to_owned(), text_of(&other["id"]).to_owned());
    let id = course(&admin, "main", "渔村手艺", &[&net]).await;
    let patch = json!({ "teachers": "李红梅", "description": "补好一张渔网" });
    admin.send(Method::PATCH, &format!("/api/courses/{id}"), &patch).await.expect(200);
    admin.post(&format!("/api/courses/{id}/publish")).await.expect(200);
    let finds = async |path: &str| {
        let view = nobody.get(path).await.expect(200).json();
        let hits = view["hits"].as_array().expect("a list").iter();
        let ids: Vec<String> = hits.map(|hit| text_of(&hit["resource"]).to_owned()).collect();
        (ids, view)
    };
    eventually("the course is found", Duration::from_secs(5), || async {
        finds(&format!("/api/search?q={}", encode("渔村手艺"))).await.0.contains(&id).then_some(())
    })
    .await;
    for q in ["李红梅", "渔网", "yucun", "类型:课程"] {
        let (ids, view) = finds(&format!("/api/search?q={}", encode(q))).await;
        assert_eq!(ids, [id.as_str()], "{q}");
        assert_eq!(view["hits"][0]["kind"], "course");
        assert_eq!(text_of(&view["hits"][0]["url"]), format!("/courses/{id}"));
    }
    let (_, all) = finds("/api/search").await;
    assert_eq!(
        (&all["total"], &all["facets"]["kind"]),
        (&json!(3), &json!([["document", 2], ["course", 1]]))
    );
    eventually("both documents are found", Duration::from_secs(5), || async {
        (finds("/api/search?q=knots").await.0.len() == 2).then_some(())
    })
    .await;
    let (ids, view) = finds(&format!("/api/search?q=knots&course={id}")).await;
    assert_eq!((ids, &view["total"]), (vec![net.clone()], &json!(1)));
    assert_eq!(view["hits"][0]["moments"][0]["page"], 1);
    let inside = page(&nobody, &format!("/courses/{id}?q=knots")).await.expect(200).text();
    assert!(inside.contains(&format!("/courses/{id}/lessons/1?chapter=1&amp;q=knots")));
    assert!(!inside.contains(&other));
    let results = page(&nobody, &format!("/search?q={}&kind=course", encode("手艺"))).await;
    assert!(results.expect(200).text().contains(&format!("href=\"/courses/{id}\"")));
    // The answer that was kept ends with the change.
    put(&admin, &id, &[&other]).await.expect(200);
    assert_eq!(finds(&format!("/api/search?q=knots&course={id}")).await.0, [other]);
    admin.post(&format!("/api/courses/{id}/withdraw")).await.expect(200);
    assert!(finds(&format!("/api/search?q={}", encode("李红梅"))).await.0.is_empty());
    nobody.get(&format!("/api/search?q=knots&course={id}")).await.expect(404);
    app.check();
    // A library that becomes internal takes its courses out of the index too.
    admin.post(&format!("/api/courses/{id}/publish")).await.expect(200);
    app.check();
    let patch = json!({ "visibility": "internal" });
    admin.send(Method::PATCH, "/api/libraries/main", &patch).await.expect(200);
    assert!(finds("/api/search").await.0.is_empty());
    app.check();
    app.ran(&["reindex"]);
    app.check();
}

#[tokio::test]
async fn a_course_is_shown_by_another_library_with_thanks() {
    let app = TestApp::start();
    for (slug, name) in [("lanshan", "岚山馆"), ("juxian", "莒县馆")] {
        app.ran(&["library", "create", slug, "--name", name, "--publish-when-ready"]);
    }
    let (admin, nobody) = (app.admin().await, app.nobody());
    let librarian = app.person("sun", &[("juxian", Role::Librarian)]).await;
    let author = app.person("lin", &[("juxian", Role::Author)]).await;
    let a = picture(&admin, "lanshan", "红纸", 1).await;
    let b = picture(&admin, "main", "主库图", 2).await;
    let id = course(&admin, "lanshan", "岚山手艺", &[&a, &b]).await;
    let listing = format!("/api/courses/{id}/listings/juxian");
    librarian.send(Method::PUT, &listing, &json!({})).await.expect(404);
    admin.post(&format!("/api/courses/{id}/publish")).await.expect(200);
    nobody.send(Method::PUT, &listing, &json!({})).await.expect(401);
    author.send(Method::PUT, &listing, &json!({})).await.expect(403);
    librarian.send(Method::PUT, &listing, &json!({})).await.expect(204);
    librarian.send(Method::PUT, &listing, &json!({})).await.expect(204);
    let text = page(&nobody, "/libraries/juxian").await.expect(200).text();
    assert!(text.contains(&format!("/courses/{id}")) && text.contains("感谢 岚山馆 提供"));
    let own = page(&nobody, "/libraries/lanshan").await.expect(200).text();
    assert!(own.contains(&format!("/courses/{id}")) && !own.contains("感谢 岚山馆 提供"));
    // The lesson of a third library is thanked for on the course and on its own page.
    for path in [format!("/courses/{id}"), format!("/courses/{id}/lessons/2")] {
        assert!(page(&nobody, &path).await.expect(200).text().contains("感谢 主资源库 提供"));
    }
    admin.post(&format!("/api/courses/{id}/withdraw")).await.expect(200);
    assert!(!page(&nobody, "/libraries/juxian").await.text().contains(&id));
    admin.post(&format!("/api/courses/{id}/publish")).await.expect(200);
    librarian.delete(&listing).await.expect(204);
    librarian.delete(&listing).await.expect(404);
    assert!(!page(&nobody, "/libraries/juxian").await.text().contains(&id));
    admin
        .send(Method::PUT, &format!("/api/courses/{id}/listings/lanshan"), &json!({}))
        .await
        .expect(409);
}

fn names_in<R: Read + std::io::Seek>(archive: &zip::ZipArchive<R>) -> Vec<String> {
    let names = archive.file_names();
    names.map(|name| name.expect("UTF-8").into_owned()).collect()
}

#[tokio::test]
async fn a_course_is_exported_as_a_common_cartridge() {
    let app = TestApp::with(&[("DUOKU_SERVER_PUBLIC_URL", "https://learn.example")]);
    app.ran(&["library", "create", "lanshan", "--name", "岚山馆", "--publish-when-ready"]);
    let (admin, nobody) = (app.admin().await, app.nobody());
    let pdf = fixture::pdf();
    let document = admin.published("a.pdf", "讲义 <一> & 二", &pdf).await;
    let document = text_of(&document["id"]);
    let video = admin.published("a.mp4", "视频", &fixture::video(4)).await;
    let video = text_of(&video["id"]);
    let foreign = picture(&admin, "lanshan", "别馆图", 7).await;
    let gone = picture(&admin, "main", "已下架", 8).await;
    let id = course(&admin, "main", "手艺", &[document, video, &foreign, &gone]).await;
    admin.post(&format!("/api/resources/{gone}/withdraw")).await.expect(200);
    admin.post(&format!("/api/courses/{id}/publish")).await.expect(200);
    let path = format!("/api/courses/{id}/cartridge");
    nobody.get(&path).await.expect(401);
    app.person("wei", &[]).await.get(&path).await.expect(403);
    let author = app.person("lin", &[("lanshan", Role::Author)]).await;
    let cartridge = author.get(&path).await.expect(200);
    assert_eq!(cartridge.header("content-type"), "application/vnd.ims.imsccv1p3");
    assert!(cartridge.header("content-disposition").contains("imscc"));
    let mut archive = zip::ZipArchive::new(Cursor::new(cartridge.body)).expect("an archive");
    let names = names_in(&archive);
    let mut read = |name: &str| {
        let mut bytes = Vec::new();
        archive.by_name(name).expect(name).read_to_end(&mut bytes).expect("read");
        bytes
    };
    let manifest = String::from_utf8(read("imsmanifest.xml")).expect("UTF-8");
    assert_eq!(
        manifest.matches("<item identifier=\"I_").count(),
        3,
        "the withdrawn one is left out"
    );
    assert!(manifest.contains("讲义 &lt;一&gt; &amp; 二") && !manifest.contains("已下架"));
    let named = |ending: &str| {
        let name = names.iter().find(|name| name.ends_with(ending)).expect(ending);
        assert!(manifest.contains(&format!("<file href=\"{name}\"/>")), "{name}");
        name.clone()
    };
    assert_eq!(read(&named(".pdf")), pdf);
    let player = String::from_utf8(read(&named(".html"))).expect("UTF-8");
    assert!(player.contains(&format!("https://learn.example/media/{video}/master.m3u8")));
    assert!(player.contains(".mp4\" type=\"video/mp4\"") && !player.contains("<script"));
    // Without a licence that lets it be copied, another library's picture is a link.
    let links: Vec<&String> = names.iter().filter(|name| name.starts_with("links/")).collect();
    let link = String::from_utf8(read(links[0])).expect("UTF-8");
    assert!(link.contains(&format!("https://learn.example/courses/{id}/lessons/3")), "{link}");
    let licence = json!({ "licence": "CC-BY-4.0" });
    admin.send(Method::PATCH, &format!("/api/resources/{foreign}"), &licence).await.expect(200);
    let out = app.desk().join("c.imscc");
    app.ran(&["course", "export", &id, "--out", out.to_str().expect("UTF-8")]);
    let file = std::fs::File::open(&out).expect("written");
    let archive = zip::ZipArchive::new(file).expect("an archive");
    let names = names_in(&archive);
    assert!(
        names.iter().any(|name| name.starts_with("files/") && !name.ends_with(".pdf")),
        "{names:?}"
    );
    assert!(!names.iter().any(|name| name.starts_with("links/")), "{names:?}");
    assert!(app.ran(&["course", "list"]).contains(&format!("{id}\tpublished\tmain\t4\t手艺")));
    assert_ne!(app.run(&["course", "export", "0198c0de000070008000000000000000"]).code, 0);
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_with_a_sentence() {
    let app = TestApp::with(&[("DUOKU_COURSES_MAX_LESSONS", "2")]);
    let admin = app.admin().await;
    let a = picture(&admin, "main", "红纸", 1).await;
    let post = async |body: Value| admin.send(Method::POST, "/api/courses", &body).await.status;
    assert_eq!(post(json!({ "library": "main", "title": " " })).await, 422);
    assert_eq!(post(json!({ "library": "main", "title": "x", "hours": -1 })).await, 422);
    assert_eq!(post(json!({ "library": "main", "title": "x", "topics": ["none"] })).await, 422);
    assert_eq!(post(json!({ "library": "nowhere", "title": "x" })).await, 400);
    let id = course(&admin, "main", "手艺", &[]).await;
    let empty = admin.post(&format!("/api/courses/{id}/publish")).await.expect(409).json();
    assert_eq!(empty["code"], "course_empty");
    put(&admin, &id, &[&a, &a]).await.expect(200);
    put(&admin, &id, &[&a, &a, &a]).await.expect(422);
    put(&admin, &id, &["x"]).await.expect(422);
    let twice = json!({ "library": "main", "title": "x", "resources": [a, a] });
    admin.send(Method::POST, "/api/collections", &twice).await.expect(422);
    let cover = json!({ "cover": "x" });
    admin.send(Method::PATCH, &format!("/api/courses/{id}"), &cover).await.expect(422);
    let cover = json!({ "cover": a });
    let view = admin.send(Method::PATCH, &format!("/api/courses/{id}"), &cover).await.expect(200);
    assert_eq!(view.json()["cover"], json!(a));
    for path in ["/api/courses/x", "/courses/x", "/courses/x/lessons/1", "/api/collections/x"] {
        admin.get(path).await.expect(404);
    }
    let studio = format!("/studio/courses/{id}");
    let version = version(&admin, &studio).await;
    let hours =
        [("version", version.as_str()), ("action", "save"), ("title", "新名"), ("hours", "两")];
    let refused = form(&admin, &studio, &hours).await.expect(422).text();
    assert!(refused.contains("这一项不能使用：学时 两") && refused.contains("value=\"新名\""));
}
