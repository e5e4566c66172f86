//! A table that was sent, as a grid: CSV is read here, XLSX in the media child.

use std::fs::File;
use std::io::{Seek as _, Write as _};

use super::Error;
use crate::app::App;
use crate::ingest;
use crate::media::archive::Limits;
use crate::media::parent::MediaChild;
use crate::media::protocol::{Answer, Step};
use crate::table::{self, Grid, tidy};

/// Bytes that a spreadsheet may inflate to, for each that is taken of its file.
const INFLATED: u64 = 16;

/// Reads `bytes`, whose content tells whether it is XLSX.
///
/// # Errors
///
/// [`Error::Table`], and those of the media child.
pub async fn read(app: &App, bytes: Vec<u8>) -> Result<Grid, Error> {
    let limits = app.config.tables.limits();
    if bytes.len() > limits.max_bytes {
        return Err(table::Error::TooLarge(limits.max_bytes).into());
    }
    if bytes.starts_with(b"PK") || bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return spreadsheet(app, bytes, &limits).await;
    }
    let parsed = tokio::task::spawn_blocking(move || table::parse(&bytes, &limits)).await;
    Ok(parsed.map_err(|error| Error::Write(error.to_string()))??)
}

/// Has the media child read a spreadsheet.
async fn spreadsheet(app: &App, bytes: Vec<u8>, limits: &table::Limits) -> Result<Grid, Error> {
    let media = &app.config.media;
    let step = Step::Sheet {
        limits: Limits {
            max_entries: media.max_archive_entries,
            max_inflated_bytes: media
                .max_inflated_bytes
                .min(INFLATED.saturating_mul(limits.max_bytes as u64)),
            max_ratio: media.max_inflated_ratio,
            max_depth: media.max_xml_depth,
        },
        max_rows: limits.max_rows.saturating_add(1),
        max_cells: limits.max_cells,
    };
    let scratch = app.config.storage.data.join("scratch");
    let kept = tokio::task::spawn_blocking(move || keep(&scratch, &bytes)).await;
    let kept = kept.map_err(std::io::Error::other).and_then(|kept| kept);
    let file = kept.map_err(|source| ingest::Error::Io { doing: "keeping a table", source })?;
    let mut child = MediaChild::start(&app.config, step, file, 0).map_err(ingest::Error::from)?;
    let mut grid = Grid::default();
    let mut cells = 0;
    while let Some(answer) = child.next().await.map_err(ingest::Error::from)? {
        let Answer::Sheet(rows) = answer else { continue };
        for row in rows {
            cells += row.cells.iter().filter(|cell| !cell.is_empty()).count();
            if cells > limits.max_cells {
                return Err(table::Error::TooManyCells(limits.max_cells).into());
            }
            let texts = row.cells.iter().map(|cell| tidy(cell)).collect();
            grid.push(row.number as usize, texts, limits)?;
        }
    }
    Ok(grid)
}

fn keep(scratch: &std::path::Path, bytes: &[u8]) -> std::io::Result<File> {
    let mut file = tempfile::tempfile_in(scratch)?;
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}
