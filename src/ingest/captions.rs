//! Captions that somebody adds to a video or audio.

use std::io::{Seek as _, Write as _};

use super::{Error, blocking, delete_object, io, store_bytes};
use crate::app::App;
use crate::catalogue::{AccountId, Caption, CaptionOrigin, LANGUAGES, Resource, label_of};
use crate::db;
use crate::db::passages::Passage;
use crate::media::captions::{Captions, plain, to_webvtt};
use crate::media::parent::MediaChild;
use crate::media::protocol::{Answer, Step};

/// Reads a captions file of any known form.
///
/// # Errors
///
/// [`Error::Media`] with the reason when it cannot be used.
pub async fn read(app: &App, file_name: &str, bytes: Vec<u8>) -> Result<Captions, Error> {
    let file = blocking(move || {
        let mut file = tempfile::tempfile().map_err(io("writing captions"))?;
        file.write_all(&bytes).map_err(io("writing captions"))?;
        file.rewind().map_err(io("writing captions"))?;
        Ok(file)
    })
    .await?;
    let step = Step::Captions { name: file_name.to_owned() };
    let mut child = MediaChild::start(&app.config, step, file, 0)?;
    let mut captions = None;
    while let Some(answer) = child.next().await? {
        if let Answer::Captions(found) = answer {
            captions = Some(found);
        }
    }
    captions.ok_or_else(|| Error::unusable("captions_empty", file_name))
}

/// Puts `captions` of `account` in the place of those of `language`, and their text into the index.
///
/// # Errors
///
/// Those of database and store.
pub async fn add(
    app: &App,
    resource: &Resource,
    language: &str,
    captions: &Captions,
    account: AccountId,
) -> Result<Caption, Error> {
    let mut tx = app.db.begin().await?;
    // Leftovers are removed under the same lock: the object is none before its row is there.
    let mut resource = db::resources::get_locked(&mut tx, resource.id).await?;
    let bytes = to_webvtt(captions).into_bytes();
    let object = store_bytes(app, resource.id, bytes, format!("caption/{language}"), "vtt").await?;
    let caption = Caption {
        name: language.to_owned(),
        language: language.to_owned(),
        label: label_of(LANGUAGES, language, true).to_owned(),
        origin: CaptionOrigin::Uploaded,
        forced: false,
        hearing_impaired: false,
        key: object.key.clone(),
    };
    let passages = passages_of(captions);
    let before = db::media::list_captions(&mut tx, resource.id).await?;
    object.insert(&mut tx, app.now_ms()).await?;
    db::media::save_caption(&mut tx, resource.id, &caption).await?;
    db::passages::replace(&mut tx, resource.id, &format!("caption:{language}"), &passages).await?;
    db::resources::save(&mut tx, &mut resource, app.now_ms()).await?;
    let replaced =
        before.into_iter().find(|old| old.name == caption.name && old.key != caption.key);
    if let Some(old) = &replaced {
        db::objects::delete(&mut tx, &old.key).await?;
    }
    let detail = serde_json::json!({ "name": language });
    let id = resource.id.to_string();
    db::audit::record(&mut tx, app.now_ms(), Some(account), "captions", &id, &detail).await?;
    tx.commit().await?;
    if let Some(old) = replaced {
        delete_object(app, &old.key).await?;
    }
    app.announce(resource.id);
    Ok(caption)
}

/// Removes the captions called `name` for `account`; false when there are none.
///
/// # Errors
///
/// Those of database and store.
pub async fn remove(
    app: &App,
    resource: &Resource,
    name: &str,
    account: AccountId,
) -> Result<bool, Error> {
    let mut tx = app.db.begin().await?;
    let mut resource = db::resources::get_locked(&mut tx, resource.id).await?;
    let captions = db::media::list_captions(&mut tx, resource.id).await?;
    let Some(caption) = captions.into_iter().find(|caption| caption.name == name) else {
        return Ok(false);
    };
    db::media::delete_caption(&mut tx, resource.id, name).await?;
    db::passages::delete(&mut tx, resource.id, &format!("caption:{name}")).await?;
    db::objects::delete(&mut tx, &caption.key).await?;
    db::resources::save(&mut tx, &mut resource, app.now_ms()).await?;
    let detail = serde_json::json!({ "name": name });
    let id = resource.id.to_string();
    db::audit::record(&mut tx, app.now_ms(), Some(account), "remove-captions", &id, &detail)
        .await?;
    tx.commit().await?;
    delete_object(app, &caption.key).await?;
    app.announce(resource.id);
    Ok(true)
}

/// What the index is given of captions.
#[must_use]
pub fn passages_of(captions: &Captions) -> Vec<Passage> {
    captions
        .cues
        .iter()
        .map(|cue| Passage {
            start_ms: i64::try_from(cue.start_ms).ok(),
            page: None,
            text: plain(cue),
        })
        .filter(|passage| !passage.text.trim().is_empty())
        .collect()
}
