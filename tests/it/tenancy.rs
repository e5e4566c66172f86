//! Random trees of organisations, libraries, grants, resources, courses and collections. Each thing
//! has a word of its own in its name, so that whatever tells of it, a row, a completion, a feed, a
//! page, is found out by that word; counts and facets are held against a model without SQL.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use duoku::catalogue::{
    AccountId, Details, Level, Library, Organisation, Resource, Role, Stage, Visibility,
};
use duoku::db::grants::{Grantee, Scope};
use duoku::db::{self, Db};
use http::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, eventually};
use crate::client::{Client, encode, text_of};
use crate::dice::Dice;

/// In every title, so that one query finds all.
const COMMON: &str = "编网";

/// Stages of resources; what is published is half of them.
const STAGES: [Stage; 6] = [
    Stage::Published,
    Stage::Published,
    Stage::Published,
    Stage::Ready,
    Stage::Withdrawn,
    Stage::Submitted,
];

/// Something with a word in its name.
struct Thing {
    word: String,
    /// Where the API tells of it.
    path: String,
    library: usize,
    /// Whoever sees the library sees it.
    published: bool,
    /// Person who made it.
    maker: Option<usize>,
    kind: What,
    topic: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    Library,
    Resource,
    Course,
    Collection,
}

/// A caller: nobody, a person with roles, or the administrator.
struct Person {
    client: Client,
    account: Option<AccountId>,
    roles: HashMap<usize, Vec<Role>>,
    everything: bool,
}

#[derive(Default)]
struct Net {
    organisations: Vec<Organisation>,
    libraries: Vec<Library>,
    people: Vec<Person>,
    things: Vec<Thing>,
}

impl Net {
    async fn make(app: &TestApp, db: &Db, dice: &mut Dice) -> Self {
        let mut net = Self::default();
        let mut tx = db.begin().await.expect("a transaction");
        for number in 0..10 {
            let parent = (number > 0 && dice.below(6) > 0)
                .then(|| dice.one(&net.organisations).clone())
                .filter(|parent| parent.level < Level::Community);
            let level = parent.as_ref().map_or(Level::City, |parent| {
                Level::ALL.into_iter().find(|level| *level > parent.level).expect("below")
            });
            let one = Organisation::new(parent.as_ref(), level, &format!("机构{number}"), 0);
            let one = one.expect("an organisation");
            db::organisations::insert(&mut tx, &one).await.expect("inserted");
            net.organisations.push(one);
        }
        for _ in 0..8 {
            let word = net.word();
            let mut one = Library::new(word.parse().expect("a slug"), &word, 0);
            one.owner = (dice.below(4) > 0).then(|| dice.one(&net.organisations).id);
            let internal = dice.below(2) == 0;
            one.visibility = if internal { Visibility::Internal } else { Visibility::Public };
            db::libraries::insert(&mut tx, &one).await.expect("inserted");
            net.libraries.push(one);
            let (path, library) = (format!("/api/libraries/{word}"), net.libraries.len() - 1);
            net.add(word, path, library, true, None, What::Library, "");
        }
        tx.commit().await.expect("committed");
        net.people.push(Person::nobody(app));
        for number in 0..8 {
            let person = net.person(app, db, dice, number).await;
            net.people.push(person);
        }
        let admin = Person { client: app.admin().await, everything: true, ..Person::nobody(app) };
        net.people.push(admin);
        for _ in 0..40 {
            net.resource(db, dice).await;
        }
        for _ in 0..8 {
            net.course(dice).await;
        }
        net
    }

    /// A word that nothing else has, and no word begins with another.
    fn word(&self) -> String {
        let letters = |number: usize| {
            [number / 676, number / 26 % 26, number % 26].map(|at| char::from(b'a' + at as u8))
        };
        format!("zq{}x", String::from_iter(letters(self.things.len())))
    }

    #[expect(clippy::too_many_arguments, reason = "a row of the model")]
    fn add(
        &mut self,
        word: String,
        path: String,
        library: usize,
        published: bool,
        maker: Option<usize>,
        kind: What,
        topic: &'static str,
    ) {
        self.things.push(Thing { word, path, library, published, maker, kind, topic });
    }

    async fn person(&self, app: &TestApp, db: &Db, dice: &mut Dice, number: usize) -> Person {
        let name = format!("person{number}");
        let client = app.person(&name, &[]).await;
        let mut tx = db.begin().await.expect("a transaction");
        let account = db::accounts::find_by_name(&mut tx, &name, 0).await.expect("read");
        let account = account.expect("made above").id;
        let mut roles: HashMap<usize, Vec<Role>> = HashMap::new();
        for _ in 0..dice.below(3) {
            let role = *dice.one(&Role::ALL);
            let on = if dice.below(2) == 0 {
                let at = dice.below(self.libraries.len());
                roles.entry(at).or_default().push(role);
                Scope::Library(self.libraries[at].id)
            } else {
                let above = dice.one(&self.organisations).id;
                for (at, library) in self.libraries.iter().enumerate() {
                    let owner = self.organisations.iter().find(|one| Some(one.id) == library.owner);
                    if owner.is_some_and(|owner| owner.path.contains(&above)) {
                        roles.entry(at).or_default().push(role);
                    }
                }
                Scope::Organisation(above)
            };
            let to = Grantee::Account(account);
            db::grants::grant(&mut tx, to, role, on, 0, None).await.expect("granted");
        }
        tx.commit().await.expect("committed");
        Person { client, account: Some(account), roles, everything: false }
    }

    async fn resource(&mut self, db: &Db, dice: &mut Dice) {
        let (word, at) = (self.word(), dice.below(self.libraries.len()));
        let topic = dice.one(&["health", "law", "science"]);
        let maker = 1 + dice.below(self.people.len() - 2);
        let topics = vec![(*topic).to_owned()];
        let details = Details { title: format!("{COMMON}{word}"), topics, ..Details::default() };
        let account = self.people[maker].account.expect("a person");
        let mut one = Resource::draft(self.libraries[at].id, account, details, 1);
        let mut tx = db.begin().await.expect("a transaction");
        db::resources::insert(&mut tx, &mut one).await.expect("inserted");
        one.stage = *dice.one(&STAGES);
        one.published_ms = (one.stage == Stage::Published).then_some(1);
        db::resources::save(&mut tx, &mut one, 1).await.expect("saved");
        tx.commit().await.expect("committed");
        let (path, published) = (format!("/api/resources/{}", one.id), one.published_ms.is_some());
        self.add(word, path, at, published, Some(maker), What::Resource, topic);
    }

    /// A course and a collection of what is published in one library.
    async fn course(&mut self, dice: &mut Dice) {
        let lessons = self.things.iter().filter(|one| one.kind == What::Resource && one.published);
        let lessons: Vec<(usize, String)> =
            lessons.map(|one| (one.library, id_of(&one.path))).collect();
        let (at, lesson) = dice.one(&lessons).clone();
        let (slug, admin) = (self.libraries[at].slug.to_string(), self.people.len() - 1);
        let word = self.word();
        let new = json!({"library": slug, "title": format!("{COMMON}{word}")});
        let path = self.created(admin, "/api/courses", &new).await;
        let contents = json!({"sections": [{"lessons": [{"resource": lesson}]}]});
        let admins = &self.people[admin].client;
        admins.send(Method::PUT, &format!("{path}/lessons"), &contents).await.expect(200);
        let published = dice.below(2) == 0;
        if published {
            admins.post(&format!("{path}/publish")).await.expect(200);
        }
        self.add(word, path, at, published, None, What::Course, "");
        let word = self.word();
        let new = json!({"library": slug, "title": word, "resources": [lesson]});
        let path = self.created(admin, "/api/collections", &new).await;
        self.add(word, path, at, true, None, What::Collection, "");
    }

    async fn created(&self, by: usize, path: &str, new: &Value) -> String {
        let got = self.people[by].client.send(Method::POST, path, new).await.expect(201);
        format!("{path}/{}", text_of(&got.json()["id"]))
    }

    /// What the rules say.
    fn sees(&self, who: usize, thing: &Thing) -> bool {
        let person = &self.people[who];
        let none = Vec::new();
        let roles = person.roles.get(&thing.library).unwrap_or(&none);
        let has = |any: &[Role]| any.iter().any(|role| roles.contains(role));
        let manages = person.everything || has(&[Role::Librarian, Role::Administrator]);
        if thing.published {
            return manages || !roles.is_empty() || self.is_public(thing.library);
        }
        let own = thing.maker == Some(who) && has(&[Role::Author, Role::Teacher]);
        manages || own || thing.kind == What::Resource && has(&[Role::Reviewer])
    }

    fn is_public(&self, library: usize) -> bool {
        self.libraries[library].visibility == Visibility::Public
    }

    /// What anybody may find.
    fn found(&self) -> impl Iterator<Item = &Thing> {
        let searched = |thing: &&Thing| matches!(thing.kind, What::Resource | What::Course);
        self.things
            .iter()
            .filter(searched)
            .filter(|one| one.published && self.is_public(one.library))
    }

    /// Everything that lists something, in any form.
    fn lists(&self) -> Vec<String> {
        let mut paths: Vec<String> = [
            "/",
            "/libraries",
            "/feed",
            "/feed/atom",
            "/feed/rss",
            "/sitemap.xml",
            "/studio",
            "/studio/courses",
            "/review",
            "/review/complaints",
            "/review/appeals",
            "/me",
            "/admin",
            "/admin/libraries",
            "/admin/people",
            "/admin/teams",
            "/admin/invitations",
            "/admin/jobs",
            "/admin/duplicates",
            "/admin/organisations",
            "/admin/audit",
            "/api/resources?per_page=100",
            "/api/courses?per_page=100",
            "/api/collections",
            "/api/libraries",
            "/api/duplicates",
            "/api/review",
            "/api/complaints",
            "/api/appeals",
            "/api/jobs",
            "/api/audit",
            "/api/grants",
            "/api/organisations",
            "/oai?verb=ListSets",
            "/oai?verb=ListRecords&metadataPrefix=oai_dc",
            "/oai?verb=ListRecords&metadataPrefix=lom",
        ]
        .map(str::to_owned)
        .to_vec();
        let common = encode(COMMON);
        for sort in ["relevance", "newest"] {
            paths.push(format!("/api/search?q={common}&per_page=100&sort={sort}"));
            paths.push(format!("/search?q={common}&sort={sort}"));
        }
        paths.push(format!("/api/suggest?q={common}&limit=20"));
        paths.push("/api/suggest?q=zq&limit=20".to_owned());
        for one in &self.libraries {
            let slug = &one.slug;
            paths.push(format!("/libraries/{slug}"));
            paths.push(format!("/feed?library={slug}"));
            paths.push(format!("/api/search?q={common}&library={slug}&per_page=100"));
            paths.push(format!("/api/courses?library={slug}&per_page=100"));
            paths.push(format!("/api/collections?library={slug}"));
            for stage in ["published", "ready", "withdrawn", "submitted"] {
                paths.push(format!("/api/resources?library={slug}&stage={stage}&per_page=100"));
            }
        }
        for one in &self.organisations {
            paths.push(format!("/regions/{}", one.id));
            paths.push(format!("/api/organisations/{}/numbers", one.id));
            paths.push(format!("/admin/organisations/{}", one.id));
        }
        paths
    }

    /// Words in `text` of what the caller may not see; `asked` is what the caller sent.
    fn leaks<'a>(&'a self, who: usize, text: &str, asked: &str) -> Vec<&'a str> {
        let hidden = self.things.iter().filter(|thing| !self.sees(who, thing));
        let told = hidden.map(|one| one.word.as_str()).filter(|word| !asked.contains(word));
        told.filter(|word| text.contains(word)).collect()
    }
}

impl Person {
    fn nobody(app: &TestApp) -> Self {
        let client = app.nobody();
        Self { client, account: None, roles: HashMap::new(), everything: false }
    }
}

fn id_of(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn nobody_is_told_of_what_they_may_not_see() {
    for seed in 0..3 {
        let app = TestApp::with(&[
            ("DUOKU_RATES_PAGE_PER_MINUTE", "1000000"),
            ("DUOKU_RATES_SEARCH_PER_MINUTE", "1000000"),
            ("DUOKU_RATES_WRITE_PER_MINUTE", "1000000"),
        ]);
        let db = app.db().await;
        let net = Net::make(&app, &db, &mut Dice::new(seed)).await;
        db.close().await;
        let expected = net.found().count();
        eventually("all of it is in the index", Duration::from_secs(20), || async {
            let found = net.people[0].client.search(COMMON).await;
            (found["total"] == expected).then_some(())
        })
        .await;
        let mut wrong = Vec::new();
        for who in 0..net.people.len() {
            rows(&net, who, &mut wrong).await;
            counts(&net, who, &mut wrong).await;
            searches(&net, who, &mut wrong).await;
        }
        assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n"));
    }
}

/// No list tells of what is hidden, and each thing is there exactly for those who may see it.
async fn rows(net: &Net, who: usize, wrong: &mut Vec<String>) {
    let client = &net.people[who].client;
    for path in net.lists() {
        let text = client.get(&path).await.text();
        let leaks = net.leaks(who, &text, &path);
        if !leaks.is_empty() {
            wrong.push(format!("{path} tells caller {who} of {leaks:?}"));
        }
    }
    for thing in &net.things {
        let got = client.get(&thing.path).await;
        let leaks = net.leaks(who, &got.text(), &thing.path);
        let status = if net.sees(who, thing) { 200 } else { 404 };
        if got.status != status || !leaks.is_empty() {
            wrong.push(format!(
                "{}: {} for caller {who}, tells of {leaks:?}",
                thing.path, got.status
            ));
        }
    }
}

/// Numbers are of what the caller may see.
async fn counts(net: &Net, who: usize, wrong: &mut Vec<String>) {
    let client = &net.people[who].client;
    let resources = |at: usize| {
        let of = move |one: &&Thing| one.kind == What::Resource && one.library == at;
        net.things.iter().filter(of)
    };
    let listed = client.get("/api/libraries?per_page=500").await.expect(200).json();
    let mut told = BTreeMap::new();
    for library in listed["items"].as_array().expect("a list") {
        told.insert(text_of(&library["slug"]).to_owned(), library["resources"].as_u64());
    }
    told.remove("main");
    let mut right = BTreeMap::new();
    for thing in net.things.iter().filter(|one| one.kind == What::Library) {
        if net.sees(who, thing) {
            let published = resources(thing.library).filter(|one| one.published).count();
            right.insert(thing.word.clone(), Some(published as u64));
        }
    }
    if told != right {
        wrong.push(format!("libraries of caller {who}: {told:?}, not {right:?}"));
    }
    for (at, library) in net.libraries.iter().enumerate() {
        let path = format!("/api/resources?library={}&stage=published&per_page=100", library.slug);
        let got = client.get(&path).await;
        let right = resources(at).filter(|one| one.published).count();
        if got.status == 200 && got.json()["total"] != right {
            wrong.push(format!("{path}: {} for caller {who}, not {right}", got.json()["total"]));
        }
    }
}

/// Hits, facets and completions are of what anybody may see, whoever asks.
async fn searches(net: &Net, who: usize, wrong: &mut Vec<String>) {
    let client = &net.people[who].client;
    let path = format!("/api/search?q={}&per_page=100", encode(COMMON));
    let found = client.get(&path).await.expect(200).json();
    let hits = found["hits"].as_array().expect("hits").iter();
    let hits: BTreeSet<String> = hits.map(|hit| text_of(&hit["resource"]).to_owned()).collect();
    let right: BTreeSet<String> = net.found().map(|one| id_of(&one.path)).collect();
    if hits != right || found["total"] != right.len() {
        wrong.push(format!("caller {who} finds {} in {hits:?}, not {right:?}", found["total"]));
    }
    let facet = |field: &str| -> BTreeMap<String, u64> {
        let values = found["facets"][field].as_array().expect("a facet").iter();
        values.map(|one| (text_of(&one[0]).to_owned(), one[1].as_u64().expect("a count"))).collect()
    };
    let count = |of: &dyn Fn(&Thing) -> String| {
        let mut right: BTreeMap<String, u64> = BTreeMap::new();
        net.found().map(of).filter(|value| !value.is_empty()).for_each(|value| {
            *right.entry(value).or_default() += 1;
        });
        right
    };
    let slug = |one: &Thing| net.libraries[one.library].slug.to_string();
    for (field, right) in [("library", count(&slug)), ("topic", count(&|one| one.topic.to_owned()))]
    {
        if facet(field) != right {
            wrong.push(format!("facet {field} of caller {who}: {:?}, not {right:?}", facet(field)));
        }
    }
    for thing in &net.things {
        for path in [
            format!("/api/search?q={}", thing.word),
            format!("/api/suggest?q={}", &thing.word[..thing.word.len() - 1]),
        ] {
            let got = client.get(&path).await.expect(200).json();
            let public = net.found().any(|one| one.word == thing.word);
            let hits = got["hits"].as_array().or_else(|| got.as_array()).map_or(0, Vec::len);
            let told = got.to_string().contains(&id_of(&thing.path));
            if !public && (told && thing.kind != What::Library || got["total"] == 1 && hits == 1) {
                wrong.push(format!("{path}: caller {who} is told of {}", thing.path));
            }
        }
    }
}
