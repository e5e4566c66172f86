//! `duoku check`: rows against objects and hashes, uploads against files, index against
//! rows, both ways. It may run beside a server: what looks wrong is looked at again.

use std::collections::{HashMap, HashSet};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::print_line;
use crate::app::App;
use crate::catalogue::{
    DocumentForm, FileType, Kind, PAGES_UNSHOWN, Rendition, RenditionState, Resource, Stage,
    UploadId,
};
use crate::db;
use crate::db::resources::Filter;
use crate::db::uploads::Upload;
use crate::ingest::{self, sweep, upload};
use crate::store::{Error, Key};

/// Compares rows, objects and index.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    /// Compare sizes only: much quicker, finds no damage inside objects.
    #[arg(long)]
    quick: bool,
    /// Remove objects that no row names, unless they were stored within the last hour.
    #[arg(long)]
    repair: bool,
}

/// What is wrong, in words that programs can read.
#[derive(Debug, Default, Serialize)]
struct Report {
    objects: usize,
    resources: usize,
    problems: Vec<Problem>,
}

#[derive(Debug, Serialize)]
struct Problem {
    /// missing, damaged, orphan, unnamed, unused, incomplete, not-indexed, indexed-too-much, stuck
    kind: &'static str,
    /// A key or an id.
    subject: String,
    detail: String,
}

impl Report {
    fn add(&mut self, kind: &'static str, subject: impl Into<String>, detail: impl Into<String>) {
        self.problems.push(Problem { kind, subject: subject.into(), detail: detail.into() });
    }
}

impl Check {
    pub(super) async fn run(self, app: App) -> anyhow::Result<ExitCode> {
        let mut report = Report::default();
        let named = self.check_objects(&app, &mut report).await?;
        check_orphans(&app, &named, self.repair, &mut report).await?;
        check_uploads(&app, &mut report).await?;
        check_resources(&app, &named, &mut report).await?;
        check_index(&app, &mut report).await?;
        if self.json {
            print_line(&serde_json::to_string_pretty(&report)?);
        } else {
            for Problem { kind, subject, detail } in &report.problems {
                print_line(&format!("{kind}\t{subject}\t{detail}"));
            }
            print_line(&format!(
                "检查了 {} 个对象、{} 个资源，发现 {} 个问题 {} objects, {} resources, {} problems",
                report.objects,
                report.resources,
                report.problems.len(),
                report.objects,
                report.resources,
                report.problems.len(),
            ));
        }
        Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
    }

    /// Every row's object: there, of its size, with its hash. Gives the keys.
    async fn check_objects(
        &self,
        app: &App,
        report: &mut Report,
    ) -> anyhow::Result<HashSet<String>> {
        let mut named = HashSet::new();
        let mut after = String::new();
        loop {
            let rows = db::objects::list(&mut *app.db.read().await?, &after, 1000).await?;
            let Some(last) = rows.last() else { return Ok(named) };
            after.clone_from(&last.key);
            for row in rows {
                report.objects += 1;
                self.check_object(app, &row, report);
                named.insert(row.key);
            }
        }
    }

    fn check_object(&self, app: &App, row: &db::objects::Object, report: &mut Report) {
        let found = match self.quick {
            true => app.store.size_of(&row.key).map(|size| (size, None)),
            false => app.store.stored(&row.key).map(|s| (s.size_bytes, Some(s.sha256.to_string()))),
        };
        match found {
            Err(Error::Missing(_)) => report.add("missing", &row.key, "it is not in the store"),
            Err(error) => report.add("damaged", &row.key, error.to_string()),
            Ok((size, _)) if size != row.size_bytes => {
                let problem = format!("{size} bytes instead of {}", row.size_bytes);
                report.add("damaged", &row.key, problem);
            }
            Ok((_, Some(hash))) if hash != row.sha256 => {
                report.add(
                    "damaged",
                    &row.key,
                    format!("SHA-256 {hash} instead of {}", row.sha256),
                );
            }
            Ok(_) => {}
        }
    }
}

/// Every object's row, and every source's resource.
async fn check_orphans(
    app: &App,
    named: &HashSet<String>,
    repair: bool,
    report: &mut Report,
) -> anyhow::Result<()> {
    for (key, size) in app.store.list("")? {
        // Work under way may have named it by now.
        if named.contains(&key) || is_named(app, &key).await? {
            continue;
        }
        let young = app.store.is_young(&key, sweep::YOUNG);
        if repair && !young {
            sweep::remove_unnamed(app, &key).await?;
        } else {
            let hint = if young { ", stored within the last hour" } else { "" };
            report.add("orphan", key, format!("{size} bytes that no row names{hint}"));
        }
    }
    for source in db::objects::unused_sources(&mut *app.db.read().await?).await? {
        report.add("unused", source.key, "no resource has this source");
    }
    Ok(())
}

async fn is_named(app: &App, key: &str) -> anyhow::Result<bool> {
    Ok(db::objects::find(&mut *app.db.read().await?, key).await?.is_some())
}

/// Every upload's file, with all that was acknowledged, and every such file's upload.
async fn check_uploads(app: &App, report: &mut Report) -> anyhow::Result<()> {
    let files = upload::files(app).await?;
    let needed = db::uploads::list_needed(&mut *app.db.read().await?).await?;
    let known: HashSet<UploadId> = needed.iter().map(|upload| upload.id).collect();
    let lost = |upload: &Upload| {
        let size = std::fs::metadata(upload::path(app, upload.id)).map_or(0, |f| f.len());
        (size.cast_signed() < upload.offset_bytes - upload.piece_bytes).then_some(size)
    };
    let suspects: Vec<(Upload, u64)> =
        needed.into_iter().filter_map(|upload| lost(&upload).map(|size| (upload, size))).collect();
    if !suspects.is_empty() {
        // Intake or its client may have ended it by now.
        let still = db::uploads::list_needed(&mut *app.db.read().await?).await?;
        for (upload, size) in suspects.iter().filter(|(u, _)| still.iter().any(|s| s.id == u.id)) {
            let detail = format!("{size} bytes instead of {}", upload.offset_bytes);
            report.add("damaged", format!("upload/{}", upload.id), detail);
        }
    }
    for id in files.iter().filter(|id| !known.contains(id)) {
        if !crate::store::is_young(&upload::path(app, *id), sweep::YOUNG) {
            report.add("orphan", format!("upload/{id}"), "a sweep removes it");
        }
    }
    Ok(())
}

/// Every resource: its jobs can end, and what it names has rows.
async fn check_resources(
    app: &App,
    named: &HashSet<String>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut offset = 0;
    loop {
        let filter = Filter::default();
        let (_, page) =
            db::resources::list(&mut *app.db.read().await?, &filter, offset, 200).await?;
        if page.is_empty() {
            return Ok(());
        }
        offset += page.len() as i64;
        for resource in page {
            report.resources += 1;
            check_resource(app, &resource, named, report).await?;
        }
    }
}

async fn check_resource(
    app: &App,
    resource: &Resource,
    named: &HashSet<String>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut db = app.db.read().await?;
    let id = resource.id.to_string();
    let mut keys = db::media::keys_of(&mut db, resource.id).await?;
    keys.extend(resource.source.map(|hash| Key::Source(hash).to_string()));
    keys.extend(resource.poster.clone());
    keys.extend(resource.derived.picture.clone());
    keys.extend(resource.derived.pdf.clone());
    keys.extend(resource.derived.picture_words.clone());
    keys.extend(resource.derived.posters.iter().map(|poster| poster.key.clone()));
    keys.extend(resource.derived.storyboard.iter().map(|sprite| sprite.key.clone()));
    for key in keys.iter().filter(|key| !named.contains(*key)) {
        if db::objects::find(&mut db, key).await?.is_none() {
            report.add("unnamed", key, format!("resource {id} names it, no object row does"));
        }
    }
    let jobs = db::jobs::list(&mut db, resource.id).await?;
    // Without the extra ones it is ready all the same.
    let open = jobs.iter().filter(|job| {
        !db::jobs::only_adds(&job.kind) && (job.state == "queued" || job.state == "running")
    });
    let open = open.count();
    match resource.stage {
        Stage::Processing if open == 0 => report.add("stuck", &id, "processing without a job"),
        Stage::Ready | Stage::Submitted | Stage::Published | Stage::Withdrawn => {
            let rows = db::objects::keys_of(&mut db, resource.id).await?;
            for key in rows.iter().filter(|key| named.contains(*key) && !keys.contains(key)) {
                report.add("unused", key, format!("resource {id} does not name it"));
            }
            let renditions = db::media::list_renditions(&mut db, resource.id).await?;
            let making = renditions.iter().any(|r| r.state == RenditionState::Making);
            match (open, making) {
                (0, true) => report.add("stuck", &id, "a rendition is being made without a job"),
                (1.., false) => {
                    report.add(
                        "stuck",
                        &id,
                        format!("{open} jobs although it is {}", resource.stage),
                    );
                }
                _ => {}
            }
            // What was harvested is made and kept at its home.
            if !db::sources::origins(&mut db, std::slice::from_ref(&id)).await?.is_empty() {
                return Ok(());
            }
            for problem in incomplete(&mut db, resource, &renditions).await? {
                report.add("incomplete", &id, problem);
            }
        }
        _ => {}
    }
    Ok(())
}

/// What a ready resource lacks.
async fn incomplete(
    db: &mut sqlx::AnyConnection,
    resource: &Resource,
    renditions: &[Rendition],
) -> anyhow::Result<Vec<String>> {
    let mut problems = Vec::new();
    match resource.kind {
        Kind::Video | Kind::Audio => {
            let end_of = |track: &Rendition| {
                track.segments().last().map_or(0.0, |(_, s)| track.seconds(s.start + s.duration))
            };
            // Of several tracks one may be shorter, not a rendition than others of its track.
            let longest = renditions.iter().map(end_of).fold(0.0, f64::max);
            let duration = resource.duration_ms.unwrap_or_default() as f64 / 1000.0;
            if longest < duration - 1.0 || renditions.is_empty() {
                problems.push(format!("renditions of {longest} s instead of {duration}"));
            }
            for rendition in renditions {
                if rendition.state == RenditionState::Absent {
                    if rendition.init.is_some() || !rendition.parts.is_empty() {
                        problems
                            .push(format!("rendition {} is absent and has media", rendition.name));
                    }
                    continue;
                }
                // Its jobs are open, else it is stuck; what there was before is whole without it.
                if rendition.state == RenditionState::Making {
                    continue;
                }
                let others = renditions.iter().filter(|other| other.track == rendition.track);
                let expected = others.map(end_of).fold(0.0, f64::max);
                let gap =
                    db::media::count_parts(db, rendition.id).await? > rendition.parts.len() as i64;
                let short = end_of(rendition) < expected - 1.0 || expected == 0.0;
                if rendition.init.is_none() || gap || short {
                    problems.push(format!("rendition {} is not complete", rendition.name));
                }
            }
        }
        Kind::Document => {
            let pages = db::media::list_pages(db, resource.id).await?.len() as i64;
            if FileType::form(&resource.media_type) == DocumentForm::Book {
                if db::books::list_chapters(db, resource.id).await?.is_empty() {
                    problems.push("no chapters".into());
                }
            } else if Some(pages) != resource.pages {
                problems.push(format!("{pages} pages instead of {:?}", resource.pages));
            }
            if let Some(problem) = pages_without_pictures(db, resource).await? {
                problems.push(problem);
            }
        }
        Kind::Image if resource.derived.picture.is_none() => problems.push("no picture".into()),
        Kind::Image | Kind::Package => {}
    }
    Ok(problems)
}

/// Pages that nobody makes pictures of any more, although no warning says so.
async fn pages_without_pictures(
    db: &mut sqlx::AnyConnection,
    resource: &Resource,
) -> anyhow::Result<Option<String>> {
    let jobs = db::jobs::list(db, resource.id).await?;
    let is_open = |state: &str| state == "queued" || state == "running";
    let made = jobs.iter().any(|job| job.kind == db::jobs::LATER_PAGES && is_open(&job.state));
    if made || resource.warnings.iter().any(|code| code == PAGES_UNSHOWN) {
        return Ok(None);
    }
    let count = db::media::count_without_pictures(db, resource.id).await?;
    Ok((count > 0).then(|| format!("{count} pages have no pictures")))
}

/// The index holds what is public, once, and nothing else.
async fn check_index(app: &App, report: &mut Report) -> anyhow::Result<()> {
    let expected: HashSet<String> = ingest::index::public_ids(app).await?.into_iter().collect();
    let mut indexed = ingest::index::read_current(app).await?;
    if matches!(indexed, Some(Err(_))) {
        // A server beside us may have merged files that were to be read.
        indexed = ingest::index::read_current(app).await?;
    }
    let indexed = match indexed {
        Some(Ok(indexed)) => indexed,
        Some(Err(error)) => {
            report.add("damaged", "index", format!("{error}; `duoku reindex` builds it anew"));
            return Ok(());
        }
        None if expected.is_empty() => return Ok(()),
        None => {
            report.add("not-indexed", "index", "there is no index; `duoku reindex` builds it");
            return Ok(());
        }
    };
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for id in &indexed {
        *counts.entry(id).or_default() += 1;
    }
    let left_out = db::unindexed::list(&mut *app.db.read().await?).await?;
    for id in expected.iter().filter(|id| !counts.contains_key(id.as_str())) {
        let why = left_out.iter().find(|one| one.resource == *id).map(|one| &*one.reason);
        report.add("not-indexed", id, why.unwrap_or("public, but not in the index"));
    }
    for (id, count) in counts {
        if !expected.contains(id) {
            report.add("indexed-too-much", id, "in the index, but not public");
        } else if count > 1 {
            report.add("indexed-too-much", id, format!("{count} times in the index"));
        }
    }
    Ok(())
}
