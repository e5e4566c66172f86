//! `duoku import`: files and folders into a library.

use std::collections::{BTreeMap, HashMap, HashSet};
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
use crate::catalogue::{
    Account, Caption, CaptionOrigin, Details, FileType, Kind, Library, Refusal, Resource,
    ResourceId, Sha256, Stage, UploadId,
};
use crate::db;
use crate::ingest::captions::{NotSaved, Over};
use crate::ingest::worker::{self, Work};
use crate::ingest::{self, captions, intake, upload};
use crate::pages::Lang;
use crate::store::Stored;
use crate::table;

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

/// Columns of the manifest.
const MANIFEST: [&str; 9] = [
    "file",
    "title",
    "description",
    "author",
    "language",
    "topics",
    "audiences",
    "licence",
    "captions",
];

/// A row of the manifest.
#[derive(Debug, Clone, Default)]
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

impl Row {
    fn of(line: &table::Line) -> Result<Self, table::Error> {
        let text = |name: &str| line.get(name).unwrap_or_default().to_owned();
        Ok(Self {
            file: line.need("file")?.to_owned(),
            title: text("title"),
            description: text("description"),
            author: text("author"),
            language: text("language"),
            topics: text("topics"),
            audiences: text("audiences"),
            licence: text("licence"),
            captions: text("captions"),
        })
    }
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
        let manifest = self.manifest.as_deref().and_then(|path| path.canonicalize().ok());
        let mut found = Found { manifest, ..Found::default() };
        for path in &self.paths {
            found.collect(path).with_context(|| path.display().to_string())?;
        }
        let (planned, mut lines) = plan(found.files, &rows);
        lines.extend(found.unreadable);
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
        let file_name = name_of(path);
        let size = i64::try_from(fs::metadata(path)?.len())?;
        let head = head(path)?;
        let judged = upload::judge(app, &file_name, size)
            .and_then(|()| FileType::by_content(&file_name, &head));
        let file_type = match judged {
            Ok(file_type) => file_type,
            Err(refusal) => return Ok(vec![refused(path, &refusal)]),
        };
        let details = details(&planned.row, &file_name).checked()?.or_of(library);
        let bar = bars.add(ProgressBar::new(size.unsigned_abs()));
        bar.set_style(ProgressStyle::with_template("  {bytes}/{total_bytes} {bytes_per_sec}")?);
        let stored = crate::store::hash_of(bar.wrap_read(File::open(path)?))?;
        bar.finish_and_clear();
        let find = async |db: &mut sqlx::AnyConnection| {
            db::resources::find_by_source(db, library.id, stored.sha256).await
        };
        let known = find(&mut *app.db.read().await?).await?;
        let (line, resource) =
            if let Some(known) = known {
                (exists(path, &known), Some(known))
            } else if let Err(refusal) = upload::admit(app, library, stored.size_bytes, 0).await? {
                return Ok(vec![refused(path, &refusal)]);
            } else if self.dry_run {
                (line_of(path, "imported", None, "dry run".into()), None)
            } else {
                let draft = Resource::draft(library.id, account.id, details, app.now_ms())
                    .with_source(&file_name, file_type, stored.size_bytes);
                let copy = copy_in(app, path, stored.sha256)?;
                let taken = store(app, account, library, draft, stored, &copy).await;
                fs::remove_file(&copy)?;
                let (new, resource) = taken?;
                let imported = line_of(path, "imported", Some(resource.id), String::new());
                (if new { imported } else { exists(path, &resource) }, Some(resource))
            };
        let mut lines = vec![line];
        for captions in &planned.captions {
            if matches!(file_type.kind, Kind::Video | Kind::Audio) {
                lines.extend(self.add_captions(app, resource.as_ref(), captions).await);
            } else {
                lines.push(refused(captions, &Refusal::Captions));
            }
        }
        Ok(lines)
    }

    /// Adds captions unless `resource` has some of their language; `None` without a
    /// resource is one that a dry run does not make.
    async fn add_captions(
        &self,
        app: &App,
        resource: Option<&Resource>,
        path: &Path,
    ) -> Option<Line> {
        let added = async {
            let bytes = fs::read(path)
                .map_err(|source| ingest::Error::Io { doing: "reading captions", source })?;
            let read = captions::read(app, &name_of(path), bytes).await?;
            let language = read.language_guess.clone().unwrap_or_else(|| "und".into());
            let Some(resource) = resource else { return Ok(Some(language)) };
            let there = db::media::list_captions(&mut *app.db.read().await?, resource.id).await?;
            let heard = |caption: &Caption| caption.origin == CaptionOrigin::Automatic;
            if there.iter().any(|caption| caption.name == language && !heard(caption)) {
                return Ok(None);
            }
            let (account, over) = (resource.uploaded_by, Over::Any);
            if !self.dry_run {
                let added = captions::add(app, resource, &language, &read, account, &over).await;
                if let Err(NotSaved::Failed(error)) = added {
                    return Err(error);
                }
            }
            Ok::<_, ingest::Error>(Some(language))
        };
        let id = resource.map(|resource| resource.id);
        match added.await {
            Ok(language) => language.map(|language| line_of(path, "captions", id, language)),
            Err(error) => {
                let outcome = if error.is_transient() { "failed" } else { "refused" };
                let (code, info) = error.reason();
                Some(line_of(path, outcome, id, sentence(Lang::Zh, &code, &info)))
            }
        }
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

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut head = Vec::new();
    File::open(path)?.take(upload::HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn refused(path: &Path, refusal: &Refusal) -> Line {
    line_of(path, "refused", None, sentence(Lang::Zh, refusal.code(), &refusal.info()))
}

/// What is said of a file that is there already.
fn exists(path: &Path, known: &Resource) -> Line {
    match &known.failure {
        Some(code) if known.stage == Stage::Failed => {
            let info = known.failure_info.as_deref().unwrap_or_default();
            line_of(path, "failed", Some(known.id), sentence(Lang::Zh, code, info))
        }
        _ => line_of(path, "exists", Some(known.id), String::new()),
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
    let bytes = fs::read(path).with_context(|| name.clone())?;
    let mut rows = HashMap::new();
    for line in table::read_among(&bytes, &MANIFEST).with_context(|| name.clone())? {
        let line_of = || format!("{name}, line {}", line.number);
        let row = Row::of(&line).with_context(line_of)?;
        let file = folder.join(&row.file).canonicalize();
        let file = file.with_context(|| format!("{}: {}", line_of(), row.file))?;
        rows.insert(file, row);
    }
    Ok(rows)
}

/// What is in the folders that were named.
#[derive(Default)]
struct Found {
    /// Not one of the files, though it may lie among them.
    manifest: Option<PathBuf>,
    /// Folders and files that were looked at: each is taken once.
    seen: HashSet<PathBuf>,
    files: Vec<PathBuf>,
    unreadable: Vec<Line>,
}

impl Found {
    /// Adds all files below `path`, in the order of their names; hidden ones and the
    /// manifest left out.
    fn collect(&mut self, path: &Path) -> std::io::Result<()> {
        let whole = path.canonicalize()?;
        if self.manifest.as_ref() == Some(&whole) || !self.seen.insert(whole.clone()) {
            return Ok(());
        }
        if !whole.is_dir() {
            self.files.push(whole);
            return Ok(());
        }
        let mut entries: Vec<PathBuf> = fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        entries.sort();
        for entry in entries.iter().filter(|entry| !name_of(entry).starts_with('.')) {
            if let Err(error) = self.collect(entry) {
                self.unreadable.push(line_of(entry, "failed", None, error.to_string()));
            }
        }
        Ok(())
    }
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
            planned.path.parent() == path.parent()
                && may_have_captions(&planned.path)
                && name_of(&path)
                    .strip_prefix(&stem_of(&planned.path))
                    .is_some_and(|rest| rest.starts_with('.'))
        };
        // Of `a.mp4` and `a.b.mp4`, `a.b.srt` goes with the second.
        let nearest = planned.iter_mut().filter(belongs).max_by_key(|p| stem_of(&p.path).len());
        match nearest {
            Some(planned) => planned.captions.push(path),
            None if rows.is_empty() => lines.push(refused(&path, &Refusal::Captions)),
            None => {}
        }
    }
    (planned, lines)
}

fn stem_of(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Whether a file is video or audio by its name, or may be.
fn may_have_captions(path: &Path) -> bool {
    FileType::by_name(&name_of(path)).is_ok_and(|named| {
        named.is_none_or(|named| matches!(named.kind, Kind::Video | Kind::Audio))
    })
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
        ..Details::default()
    }
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|value| !value.is_empty())
}

/// Copies the file to where uploads are, durable, and checks that it is the same. It has
/// no row there: should this program be killed, a sweep removes it.
fn copy_in(app: &App, path: &Path, expected: Sha256) -> anyhow::Result<PathBuf> {
    let copy = upload::path(app, UploadId::fresh());
    let copied = fs::copy(path, &copy)
        .and_then(|_| File::open(&copy)?.sync_all())
        .map_err(anyhow::Error::from)
        .and_then(|()| Ok(Stored::of_file(&copy)?));
    match copied {
        Ok(stored) if stored.sha256 == expected => return Ok(copy),
        Ok(_) => {}
        Err(error) => {
            // Nothing may be there.
            let _ = fs::remove_file(&copy);
            return Err(error);
        }
    }
    fs::remove_file(&copy)?;
    bail!("the file changed while it was read");
}

/// Stores `copy` as the source of `draft` and begins its processing; or gives false and the
/// resource of the same source that another import was quicker to make.
async fn store(
    app: &App,
    account: &Account,
    library: &Library,
    mut draft: Resource,
    stored: Stored,
    copy: &Path,
) -> anyhow::Result<(bool, Resource)> {
    intake::link(app, stored, copy).await?;
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    // Takes the counter's row: imports side by side look one after another.
    db::resources::insert(&mut tx, &mut draft).await?;
    let known = db::resources::find_by_source(&mut tx, library.id, stored.sha256).await?;
    if let Some(known) = known {
        return Ok((false, known));
    }
    let resource = intake::name_source(app, &mut tx, draft, stored, copy).await?;
    upload::begin(&mut tx, account.id, &resource, now_ms).await?;
    tx.commit().await?;
    Ok((true, resource))
}

/// Waits until all is processed; works itself where nobody else seems to.
async fn wait(app: &App, lines: &mut [Line]) -> anyhow::Result<()> {
    let waiting = ProgressBar::new(1000);
    waiting.set_style(ProgressStyle::with_template("{bar:40} {percent}% {wide_msg}")?);
    for line in lines.iter_mut().filter(|line| matches!(line.outcome, "imported" | "exists")) {
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
            if !worker::take(app, Work::Light).await? && !worker::take(app, Work::Heavy).await? {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
    waiting.finish_and_clear();
    Ok(())
}
