//! Keeps the index equal to what is published, by following the numbers of changes.
//!
//! The index is a cache: `index/current` names the folder that is in use;
//! `duoku reindex` builds another beside it and changes the name; one that
//! cannot be opened is set aside and built anew, while titles answer from the
//! database.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use indexer::{Entry, Index, Passage, PassageKind, Words};

use super::{Error, blocking, io};
use crate::app::App;
use crate::catalogue::{Resource, Stage, Visibility};
use crate::config::Config;
use crate::db;

/// Resources that are taken into the index between two commits.
const BATCH: i64 = 200;

/// Follows the changes until the program stops.
pub async fn follow(app: App) {
    let pause = Duration::from_millis(app.config.search.follow_ms);
    let mut open: Option<Opened> = None;
    loop {
        match step(&app, &mut open).await {
            Ok(()) => {}
            Err(error) => {
                tracing::error!(%error, "cannot follow changes into the index");
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

/// The index in use and the name of its folder.
#[derive(Debug, Clone)]
struct Opened {
    name: String,
    index: Index,
}

async fn step(app: &App, open: &mut Option<Opened>) -> Result<(), Error> {
    let root = root(&app.config);
    let name = current(&root);
    if open.as_ref().is_none_or(|opened| Some(&opened.name) != name.as_ref()) {
        let opened = open_or_replace(app, &root, name).await?;
        let up_to_date = catch_up(app, &opened.index, |_| {}).await;
        // From now on it answers.
        app.index.store(Some(Arc::new(opened.index.clone())));
        remove_others(&root, &opened.name);
        *open = Some(opened);
        return up_to_date;
    }
    match open {
        Some(opened) => catch_up(app, &opened.index, |_| {}).await,
        None => Ok(()),
    }
}

async fn open_or_replace(app: &App, root: &Path, name: Option<String>) -> Result<Opened, Error> {
    let words = words(&app.config)?;
    let root = root.to_owned();
    // So that the first search need not wait for the dictionary.
    words.warm();
    blocking(move || {
        if let Some(name) = name {
            match Index::open(&root.join(&name), words.clone()) {
                Ok(index) => return Ok(Opened { name, index }),
                Err(error) => tracing::warn!(%error, name, "the index is built anew"),
            }
        }
        let name = fresh_name();
        let index = open_index(&root.join(&name), words)?;
        set_current(&root, &name)?;
        Ok(Opened { name, index })
    })
    .await
}

/// Takes all changes since the index's mark into it; tells `step` after each batch.
///
/// # Errors
///
/// Those of database and index.
async fn catch_up(app: &App, index: &Index, step: impl Fn(&Index)) -> Result<(), Error> {
    loop {
        let mark = index.mark();
        let changed = db::resources::list_changed(&mut *app.db.read().await?, mark, BATCH).await?;
        let Some(last) = changed.last().map(|resource| resource.changed) else { return Ok(()) };
        let mut entries = Vec::with_capacity(changed.len());
        for resource in changed {
            entries.push(entry(app, resource).await?);
        }
        let into = index.clone();
        blocking(move || {
            for (id, entry) in &entries {
                match entry {
                    Some(entry) => into.put(entry).map_err(index_error)?,
                    None => into.remove(id).map_err(index_error)?,
                }
            }
            into.commit(last).map_err(index_error)
        })
        .await?;
        step(index);
    }
}

/// Builds an index beside the one in use and puts it in its place. Tells
/// `progress` how many of how many resources it holds.
///
/// # Errors
///
/// Those of database and index.
pub async fn rebuild(app: &App, progress: impl Fn(usize, usize)) -> Result<usize, Error> {
    let root = root(&app.config);
    let words = words(&app.config)?;
    let name = fresh_name();
    let folder = root.join(&name);
    let index = blocking(move || open_index(&folder, words)).await?;
    let all = db::resources::public_ids(&mut *app.db.read().await?).await?.len();
    catch_up(app, &index, |index| progress(index.len().unwrap_or(0), all)).await?;
    let count = index.len().map_err(index_error)?;
    drop(index);
    blocking(move || set_current(&root, &name)).await?;
    Ok(count)
}

/// Ids that the index in use holds, or how it is damaged; `None` when there is none.
///
/// # Errors
///
/// Those of reading the dictionary.
pub async fn read_current(app: &App) -> Result<Option<Result<Vec<String>, indexer::Error>>, Error> {
    let root = root(&app.config);
    let words = words(&app.config)?;
    blocking(move || {
        let Some(name) = current(&root) else { return Ok(None) };
        let index = Index::open(&root.join(name), words);
        Ok(Some(index.and_then(|index| index.verify().and_then(|()| index.resources()))))
    })
    .await
}

/// What the index is given of `resource`: nothing unless it is public.
async fn entry(app: &App, resource: Resource) -> Result<(String, Option<Entry>), Error> {
    let id = resource.id.to_string();
    if resource.stage != Stage::Published {
        return Ok((id, None));
    }
    let mut db = app.db.read().await?;
    let library = db::libraries::get(&mut db, resource.library).await?;
    if library.visibility != Visibility::Public {
        return Ok((id, None));
    }
    let passages = db::passages::list(&mut db, resource.id).await?;
    let passages = passages.into_iter().map(|passage| Passage {
        kind: if passage.page.is_some() { PassageKind::Page } else { PassageKind::Caption },
        start_ms: passage.start_ms,
        page: passage.page.and_then(|page| u32::try_from(page).ok()),
        text: passage.text,
    });
    let entry = Entry {
        resource: id.clone(),
        library: library.slug.to_string(),
        kind: resource.kind.as_str().to_owned(),
        title: resource.details.title,
        description: resource.details.description,
        author: resource.details.author,
        topics: resource.details.topics,
        audiences: resource.details.audiences,
        language: resource.details.language,
        published_ms: resource.published_ms.unwrap_or_default(),
        duration_ms: resource.duration_ms,
        passages: passages.collect(),
    };
    Ok((id, Some(entry)))
}

fn root(config: &Config) -> PathBuf {
    config.storage.data.join("index")
}

fn words(config: &Config) -> Result<Words, Error> {
    let path = &config.search.dictionary;
    if path.as_os_str().is_empty() {
        return Ok(Words::new(""));
    }
    let text = fs::read_to_string(path).map_err(io("reading the dictionary"))?;
    Ok(Words::new(&text))
}

fn fresh_name() -> String {
    uuid::Uuid::now_v7().simple().to_string()
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
    Index::open(folder, words).map_err(index_error)
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

fn index_error(error: indexer::Error) -> Error {
    Error::Io { doing: "indexing", source: std::io::Error::other(error) }
}
