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

use indexer::{Index, Words};

use super::entry::{self, Change};
use super::watch::{Noticed, Watch};
use super::{Error, blocking, cut, io, unindexed};
use crate::app::App;
use crate::config::Config;
use crate::db;
use crate::db::unindexed::Unindexed;

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
    let root = root(&app.config);
    let survives = fs::create_dir_all(&root).and_then(|()| cut::survive(&root));
    if let Err(error) = survives {
        tracing::warn!(%error, "an index that is cut while it is in use will end the program");
    }
    let mut cut = cut::count();
    loop {
        let cut_before = std::mem::replace(&mut cut, cut::count());
        let look = |opened: &mut Opened| opened.watch.look(&root.join(&opened.name));
        let noticed = open.as_mut().map_or(Noticed::Nothing, look);
        if noticed == Noticed::Gone {
            tracing::error!("files of the index in use are gone");
            give_up(&app, &mut open);
        }
        let doubted = app.index_doubted.swap(false, Ordering::Relaxed)
            || cut != cut_before
            || noticed == Noticed::Changed;
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
    watch: Watch,
}

impl Opened {
    fn new(name: String, index: Index, own: String, spoken: Spoken) -> Self {
        Self { name, index, own, spoken, answers: false, watch: Watch::default() }
    }
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
        // What is spoilt from here on is noticed, not taken for how the files are.
        opened.watch.look(&root.join(&opened.name));
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
                Ok(index) => return Ok(Opened::new(name, index, own, spoken)),
                Err(error) => tracing::warn!(%error, name, "the index is built anew"),
            }
        }
        let index = open_index(&root.join(&fresh), words)?;
        set_current(&root, &fresh)?;
        Ok(Opened::new(fresh, index, own, spoken))
    })
    .await
}

/// Takes all changes since the index's mark into it, or those until the program stops; tells
/// `step` after each commit. What cannot be taken is left out and listed. False: the mark is a
/// change that the database does not have.
///
/// # Errors
///
/// Those of database and index.
async fn catch_up(app: &App, index: &Index, step: impl Fn(&Index)) -> Result<bool, Error> {
    loop {
        match take_all(app, index, &step).await {
            Err(Error::Index(error @ indexer::Error::Write(_))) => {
                tracing::warn!(%error, "changes are taken into the index one by one");
                unindexed::take_one_by_one(app, index, BATCH).await?;
                app.answers.forget();
            }
            ended => return ended,
        }
    }
}

async fn take_all(app: &App, index: &Index, step: impl Fn(&Index)) -> Result<bool, Error> {
    let mut mark = index.mark();
    let mut pending = Pending::default();
    while !app.stop.is_cancelled() {
        let mut db = app.db.read().await?;
        let (changes, all) = entry::changes(&mut db, mark, BATCH, BATCH_BYTES).await?;
        drop(db);
        if changes.is_empty() && pending.resources == 0 {
            let last = db::settings::last_change(&mut *app.db.read().await?).await?;
            return Ok(mark <= last);
        }
        mark = changes.last().map_or(mark, |change| change.number);
        pending.resources += changes.len();
        pending.bytes += changes.iter().map(Change::text_bytes).sum::<usize>();
        let commit = all || pending.resources >= COMMIT || pending.bytes >= COMMIT_BYTES;
        let into = index.clone();
        let changes = blocking(move || unindexed::take(&into, changes)).await?;
        unindexed::note(app, &changes).await?;
        if commit {
            let into = index.clone();
            blocking(move || {
                crate::fault::at("index-commit");
                into.commit(mark)?;
                crate::fault::at("index-commit-done");
                Ok(())
            })
            .await?;
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

/// Builds an index beside the one in use and puts it in its place. Tells `progress` how many of how
/// many resources it holds. Gives how many it holds in the end, and what it had to leave out.
///
/// # Errors
///
/// Those of database and index.
pub async fn rebuild(
    app: &App,
    progress: impl Fn(usize, usize),
) -> Result<(usize, Vec<Unindexed>), Error> {
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
    Ok((count, db::unindexed::list(&mut *app.db.read().await?).await?))
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
