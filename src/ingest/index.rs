//! Keeps the index equal to what is published, by following the numbers of changes.
//!
//! The index is a cache: `index/current` names the folder that is in use;
//! `duoku reindex` builds another beside it and changes the name; one that
//! cannot be opened, was damaged while in use or is of another database is set
//! aside and built anew, while titles answer from the database.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indexer::{Entry, Index, Passage, PassageKind, Words};

use super::{Error, blocking, changes, io};
use crate::app::App;
use crate::catalogue::{DocumentForm, FileType, Resource, Stage, TOPICS, Visibility, label_of};
use crate::config::Config;
use crate::db;

/// Resources that are read at one time, and the bytes of text held in memory for it.
const BATCH: i64 = 500;
const BATCH_BYTES: usize = 16 << 20;

/// Resources, and bytes of text, that are taken into the index between two commits when there is
/// much to take: a commit takes a tenth of a second.
const COMMIT: usize = 20_000;
const COMMIT_BYTES: usize = 128 << 20;

/// Names of the settings with the words that the installation's librarians keep.
pub const DICTIONARY: &str = "search_dictionary";
/// As [`DICTIONARY`]: words that mean the same.
pub const SYNONYMS: &str = "search_synonyms";

/// Follows the changes until the program stops.
pub async fn follow(app: App) {
    let pause = Duration::from_millis(app.config.search.follow_ms);
    let mut open: Option<Opened> = None;
    loop {
        let doubted = app.index_doubted.swap(false, Ordering::Relaxed);
        match step(&app, &mut open).await {
            Ok(()) if doubted => give_up_if_damaged(&app, &mut open).await,
            Ok(()) => {}
            Err(error) => {
                tracing::error!(%error, "cannot follow changes into the index");
                if doubted || matches!(error, Error::Index(_)) {
                    give_up_if_damaged(&app, &mut open).await;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        tokio::select! {
            () = app.resource_changed.notified() => {}
            () = tokio::time::sleep(pause) => {}
            () = app.stop.cancelled() => return,
        }
    }
}

/// The index that follows the changes and the name of its folder.
#[derive(Debug, Clone)]
struct Opened {
    name: String,
    index: Index,
    /// The words of the file.
    own: String,
    /// The words that it has.
    spoken: Spoken,
    /// Searches use it: it was up to date once.
    answers: bool,
}

async fn step(app: &App, open: &mut Option<Opened>) -> Result<(), Error> {
    let root = root(&app.config);
    let name = current(&root);
    if let Some(opened) = open.take_if(|opened| Some(&opened.name) != name.as_ref()) {
        tracing::info!(name = opened.name, "another index takes its place");
    }
    if open.as_ref().is_some_and(|opened| !root.join(&opened.name).is_dir()) {
        give_up(app, open);
    }
    let opened = match open {
        Some(opened) => opened,
        None => open.insert(open_or_replace(app, &root, current(&root)).await?),
    };
    let spoken = Spoken::of(app, &opened.own).await?;
    if spoken != opened.spoken {
        opened.index.set_words(spoken.words());
        opened.spoken = spoken;
        app.answers.forget();
    }
    if !catch_up(app, &opened.index, |_| {}).await? {
        tracing::warn!("the index is of another database, or of this one at a later time");
        give_up(app, open);
        app.resource_changed.notify_one();
        return Ok(());
    }
    if !opened.answers && !app.stop.is_cancelled() {
        opened.answers = true;
        app.index.store(Some(Arc::new(opened.index.clone())));
        app.answers.forget();
        remove_others(&root, &opened.name);
    }
    Ok(())
}

/// Reads the whole index, which takes a second a gigabyte, and gives it up when it is damaged.
/// Other reasons for an error, such as a full disk or a query that breaks it, pass.
async fn give_up_if_damaged(app: &App, open: &mut Option<Opened>) {
    let Some(index) = open.as_ref().map(|opened| opened.index.clone()) else { return };
    if let Err(error) = blocking(move || Ok(index.verify()?)).await {
        tracing::error!(%error, "the index in use is damaged");
        give_up(app, open);
        app.resource_changed.notify_one();
    }
}

/// Lets titles answer, until the next step has built another index.
fn give_up(app: &App, open: &mut Option<Opened>) {
    app.index.store(None);
    app.answers.forget();
    let Some(opened) = open.take() else { return };
    let root = root(&app.config);
    if current(&root).as_ref() == Some(&opened.name)
        && let Err(error) = fs::remove_file(root.join("current"))
    {
        tracing::warn!(%error, "cannot forget the index");
    }
}

/// Opens the index `name`; makes a fresh one when there is none, when it cannot be opened, or when
/// it is that of another database.
async fn open_or_replace(app: &App, root: &Path, name: Option<String>) -> Result<Opened, Error> {
    let own = own_words(&app.config)?;
    let spoken = Spoken::of(app, &own).await?;
    let words = spoken.words();
    let root = root.to_owned();
    let fresh = fresh_name(app).await?;
    let name = name.filter(|name| of_same_database(name, &fresh));
    // So that the first search need not wait for the dictionary.
    words.warm();
    blocking(move || {
        if let Some(name) = name {
            match Index::open(&root.join(&name), words.clone()) {
                Ok(index) => return Ok(Opened { name, index, own, spoken, answers: false }),
                Err(error) => tracing::warn!(%error, name, "the index is built anew"),
            }
        }
        let index = open_index(&root.join(&fresh), words)?;
        set_current(&root, &fresh)?;
        Ok(Opened { name: fresh, index, own, spoken, answers: false })
    })
    .await
}

/// Takes all changes since the index's mark into it, or those until the program stops; tells
/// `step` after each commit. False: the mark is a change that the database does not have.
///
/// # Errors
///
/// Those of database and index.
async fn catch_up(app: &App, index: &Index, step: impl Fn(&Index)) -> Result<bool, Error> {
    let mut mark = index.mark();
    let mut pending = Pending::default();
    while !app.stop.is_cancelled() {
        let mut db = app.db.read().await?;
        let changed = changes::list(&mut db, mark, BATCH).await?;
        let all = changed.len() < BATCH as usize;
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for one in changed {
            mark = one.number();
            let (id, entry) = one.entry(&mut db).await?;
            bytes += entry.as_ref().map_or(0, text_bytes);
            entries.push((id, entry));
            if bytes >= BATCH_BYTES {
                break;
            }
        }
        drop(db);
        if entries.is_empty() && pending.resources == 0 {
            let last = db::settings::last_change(&mut *app.db.read().await?).await?;
            return Ok(mark <= last);
        }
        pending.resources += entries.len();
        pending.bytes += bytes;
        let commit = all || pending.resources >= COMMIT || pending.bytes >= COMMIT_BYTES;
        let into = index.clone();
        blocking(move || {
            for (id, entry) in &entries {
                match entry {
                    Some(entry) => into.put(entry)?,
                    None => into.remove(id)?,
                }
            }
            if commit {
                crate::fault::at("index-commit");
                into.commit(mark)?;
                crate::fault::at("index-commit-done");
            }
            Ok(())
        })
        .await?;
        if commit {
            pending = Pending::default();
            app.answers.forget();
            step(index);
        }
    }
    Ok(true)
}

/// What is in the index but not committed.
#[derive(Default)]
struct Pending {
    resources: usize,
    bytes: usize,
}

fn text_bytes(entry: &Entry) -> usize {
    entry.description.len() + entry.passages.iter().map(|passage| passage.text.len()).sum::<usize>()
}

/// Builds an index beside the one in use and puts it in its place. Tells
/// `progress` how many of how many resources it holds.
///
/// # Errors
///
/// Those of database and index.
pub async fn rebuild(app: &App, progress: impl Fn(usize, usize)) -> Result<usize, Error> {
    let root = root(&app.config);
    let words = Spoken::read(app).await?.words();
    let name = fresh_name(app).await?;
    let folder = root.join(&name);
    let index = blocking(move || open_index(&folder, words)).await?;
    let all = public_ids(app).await?.len();
    catch_up(app, &index, |index| progress(index.len().unwrap_or(0), all)).await?;
    let count = index.len()?;
    blocking(move || {
        index.settle()?;
        drop(index);
        set_current(&root, &name)
    })
    .await?;
    Ok(count)
}

/// Ids of what the index is to hold.
///
/// # Errors
///
/// Those of the database.
pub async fn public_ids(app: &App) -> Result<Vec<String>, Error> {
    let mut db = app.db.read().await?;
    let mut ids = db::resources::public_ids(&mut db).await?;
    ids.extend(db::courses::public_ids(&mut db).await?);
    Ok(ids)
}

/// Ids that the index in use holds, or how it is damaged; `None` when there is none.
///
/// # Errors
///
/// Those of the database and of reading the dictionary.
pub async fn read_current(app: &App) -> Result<Option<Result<Vec<String>, indexer::Error>>, Error> {
    let root = root(&app.config);
    let words = Spoken::read(app).await?.words();
    blocking(move || {
        let Some(name) = current(&root) else { return Ok(None) };
        let index = Index::open(&root.join(name), words);
        Ok(Some(index.and_then(|index| index.verify().and_then(|()| index.resources()))))
    })
    .await
}

/// What the index is given of `resource`: nothing unless it is public.
pub(super) async fn entry(
    db: &mut sqlx::AnyConnection,
    resource: Resource,
) -> Result<(String, Option<Entry>), Error> {
    let id = resource.id.to_string();
    if resource.stage != Stage::Published {
        return Ok((id, None));
    }
    let library = db::libraries::get(db, resource.library).await?;
    if library.visibility != Visibility::Public {
        return Ok((id, None));
    }
    let passages = db::passages::list(db, resource.id).await?;
    let passages: Vec<Passage> = passages
        .into_iter()
        .map(|passage| Passage {
            kind: match passage.start_ms {
                Some(_) if passage.page.is_some() => PassageKind::Slide,
                _ => kind_of(&resource, passage.page.is_some()),
            },
            start_ms: passage.start_ms,
            page: passage.page.and_then(|page| u32::try_from(page).ok()),
            text: passage.text,
        })
        .collect();
    let entry = Entry {
        resource: id.clone(),
        library: library.slug.to_string(),
        kind: resource.kind.as_str().to_owned(),
        title: resource.details.title,
        description: resource.details.description,
        author: resource.details.author,
        words: labels(&resource.details.topics),
        topics: resource.details.topics,
        audiences: resource.details.audiences,
        language: resource.details.language,
        published_ms: resource.published_ms.unwrap_or_default(),
        duration_ms: resource.duration_ms,
        passages,
    };
    Ok((id, Some(entry)))
}

/// What the passages of `resource` are pieces of.
fn kind_of(resource: &Resource, numbered: bool) -> PassageKind {
    match FileType::form(&resource.media_type) {
        _ if !numbered => PassageKind::Caption,
        DocumentForm::Book => PassageKind::Chapter,
        _ if resource.derived.deck => PassageKind::Slide,
        _ => PassageKind::Page,
    }
}

/// What the topics of `codes` are called, in both languages.
pub(super) fn labels(codes: &[String]) -> Vec<String> {
    let both =
        |code: &String| [true, false].map(|chinese| label_of(TOPICS, code, chinese).to_owned());
    codes.iter().flat_map(both).collect()
}

fn root(config: &Config) -> PathBuf {
    config.storage.data.join("index")
}

/// The words that this installation keeps: those of its file, and those of its librarians.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Spoken {
    dictionary: String,
    synonyms: String,
}

impl Spoken {
    async fn read(app: &App) -> Result<Self, Error> {
        Self::of(app, &own_words(&app.config)?).await
    }

    /// The librarians' words beside `own`, those of the file.
    async fn of(app: &App, own: &str) -> Result<Self, Error> {
        let mut db = app.db.read().await?;
        let kept = db::settings::find(&mut db, DICTIONARY).await?.unwrap_or_default();
        let synonyms = db::settings::find(&mut db, SYNONYMS).await?.unwrap_or_default();
        Ok(Self { dictionary: format!("{own}\n{kept}"), synonyms })
    }

    fn words(&self) -> Words {
        Words::with_synonyms(&self.dictionary, &self.synonyms)
    }
}

/// The words of the file that the settings name; it is read once.
fn own_words(config: &Config) -> Result<String, Error> {
    let path = &config.search.dictionary;
    if path.as_os_str().is_empty() {
        return Ok(String::new());
    }
    fs::read_to_string(path).map_err(io("reading the dictionary"))
}

/// A name later in the alphabet than those before; its second half is the database's own.
async fn fresh_name(app: &App) -> Result<String, Error> {
    let mut tx = app.db.begin().await?;
    let fresh = uuid::Uuid::new_v4().simple().to_string();
    let database = db::settings::get_or_set(&mut tx, "database", &fresh).await?;
    tx.commit().await?;
    Ok(format!("{}{database}", uuid::Uuid::now_v7().simple()))
}

fn of_same_database(name: &str, other: &str) -> bool {
    let database = |name: &str| name.get(32..).map(str::to_owned);
    database(name) == database(other)
}

fn current(root: &Path) -> Option<String> {
    let name = fs::read_to_string(root.join("current")).ok()?.trim().to_owned();
    (!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(name)
}

fn set_current(root: &Path, name: &str) -> Result<(), Error> {
    let aside = root.join("current.new");
    fs::write(&aside, name).map_err(io("naming the index"))?;
    fs::rename(aside, root.join("current")).map_err(io("naming the index"))
}

fn open_index(folder: &Path, words: Words) -> Result<Index, Error> {
    fs::create_dir_all(folder).map_err(io("making the index"))?;
    Ok(Index::open(folder, words)?)
}

/// Removes the folders of older indexes. A newer one is being built by `duoku reindex`.
fn remove_others(root: &Path, name: &str) {
    let Ok(entries) = fs::read_dir(root) else { return };
    for entry in entries.flatten() {
        let older = entry.file_name().to_string_lossy().as_ref() < name && entry.path().is_dir();
        if older && let Err(error) = fs::remove_dir_all(entry.path()) {
            tracing::warn!(%error, "cannot remove an old index");
        }
    }
}
