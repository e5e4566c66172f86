//! A net to ask every route about: three libraries, eleven callers, one of each thing.

use std::collections::{BTreeMap, HashMap};

use duoku::api::Route;
use duoku::catalogue::{AccountId, Details, LibraryId, Resource, Role, Sha256, Stage};
use duoku::db::grants::{Grantee, Scope};
use duoku::db::sessions::NewSession;
use duoku::db::{self, Db};
use http::Method;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::client::{Client, metadata, text_of};
use crate::fixture::picture;

/// Who calls, in the order of the table's columns. Roles are in each of the libraries, which are
/// a district's, which `district` administers; `outsider` is a librarian of another district's.
pub(crate) const CALLERS: [&str; 11] = [
    "nobody",
    "stranger",
    "outsider",
    "learner",
    "teacher",
    "author",
    "colleague",
    "reviewer",
    "librarian",
    "district",
    "administrator",
];

/// What is asked about: what is published in a public library, or in an internal one, or not
/// published at all, or not there.
pub(crate) const SUBJECTS: [&str; 4] = ["public", "internal", "private", "missing"];

/// An id that nothing has.
const NONE: &str = "0198c0de000070008000000000000000";

/// Organisation that owns the libraries.
const OWNER: &str = "371102";

pub(crate) struct Net {
    pub(crate) app: TestApp,
    db: Db,
    callers: Vec<Client>,
    accounts: HashMap<&'static str, AccountId>,
    libraries: BTreeMap<&'static str, LibraryId>,
    /// What is only read is made once: by kind and subject.
    kept: HashMap<(String, String), String>,
    made: usize,
}

impl Net {
    pub(crate) async fn start() -> Self {
        let app = TestApp::with(&[
            ("DUOKU_RATES_WRITE_PER_MINUTE", "1000000"),
            ("DUOKU_RATES_PAGE_PER_MINUTE", "1000000"),
            ("DUOKU_RATES_MEDIA_PER_MINUTE", "1000000"),
            ("DUOKU_RATES_SEARCH_PER_MINUTE", "1000000"),
            ("DUOKU_RATES_LOGIN_PER_MINUTE", "1000000"),
            ("DUOKU_RATES_COMPLAINT_PER_MINUTE", "1000000"),
            ("DUOKU_SESSION_MAX_FAILURES", "1000000"),
        ]);
        app.ran(&["organisation", "add", "日照市", "--code", "371100"]);
        app.ran(&["organisation", "add", "东港区", "--code", OWNER]);
        for (slug, internal) in [("public", false), ("internal", true), ("private", true)] {
            let mut command = vec!["library", "create", slug, "--name", slug, "--owner", OWNER];
            command.extend(internal.then_some("--internal"));
            app.ran(&command);
        }
        app.ran(&["organisation", "add", "岚山区", "--code", "371103"]);
        app.ran(&["library", "create", "elsewhere", "--name", "岚山", "--owner", "371103"]);
        let everywhere = |role| ["public", "internal", "private"].map(|slug| (slug, role));
        let mut callers = vec![app.nobody(), app.person("stranger", &[]).await];
        callers.push(app.person("outsider", &[("elsewhere", Role::Librarian)]).await);
        for (name, role) in [
            ("learner", Role::Learner),
            ("teacher", Role::Teacher),
            ("author", Role::Author),
            ("colleague", Role::Author),
            ("reviewer", Role::Reviewer),
            ("librarian", Role::Librarian),
        ] {
            callers.push(app.person(name, &everywhere(role)).await);
        }
        callers.push(app.person("district", &[]).await);
        callers.push(app.admin().await);
        let db = app.db().await;
        let mut read = db.read().await.expect("a connection");
        let mut accounts = HashMap::new();
        for (at, name) in CALLERS.into_iter().enumerate().skip(1) {
            let name_there = if at + 1 == CALLERS.len() { "admin" } else { name };
            let found = db::accounts::find_by_name(&mut read, name_there, 0).await.expect("read");
            accounts.insert(name, found.expect("made above").id);
        }
        let mut libraries = BTreeMap::new();
        for slug in ["public", "internal", "private"] {
            let library = db::libraries::find_by_slug(&mut read, slug).await.expect("read");
            libraries.insert(slug, library.expect("made above").id);
        }
        drop(read);
        let mut tx = db.begin().await.expect("a transaction");
        let owner = db::organisations::find_by_code(&mut tx, &OWNER.parse().expect("a code"))
            .await
            .expect("read");
        let on = Scope::Organisation(owner.expect("made above").id);
        let to = Grantee::Account(accounts["district"]);
        db::grants::grant(&mut tx, to, Role::Administrator, on, 0, None).await.expect("granted");
        tx.commit().await.expect("committed");
        Self { app, db, callers, accounts, libraries, kept: HashMap::new(), made: 0 }
    }

    pub(crate) async fn close(self) {
        self.db.close().await;
    }

    /// Every route, as the program has it.
    pub(crate) async fn routes(&self) -> Vec<Route> {
        duoku::api::table_of_routes(&self.app.inside().await)
    }

    /// A request of the caller of that number.
    pub(crate) async fn request(
        &mut self,
        caller: usize,
        method: &Method,
        path: &str,
        subject: &str,
    ) -> RequestBuilder {
        let filled = self.fill(path, subject, method).await;
        let request = self.callers[caller].ask(method.clone(), &filled);
        if method.is_safe() {
            return request.header("tus-resumable", "1.0.0");
        }
        match self.body(method, path).await {
            Body::Json(value) => request.json(&value),
            Body::Form(text) => {
                request.header("content-type", "application/x-www-form-urlencoded").body(text)
            }
            Body::Upload => request
                .header("tus-resumable", "1.0.0")
                .header("upload-length", 4)
                .header("upload-offset", 0)
                .header(
                    "upload-metadata",
                    metadata(&[("filename", "a.txt"), ("library", "public")]),
                )
                .header("content-type", "application/offset+octet-stream"),
        }
    }

    /// The same with `field` besides what it should send; `None` when it sends no object of fields.
    pub(crate) async fn smuggled(
        &mut self,
        caller: usize,
        method: &Method,
        path: &str,
        (field, value): (&str, Value),
    ) -> Option<RequestBuilder> {
        let Body::Json(mut body) = self.body(method, path).await else { return None };
        let fields = body.as_object_mut().filter(|fields| !fields.is_empty())?;
        fields.insert(field.to_owned(), value);
        let filled = self.fill(path, "public", method).await;
        Some(self.callers[caller].ask(method.clone(), &filled).json(&body))
    }

    /// The cookie of a fresh session of the caller of that number.
    pub(crate) async fn cookie(&self, caller: usize) -> String {
        let account = self.accounts[CALLERS[caller]];
        let mut tx = self.db.begin().await.expect("a transaction");
        let token = AccountId::fresh().to_string();
        let new = NewSession {
            token_hash: &Sha256::of(token.as_bytes()).to_string(),
            account,
            address: "127.0.0.1",
            agent: "tests",
            by: None,
            now_ms: 0,
            expires_ms: i64::MAX,
        };
        db::sessions::insert(&mut tx, &new).await.expect("inserted");
        tx.commit().await.expect("committed");
        format!("duoku_session={token}")
    }

    /// `path` with its parts in braces filled in.
    pub(crate) async fn fill(&mut self, path: &str, subject: &str, method: &Method) -> String {
        let mut filled = String::new();
        let mut rest = path;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').expect("braces in pairs");
            filled.push_str(before);
            let value = match name {
                "slug" => subject.to_owned(),
                "*path" if path.starts_with("/assets") => "missing.css".to_owned(),
                "*path" => "original".to_owned(),
                "code" if before == "/regions/" && subject != "missing" => OWNER.to_owned(),
                "lang" => "zh".to_owned(),
                "name" if before == "/sitemaps/" => "1.xml".to_owned(),
                "form" => "atom".to_owned(),
                "number" if before != "/api/complaints/" && before != "/complaints/" => {
                    "1".to_owned()
                }
                "id" | "number" => self.thing(before, subject, method).await,
                _ => NONE.to_owned(),
            };
            filled.push_str(&value);
            rest = after;
        }
        filled + rest
    }

    /// Id of what is asked about, by what stands before it: for a write one of its own.
    async fn thing(&mut self, before: &str, subject: &str, method: &Method) -> String {
        let kind = before.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
        if subject == "missing" {
            return NONE.to_owned();
        }
        let key = (kind.clone(), subject.to_owned());
        if method.is_safe()
            && let Some(kept) = self.kept.get(&key)
        {
            return kept.clone();
        }
        let id = self.make(&kind, subject).await;
        if method.is_safe() {
            self.kept.insert(key, id.clone());
        }
        id
    }

    async fn make(&mut self, kind: &str, subject: &str) -> String {
        self.made += 1;
        let name = format!("名{}", self.made);
        match kind {
            "resources" | "embed" | "review" => self.resource(subject).await,
            "media" => self.picture(subject).await,
            "courses" => {
                let id = self
                    .created("author", "/api/courses", &json!({"library": subject, "title": name}))
                    .await;
                if subject != "private" {
                    let lesson = self.resource(subject).await;
                    let lessons =
                        json!({"sections": [{"title": "一", "lessons": [{"resource": lesson}]}]});
                    let path = format!("/api/courses/{id}");
                    let author = self.caller("author");
                    author
                        .send(Method::PUT, &format!("{path}/lessons"), &lessons)
                        .await
                        .expect(200);
                    author.post(&format!("{path}/publish")).await;
                }
                id
            }
            "batches" => {
                let resource = self.resource(subject).await;
                let new = json!({"dry_run": true, "ids": [resource], "set": {"author": name}});
                let author = self.caller("author");
                let got = author.send(Method::POST, "/api/resources/bulk", &new).await;
                text_of(&got.expect(200).json()["id"]).to_owned()
            }
            "collections" => {
                let lesson = self.resource(subject).await;
                let new = json!({"library": subject, "title": name, "resources": [lesson]});
                self.created("author", "/api/collections", &new).await
            }
            "organisations" => {
                let new = json!({"parent": OWNER, "name": name, "level": "township"});
                self.created("administrator", "/api/organisations", &new).await
            }
            "people" => {
                let new = json!({"name": format!("p{}", self.made), "display_name": name, "organisation": OWNER});
                self.created("administrator", "/api/people", &new).await
            }
            "teams" => {
                let new = json!({"name": name, "organisation": OWNER});
                self.created("administrator", "/api/teams", &new).await
            }
            "grants" => {
                let team = Box::pin(self.make("teams", subject)).await;
                let new = json!({"team": team, "role": "learner", "library": "public"});
                self.created("administrator", "/api/grants", &new).await
            }
            "invitations" => {
                let new = json!({"role": "learner", "library": "public"});
                self.created("administrator", "/api/invitations", &new).await
            }
            "complaints" => {
                let resource = self.resource("public").await;
                let new = json!({"resource": resource, "reason": "other", "text": "不对"});
                let got =
                    self.caller("administrator").send(Method::POST, "/api/complaints", &new).await;
                text_of(&got.expect(201).json()["number"]).to_owned()
            }
            "uploads" => {
                let names = metadata(&[("filename", "a.txt"), ("library", subject)]);
                let request = self.caller("author").ask(Method::POST, "/api/uploads");
                let request = request.header("tus-resumable", "1.0.0").header("upload-length", 4);
                let got = crate::client::answer(request.header("upload-metadata", names)).await;
                let place = got.expect(201).header("location").to_owned();
                place.rsplit('/').next().expect("an id").to_owned()
            }
            _ => NONE.to_owned(),
        }
    }

    /// Id of what the API makes of `new`.
    async fn created(&self, caller: &str, path: &str, new: &Value) -> String {
        let got = self.caller(caller).send(Method::POST, path, new).await;
        text_of(&got.expect(201).json()["id"]).to_owned()
    }

    fn caller(&self, name: &str) -> &Client {
        &self.callers[CALLERS.iter().position(|caller| *caller == name).expect("a caller")]
    }

    /// A fresh resource of the author: published, but for the private one.
    async fn resource(&self, subject: &str) -> String {
        let details = Details { title: "图".into(), ..Details::default() };
        let mut tx = self.db.begin().await.expect("a transaction");
        let library = self.libraries[subject];
        let mut resource = Resource::draft(library, self.accounts["author"], details, 1);
        db::resources::insert(&mut tx, &mut resource).await.expect("inserted");
        resource.stage = if subject == "private" { Stage::Ready } else { Stage::Published };
        resource.published_ms = (subject != "private").then_some(1);
        db::resources::save(&mut tx, &mut resource, 1).await.expect("saved");
        tx.commit().await.expect("committed");
        resource.id.to_string()
    }

    /// A resource as that one, whose file is there.
    async fn picture(&self, subject: &str) -> String {
        let author = self.caller("author");
        let id = author.upload_into(subject, "图.png", "图", &picture(1)).await;
        assert_eq!(author.settled(&id).await["stage"], "ready");
        if subject != "private" {
            author.post(&format!("/api/resources/{id}/publish")).await.expect(200);
        }
        id
    }

    /// What a write sends: what is right where the route's own rules are to be seen.
    async fn body(&mut self, method: &Method, path: &str) -> Body {
        self.made += 1;
        let name = format!("新{}", self.made);
        let slug = format!("new-{}", self.made);
        let body = match (method.as_str(), path) {
            ("POST", "/api/resources" | "/api/courses" | "/api/collections") => {
                json!({"library": "public", "title": name})
            }
            ("PATCH", "/api/resources/{id}" | "/api/courses/{id}" | "/api/collections/{id}") => {
                json!({"title": name})
            }
            ("POST", "/api/resources/bulk") => {
                let resource = self.resource("public").await;
                json!({"dry_run": true, "ids": [resource], "set": {"author": name}})
            }
            ("POST", "/api/resources/{id}/vouchers") => json!({"organisation": OWNER}),
            ("POST", "/api/resources/{id}/withdraw") => json!({"reason": "有误"}),
            ("POST", "/api/resources/{id}/review/decision") => json!({"verdict": "accept"}),
            ("POST", "/api/resources/{id}/review/comments" | "/api/resources/{id}/appeal") => {
                json!({"text": "好"})
            }
            ("PATCH", "/api/resources/{id}/review/comments/{comment}") => {
                json!({"resolved": true})
            }
            ("POST", "/api/appeals/{id}/answer") => json!({"verdict": "rejected", "answer": "不"}),
            ("POST", "/api/libraries/{slug}/review/delegations") => {
                json!({"step": "初审", "account": "colleague", "until": "2100-01-01T00:00:00Z"})
            }
            ("POST", "/api/organisations/{id}/merge") => json!({"into": "371103"}),
            ("PUT", "/api/courses/{id}/lessons") => json!({"sections": []}),
            ("POST", "/api/complaints") => {
                json!({"resource": self.resource("public").await, "reason": "other", "text": "不对"})
            }
            ("POST", "/api/complaints/{number}/answer") => {
                json!({"verdict": "rejected", "answer": "没有错"})
            }
            ("POST", "/api/libraries") => json!({"slug": slug, "name": name, "owner": OWNER}),
            ("PATCH", "/api/libraries/{slug}") => json!({"description": name}),
            ("PUT", "/api/libraries/{slug}/review") => json!({"steps": []}),
            ("POST", "/api/organisations") => {
                json!({"parent": OWNER, "name": name, "level": "township"})
            }
            ("PATCH", "/api/organisations/{id}" | "/api/teams/{id}") => json!({"name": name}),
            ("POST", "/api/people") => {
                json!({"name": slug, "display_name": name, "organisation": OWNER})
            }
            ("PATCH", "/api/people/{id}") => json!({"display_name": name}),
            ("POST", "/api/teams") => json!({"name": name, "organisation": OWNER}),
            ("POST", "/api/grants") => {
                let team = self.make("teams", "public").await;
                json!({"team": team, "role": "learner", "library": "public"})
            }
            ("POST", "/api/invitations") => json!({"role": "learner", "library": "public"}),
            ("POST", "/api/tokens") => json!({"label": name, "scopes": ["read"]}),
            (_, path) if path.starts_with("/api/uploads") => return Body::Upload,
            (_, path) if path.starts_with("/api/") => json!({}),
            _ => return Body::Form(String::new()),
        };
        Body::Json(body)
    }
}

enum Body {
    Json(Value),
    Form(String),
    Upload,
}
