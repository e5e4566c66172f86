//! `duoku import`: files and folders into a library.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;

use super::account::{find, find_library};
use super::print_line;
use crate::api::sentence;
use crate::app::App;
use crate::catalogue::{Account, Details, FileType, Library, ResourceId, Sha256, Stage, UploadId};
use crate::db;
use crate::db::uploads::{State, Upload};
use crate::ingest::{captions, upload};
use crate::pages::Lang;
use crate::store::Stored;

/// Takes files and folders into a library. A file that is there already
/// (by its content) is left alone.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// Files, and folders with all that is in them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Slug of the library.
    #[arg(long)]
    library: String,
    /// CSV with a column `file` (relative to the CSV) and any of title,
    /// description, author, language, topics, audiences, licence, captions;
    /// several values are parted by `;`.
    #[arg(long)]
    manifest: Option<PathBuf>,
    /// Whose uploads they are.
    #[arg(long, default_value = "admin")]
    user: String,
    /// Wait until all is processed. Without a running `serve` or `work` this command works itself.
    #[arg(long)]
    wait: bool,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Write the report as JSON to this file.
    #[arg(long)]
    report: Option<PathBuf>,
}

/// A row of the manifest.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
struct Row {
    file: String,
    title: String,
    description: String,
    author: String,
    language: String,
    topics: String,
    audiences: String,
    licence: String,
    captions: String,
}

/// What became of a file.
#[derive(Debug, Serialize)]
struct Line {
    file: String,
    /// imported, exists, captions, refused, failed
    outcome: &'static str,
    resource: Option<String>,
    /// Why, or what was left out.
    detail: String,
}

/// A file to be taken in.
struct Planned {
    path: PathBuf,
    row: Row,
    captions: Vec<PathBuf>,
}

impl Import {
    pub(super) async fn run(self, app: App) -> anyhow::Result<ExitCode> {
        let (account, library) = {
            let mut tx = app.db.begin().await?;
            (find(&mut tx, &self.user).await?, find_library(&mut tx, &self.library).await?)
        };
        let rows = self.manifest.as_deref().map(read_manifest).transpose()?.unwrap_or_default();
        let mut files = Vec::new();
        for path in &self.paths {
            collect(path, self.manifest.as_deref(), &mut files)
                .with_context(|| path.display().to_string())?;
        }
        let (planned, mut lines) = plan(files, &rows);
        let bars = MultiProgress::new();
        let all = bars.add(ProgressBar::new(planned.len() as u64));
        all.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {wide_msg}")?);
        for planned in planned {
            all.set_message(planned.path.display().to_string());
            let line = self.take(&app, &account, &library, &planned, &bars).await;
            all.inc(1);
            lines.extend(line.unwrap_or_else(|error| {
                vec![line_of(&planned.path, "failed", None, format!("{error:#}"))]
            }));
        }
        all.finish_and_clear();
        if self.wait && !self.dry_run {
            wait(&app, &mut lines).await?;
        }
        self.tell(&lines)
    }

    /// Takes one file in, with its captions.
    async fn take(
        &self,
        app: &App,
        account: &Account,
        library: &Library,
        planned: &Planned,
        bars: &MultiProgress,
    ) -> anyhow::Result<Vec<Line>> {
        let path = &planned.path;
        let file_name =
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let size = i64::try_from(fs::metadata(path)?.len())?;
        let refused = |refusal: &crate::catalogue::Refusal| {
            let ending = file_name.rsplit('.').next().unwrap_or("");
            let info =
                if refusal.code().starts_with("type") { ending.to_owned() } else { refusal.info() };
            vec![line_of(path, "refused", None, sentence(Lang::Zh, refusal.code(), &info))]
        };
        if let Err(refusal) = upload::admit(app, library, &file_name, size).await? {
            return Ok(refused(&refusal));
        }
        let mut head = Vec::new();
        std::io::Read::read_to_end(
            &mut std::io::Read::take(File::open(path)?, upload::HEAD_BYTES as u64),
            &mut head,
        )?;
        let file_type = match FileType::by_content(&file_name, &head) {
            Ok(file_type) => file_type,
            Err(refusal) => return Ok(refused(&refusal)),
        };
        let details = details(&planned.row, &file_name).checked()?;
        let bar = bars.add(ProgressBar::new(size.unsigned_abs()));
        bar.set_style(ProgressStyle::with_template("  {bytes}/{total_bytes} {bytes_per_sec}")?);
        let stored = hash(path, &bar)?;
        bar.finish_and_clear();
        let known =
            db::resources::find_by_source(&mut *app.db.read().await?, library.id, stored.sha256)
                .await?;
        if let Some(known) = known {
            return Ok(vec![line_of(path, "exists", Some(known.id), String::new())]);
        }
        if self.dry_run {
            return Ok(vec![line_of(path, "imported", None, "dry run".into())]);
        }
        let id = copy_in(app, path, stored.sha256)?;
        let now_ms = app.now_ms();
        let mut taken = Upload {
            id,
            account: account.id,
            library: library.id,
            state: State::Receiving,
            partial: false,
            file_name,
            metadata: String::new(),
            length_bytes: size,
            offset_bytes: size,
            resource: None,
            created_ms: now_ms,
            expires_ms: now_ms + app.config.upload.expires_hours * 3_600_000,
        };
        let mut tx = app.db.begin().await?;
        db::uploads::insert(&mut tx, &taken).await?;
        let resource =
            upload::complete(&mut tx, &mut taken, file_type, details, None, now_ms).await?;
        tx.commit().await?;
        let mut lines = vec![line_of(path, "imported", Some(resource.id), String::new())];
        for captions in &planned.captions {
            lines.push(add_captions(app, &resource, captions).await);
        }
        Ok(lines)
    }

    fn tell(&self, lines: &[Line]) -> anyhow::Result<ExitCode> {
        for Line { file, outcome, resource, detail } in lines {
            print_line(&format!(
                "{outcome}\t{file}\t{}\t{detail}",
                resource.as_deref().unwrap_or("-")
            ));
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        lines.iter().for_each(|line| *counts.entry(line.outcome).or_default() += 1);
        let words: Vec<String> =
            counts.iter().map(|(outcome, count)| format!("{outcome} {count}")).collect();
        print_line(&words.join(", "));
        if let Some(path) = &self.report {
            fs::write(path, serde_json::to_vec_pretty(lines)?)
                .with_context(|| path.display().to_string())?;
        }
        let bad = lines.iter().any(|line| matches!(line.outcome, "refused" | "failed"));
        Ok(if bad { ExitCode::from(2) } else { ExitCode::SUCCESS })
    }
}

fn line_of(
    path: &Path,
    outcome: &'static str,
    resource: Option<ResourceId>,
    detail: String,
) -> Line {
    Line {
        file: path.display().to_string(),
        outcome,
        resource: resource.map(|id| id.to_string()),
        detail,
    }
}

fn read_manifest(path: &Path) -> anyhow::Result<HashMap<PathBuf, Row>> {
    let name = path.display().to_string();
    let folder = path.parent().unwrap_or(Path::new("."));
    // A byte order mark, as spreadsheets write it, is no part of the first column's name.
    let text = fs::read_to_string(path).with_context(|| name.clone())?;
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let mut rows = HashMap::new();
    for row in reader.deserialize() {
        let row: Row = row.with_context(|| name.clone())?;
        let file = folder.join(&row.file);
        let file = file.canonicalize().with_context(|| format!("{name}: {}", row.file))?;
        rows.insert(file, row);
    }
    Ok(rows)
}

/// All files below `path`, in the order of their names; hidden ones and the manifest left out.
fn collect(path: &Path, manifest: Option<&Path>, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        files.push(path.canonicalize()?);
        return Ok(());
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    entries.sort();
    let manifest = manifest.and_then(|manifest| manifest.canonicalize().ok());
    for entry in entries {
        let hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden || entry.canonicalize().ok() == manifest {
            continue;
        }
        collect(&entry, manifest.as_deref(), files)?;
    }
    Ok(())
}

/// Captions go with the video or audio of the same name (`a.mp4`, `a.srt`, `a.en.vtt`),
/// or the one whose row names them. With a manifest, only its files are taken.
fn plan(files: Vec<PathBuf>, rows: &HashMap<PathBuf, Row>) -> (Vec<Planned>, Vec<Line>) {
    let is_captions = |path: &Path| {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        matches!(ending.as_deref(), Some("srt" | "vtt" | "ass" | "ssa"))
    };
    let (subtitles, media): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|path| is_captions(path));
    let mut planned: Vec<Planned> = media
        .into_iter()
        .filter(|path| rows.is_empty() || rows.contains_key(path))
        .map(|path| {
            let row = rows.get(&path).cloned().unwrap_or_default();
            let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
            let captions = split(&row.captions).map(|name| folder.join(name)).collect();
            Planned { path, row, captions }
        })
        .collect();
    let mut lines = Vec::new();
    for path in subtitles {
        if planned.iter().any(|planned| planned.captions.contains(&path)) {
            continue;
        }
        let belongs = |planned: &&mut Planned| {
            let (Some(stem), Some(name)) = (planned.path.file_stem(), path.file_name()) else {
                return false;
            };
            let (stem, name) = (stem.to_string_lossy(), name.to_string_lossy());
            planned.path.parent() == path.parent()
                && name.strip_prefix(&*stem).is_some_and(|rest| rest.starts_with('.'))
        };
        match planned.iter_mut().find(belongs) {
            Some(planned) => planned.captions.push(path),
            None if rows.is_empty() => {
                lines.push(line_of(
                    &path,
                    "refused",
                    None,
                    sentence(Lang::Zh, "captions_alone", ""),
                ));
            }
            None => {}
        }
    }
    (planned, lines)
}

fn details(row: &Row, file_name: &str) -> Details {
    let title =
        if row.title.trim().is_empty() { upload::title_from(file_name) } else { row.title.clone() };
    Details {
        title,
        description: row.description.clone(),
        language: Some(row.language.clone()).filter(|language| !language.is_empty()),
        author: row.author.clone(),
        licence: row.licence.clone(),
        topics: split(&row.topics).map(str::to_owned).collect(),
        audiences: split(&row.audiences).map(str::to_owned).collect(),
    }
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|value| !value.is_empty())
}

fn hash(path: &Path, bar: &ProgressBar) -> anyhow::Result<Stored> {
    let file = File::open(path)?;
    Ok(crate::store::hash_of(bar.wrap_read(file))?)
}

/// Copies the file to where uploads are, durable, and checks that it is the same.
fn copy_in(app: &App, path: &Path, expected: Sha256) -> anyhow::Result<UploadId> {
    let id = UploadId::fresh();
    let target = upload::path(app, id);
    fs::copy(path, &target)?;
    File::open(&target)?.sync_all()?;
    if Stored::of_file(&target)?.sha256 != expected {
        fs::remove_file(&target)?;
        bail!("the file changed while it was read");
    }
    Ok(id)
}

async fn add_captions(app: &App, resource: &crate::catalogue::Resource, path: &Path) -> Line {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let added = async {
        let bytes = fs::read(path)
            .map_err(|source| crate::ingest::Error::Io { doing: "reading captions", source })?;
        let read = captions::read(app, &name, bytes).await?;
        let language = read.language_guess.clone().unwrap_or_else(|| "und".into());
        captions::add(app, resource, &language, &read, resource.uploaded_by).await.map(|_| language)
    };
    match added.await {
        Ok(language) => line_of(path, "captions", Some(resource.id), language),
        Err(error) => {
            let (code, info) = error.reason();
            line_of(path, "refused", Some(resource.id), sentence(Lang::Zh, &code, &info))
        }
    }
}

/// Waits until all is processed; works itself where nobody else seems to.
async fn wait(app: &App, lines: &mut [Line]) -> anyhow::Result<()> {
    let waiting = ProgressBar::new(1000);
    waiting.set_style(ProgressStyle::with_template("{bar:40} {percent}% {wide_msg}")?);
    for line in lines.iter_mut().filter(|line| line.outcome == "imported") {
        let Some(id) = line.resource.as_deref().and_then(|id| id.parse::<ResourceId>().ok()) else {
            continue;
        };
        loop {
            let resource = db::resources::find(&mut *app.db.read().await?, id).await?;
            let Some(resource) = resource else { break };
            waiting.set_message(resource.details.title.clone());
            waiting.set_position((resource.progress * 1000.0) as u64);
            match resource.stage {
                Stage::Processing | Stage::Draft => {}
                Stage::Failed => {
                    line.outcome = "failed";
                    let info = resource.failure_info.unwrap_or_default();
                    line.detail = sentence(Lang::Zh, &resource.failure.unwrap_or_default(), &info);
                    break;
                }
                _ => {
                    let words: Vec<String> =
                        resource.warnings.iter().map(|code| sentence(Lang::Zh, code, "")).collect();
                    line.detail = words.join(" ");
                    break;
                }
            }
            if !crate::ingest::worker::take(app).await? {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
    waiting.finish_and_clear();
    Ok(())
}
