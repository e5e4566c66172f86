//! Captions that somebody adds to a video or audio, and those that were heard in it.

use std::io::{Seek as _, Write as _};

use super::{Error, NewObject, blocking, delete_object, io, store_bytes};
use crate::app::App;
use crate::catalogue::{AccountId, Caption, CaptionOrigin, LANGUAGES, Resource, label_of};
use crate::db::passages::Passage;
use crate::db::{self, Tx};
use crate::media::captions::{Captions, plain, to_webvtt};
use crate::media::parent::MediaChild;
use crate::media::protocol::{Answer, Step};

/// What captions are saved over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Over {
    /// Whatever there is.
    #[default]
    Any,
    /// Nothing: there are none of the name yet.
    Nothing,
    /// Those with one of these tags ([`tag_of`]).
    These(Vec<String>),
}

/// Why captions were not saved.
#[derive(Debug, thiserror::Error)]
pub enum NotSaved {
    /// Somebody else saved others meanwhile.
    #[error("other captions were saved meanwhile")]
    Changed,
    /// The step itself.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<db::Error> for NotSaved {
    fn from(error: db::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// What tells one content of captions from another.
#[must_use]
pub fn tag_of(caption: &Caption) -> String {
    // The key ends with the hash of what it leads to.
    let name = caption.key.rsplit('/').next().unwrap_or_default();
    let hash = name.rsplit('-').next().unwrap_or_default();
    hash.split('.').next().unwrap_or_default().to_owned()
}

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

/// Puts `captions` of `account` in the place of those called `name`, and their text into the
/// index. What was only heard in the same language goes.
///
/// Those that were there under this name keep their language and whom they are for; new ones are
/// in the language that `name` says.
///
/// # Errors
///
/// [`NotSaved`].
pub async fn add(
    app: &App,
    resource: &Resource,
    name: &str,
    captions: &Captions,
    account: AccountId,
    over: &Over,
) -> Result<Caption, NotSaved> {
    let mut tx = app.db.begin().await?;
    // Leftovers are removed under the same lock: the object is none before its row is there.
    let mut resource = db::resources::get_locked(&mut tx, resource.id).await?;
    let before = db::media::list_captions(&mut tx, resource.id).await?;
    let replaced = before.iter().find(|old| old.name == name);
    let fits = match over {
        Over::Any => true,
        Over::Nothing => replaced.is_none(),
        Over::These(tags) => replaced.is_some_and(|old| tags.contains(&tag_of(old))),
    };
    if !fits {
        return Err(NotSaved::Changed);
    }
    let language = replaced.map_or(name, |old| &old.language);
    let bytes = to_webvtt(captions).into_bytes();
    let object = store_bytes(app, resource.id, bytes, format!("caption/{name}"), "vtt").await?;
    let caption = Caption {
        name: name.to_owned(),
        language: language.to_owned(),
        label: match replaced {
            Some(old) => old.label.clone(),
            None => label_of(LANGUAGES, language, true).to_owned(),
        },
        origin: CaptionOrigin::Uploaded,
        forced: replaced.is_some_and(|old| old.forced),
        hearing_impaired: replaced.is_some_and(|old| old.hearing_impaired),
        key: object.key.clone(),
    };
    let heard: Vec<&Caption> = before.iter().filter(|old| is_superseded(old, &caption)).collect();
    for old in &heard {
        db::media::delete_caption(&mut tx, resource.id, &old.name).await?;
        db::passages::delete(&mut tx, resource.id, &format!("caption:{}", old.name)).await?;
    }
    let gone: Vec<String> = heard.into_iter().chain(replaced).map(|old| old.key.clone()).collect();
    let gone = keep(&mut tx, app, &resource, &caption, &object, captions, gone).await?;
    db::resources::save(&mut tx, &mut resource, app.now_ms()).await?;
    let detail = serde_json::json!({ "name": name });
    let id = resource.id.to_string();
    db::audit::record(&mut tx, app.now_ms(), Some(account), "captions", &id, &detail).await?;
    tx.commit().await?;
    for key in gone {
        delete_object(app, &key).await?;
    }
    app.announce(resource.id);
    Ok(caption)
}

/// Whether an author's captions make those that were only heard superfluous.
fn is_superseded(old: &Caption, new: &Caption) -> bool {
    old.origin == CaptionOrigin::Automatic && old.name != new.name && old.is_in(&new.language)
}

/// Gives captions their rows, and takes those of the objects `gone` that are not theirs; answers
/// which those are: they can be deleted once the transaction holds.
pub(super) async fn keep(
    tx: &mut Tx,
    app: &App,
    resource: &Resource,
    caption: &Caption,
    object: &NewObject,
    captions: &Captions,
    gone: Vec<String>,
) -> Result<Vec<String>, Error> {
    object.insert(tx, app.now_ms()).await?;
    db::media::save_caption(tx, resource.id, caption).await?;
    let passages = passages_of(captions);
    let origin = format!("caption:{}", caption.name);
    db::passages::replace(tx, resource.id, &origin, &passages).await?;
    let gone: Vec<String> = gone.into_iter().filter(|key| *key != caption.key).collect();
    for key in &gone {
        db::objects::delete(tx, key).await?;
    }
    Ok(gone)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn caption(name: &str, language: &str, origin: CaptionOrigin) -> Caption {
        Caption {
            name: name.into(),
            language: language.into(),
            label: String::new(),
            origin,
            forced: false,
            hearing_impaired: false,
            key: "derived/1/caption/zh-0123456789abcdef.vtt".into(),
        }
    }

    #[test]
    fn a_tag_is_that_of_the_content() {
        let one = caption("zh", "zh", CaptionOrigin::Uploaded);
        assert_eq!(tag_of(&one), "0123456789abcdef");
    }

    #[test]
    fn what_an_author_says_takes_the_place_of_what_was_heard() {
        let new = caption("zh-Hans", "zh-Hans", CaptionOrigin::Uploaded);
        assert!(is_superseded(&caption("zh", "zh", CaptionOrigin::Automatic), &new));
        assert!(!is_superseded(&caption("zh", "zh", CaptionOrigin::Embedded), &new));
        assert!(!is_superseded(&caption("en", "en", CaptionOrigin::Automatic), &new));
    }
}
