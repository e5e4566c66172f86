//! `duoku user add --from`: people from a table.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use super::{eprint_line, print_line};
use crate::app::App;
use crate::net::authority::Authority;
use crate::net::people::{self, StartLink};
use crate::table::as_csv;

/// A day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// Takes the table `from`, and writes links for the new people into `links`.
pub(super) async fn take(
    app: &App,
    from: &Path,
    links: Option<&Path>,
    dry_run: bool,
) -> anyhow::Result<ExitCode> {
    let bytes = std::fs::read(from).with_context(|| from.display().to_string())?;
    let by = Authority::of_commands(app.now_ms());
    let links_ms = links.map(|_| app.config.session.start_days * DAY_MS);
    let mut tx = app.db.begin().await?;
    let done = people::import(&mut tx, &by, &bytes, links_ms)
        .await
        .with_context(|| from.display().to_string())?;
    for (line, error) in &done.problems {
        eprint_line(&format!("第 {line} 行 line {line}: {error}"));
    }
    if !done.problems.is_empty() {
        eprint_line("表格没有导入，什么都没有改变 Nothing was imported");
        return Ok(ExitCode::FAILURE);
    }
    let (added, same, granted) = (done.added, done.same, done.granted);
    print_line(&format!(
        "新增人员 people added {added}，已有 already there {same}，授予角色 roles granted {granted}"
    ));
    if dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(path) = links {
        // Before the commit: what cannot be handed out would be of no use.
        write_links(app, path, &done.links).with_context(|| path.display().to_string())?;
    }
    tx.commit().await?;
    Ok(ExitCode::SUCCESS)
}

/// A table of links; only its owner may read it.
fn write_links(app: &App, path: &Path, links: &[StartLink]) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let server = &app.config.server;
    let origin = match server.public_url.trim_end_matches('/') {
        "" if server.uses_tls() => format!("https://{}", server.listen),
        "" => format!("http://{}", server.listen),
        public => public.to_owned(),
    };
    let mut rows = vec![["name", "display_name", "link"].map(str::to_owned).to_vec()];
    rows.extend(links.iter().map(|link| {
        let address = format!("{origin}/start/{}", link.code);
        vec![link.name.clone(), link.display_name.clone(), address]
    }));
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(as_csv(&rows).as_bytes())?;
    Ok(file.sync_all()?)
}
