//! `duoku duplicates --compare PATH...`: what files have in common that are in no library.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use transcode::Policy;

use super::{eprint_line, print_line};
use crate::catalogue::Kind;
use crate::config::Config;
use crate::ingest::twins::prints_of;
use crate::media::parent::MediaChild;
use crate::media::protocol::{Answer, Step};
use crate::twins::{self, Print, keys};

/// Compares videos, sound and images with each other, and prints a line of tab-separated fields for
/// each pair: the two files, what is the same, its share, and where it is in both, ms.
///
/// # Errors
///
/// When a path cannot be read. A file that cannot be decoded is told of and left out.
pub(super) async fn run(config: &Config, paths: &[PathBuf]) -> anyhow::Result<()> {
    // The media child's scratch folders are made there.
    let scratch = config.storage.data.join("scratch");
    std::fs::create_dir_all(scratch).context("cannot make the data folder")?;
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files)?;
    }
    files.sort();
    files.dedup();
    let mut prints = Vec::new();
    for file in files {
        match print(config, &file).await {
            Ok(print) => prints.push((file, print)),
            Err(error) => eprint_line(&format!("{}: {}", file.display(), super::chain(&error))),
        }
    }
    for (one, other) in candidates(&prints) {
        let ((file, first), (beside, second)) = (&prints[one], &prints[other]);
        for found in twins::compare(first, second, config.twins.least_share) {
            print_line(&format!(
                "{}\t{}\t{}\t{:.3}\t{}\t{}\t{}\t{}",
                file.display(),
                beside.display(),
                found.likeness.as_str(),
                found.share,
                found.first.from,
                found.first.to,
                found.second.from,
                found.second.to,
            ));
        }
    }
    Ok(())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let reading = || format!("cannot read {}", path.display());
    if !std::fs::metadata(path).with_context(reading)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).with_context(reading)? {
        let entry = entry.with_context(reading)?;
        // A link may lead back to where it is.
        if !entry.file_type().with_context(reading)?.is_symlink() {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}

/// Those that share keys, each pair once.
fn candidates(prints: &[(PathBuf, Print)]) -> Vec<(usize, usize)> {
    let mut holders: HashMap<i64, Vec<usize>> = HashMap::new();
    let mut pairs = HashSet::new();
    for (at, (_, print)) in prints.iter().enumerate() {
        for key in keys::of(print) {
            let holders = holders.entry(key).or_default();
            pairs.extend(holders.iter().map(|holder| (*holder, at)));
            holders.push(at);
        }
    }
    let mut pairs: Vec<(usize, usize)> = pairs.into_iter().collect();
    pairs.sort_unstable();
    pairs
}

async fn print(config: &Config, path: &Path) -> anyhow::Result<Print> {
    let open = || File::open(path).context("cannot be opened");
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let kind = crate::catalogue::FileType::by_name(&name).ok().flatten().map(|it| it.kind);
    if kind == Some(Kind::Image) {
        let step = Step::PicturePrints { max_pixels: config.media.max_pixels };
        return Ok(prints_of(MediaChild::start(config, step, open()?, 0)?, |_| ()).await?);
    }
    if !matches!(kind, None | Some(Kind::Video | Kind::Audio)) {
        bail!("only videos, sound and images are compared here");
    }
    let policy = Policy::default();
    let step = Step::Probe(Box::new(policy.clone()));
    let mut child = MediaChild::start(config, step, open()?, 0)?;
    let mut plan = None;
    while let Some(answer) = child.next().await? {
        if let Answer::Probe(probe, _) = answer {
            plan = Some(transcode::plan(&probe, &policy));
        }
    }
    let plan = plan.context("nothing was said of it")?;
    let plan = plan.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
    let (duration_ms, most_ms) = (plan.duration_ms, config.twins.max_minutes * 60_000);
    let step = Step::Prints(Box::new(plan), most_ms);
    Ok(prints_of(MediaChild::start(config, step, open()?, duration_ms)?, |_| ()).await?)
}
