//! Makes an office document into PDF, from which its pages are made.

use super::{Error, Held, Outcome, open_source};
use crate::catalogue::{DocumentForm, FileType};
use crate::config::Config;
use crate::db;
use crate::db::jobs::NewJob;
use crate::db::passages::Passage;
use crate::media::archive::Limits;
use crate::media::office;
use crate::media::parent::MediaChild;
use crate::media::protocol::{Answer, Step};

/// Has the source converted, keeps the PDF and what speakers noted to their slides.
///
/// # Errors
///
/// [`Error::Media`] when it cannot be read, or LibreOffice is not installed.
pub async fn run(held: &Held) -> Result<Outcome, Error> {
    let app = &held.app;
    let (resource, source) = open_source(app, held.resource()).await?;
    let next = vec![NewJob { kind: "inspect", payload: "{}".into(), priority: 1, weight: 1.0 }];
    if resource.derived.pdf.is_some() {
        // The end of this job was not written down. Made again, it would be another file: LibreOffice
        // writes the time into it.
        return Ok(Outcome { next, change: None });
    }
    let step = Step::Convert {
        ending: FileType::ending(&resource.media_type).to_owned(),
        limits: limits(&app.config),
        time_ms: app.config.media.convert_ms,
    };
    let mut child = MediaChild::start(&app.config, step, source, 0)?;
    let mut converted = None;
    while let Some(answer) = child.next().await? {
        if let Answer::Converted(notes) = answer {
            converted = Some((child.file(office::MADE)?, notes));
        }
    }
    let (pdf, notes) =
        converted.ok_or_else(|| Error::unusable("office_damaged", resource.file_name))?;
    let pdf = held.store_file(pdf, "document".into(), "pdf").await?;
    let deck = FileType::form(&resource.media_type) == DocumentForm::Office { deck: true };
    let mut tx = held.begin().await?;
    let mut resource = db::resources::get_locked(&mut tx, resource.id).await?;
    resource.derived.pdf = Some(pdf.key.clone());
    resource.derived.deck = deck;
    db::resources::save(&mut tx, &mut resource, app.now_ms()).await?;
    pdf.insert(&mut tx, app.now_ms()).await?;
    for (slide, text) in notes.into_iter().filter(|_| deck) {
        let passage = Passage { start_ms: None, page: Some(slide.into()), text };
        let origin = format!("page:{slide:06}:notes");
        db::passages::replace(&mut tx, resource.id, &origin, &[passage]).await?;
    }
    crate::fault::at("converted-stored");
    tx.commit().await?;
    crate::fault::at("converted");
    Ok(Outcome { next, change: None })
}

/// What the archive that a document is may hold.
pub(super) fn limits(config: &Config) -> Limits {
    let media = &config.media;
    Limits {
        max_entries: media.max_archive_entries,
        max_inflated_bytes: media.max_inflated_bytes,
        max_ratio: media.max_inflated_ratio,
        max_depth: media.max_xml_depth,
    }
}
