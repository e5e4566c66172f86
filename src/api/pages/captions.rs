//! The caption editor of the studio.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::caller::Visitor;
use super::super::captions::is_name;
use super::super::links::links;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::resources::editable;
use super::resource::{ResourceQuery, media};
use super::shell::{playing_page, shell};
use crate::app::App;
use crate::catalogue::{Caption, CaptionOrigin, LANGUAGES, label_of};
use crate::pages::{self, CaptionsEditView, Lang, MediaView};

/// Which language is chosen for new captions.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct NewQuery {
    #[serde(default)]
    language: String,
}

/// Leads to the editor for captions in a language, whether there are some already or not.
pub(in crate::api) async fn new_captions(
    Path(id): Path<String>,
    Query(query): Query<NewQuery>,
) -> Result<Response, ApiError> {
    let known = id.bytes().all(|b| b.is_ascii_alphanumeric());
    if !known || !is_name(&query.language) {
        return Err(ApiError::NotFound);
    }
    let place = format!("/studio/resources/{id}/captions/{}", query.language);
    Ok(Redirect::to(&place).into_response())
}

/// The editor of the captions called `name`.
pub(in crate::api) async fn captions_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path((id, name)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    if !is_name(&name) {
        return Err(ApiError::NotFound);
    }
    if visitor.caller.0.is_none() {
        let next = format!("/login?next=/studio/resources/{id}/captions/{name}");
        return Ok(Redirect::to(&next).into_response());
    }
    let resource = editable(&app, &visitor.caller, &id).await?;
    let delivery = app.deliveries.find(&app.db, resource.id).await?.ok_or(ApiError::NotFound)?;
    let mut media =
        media(&app, &reader, &delivery, &links(&app, &delivery), &ResourceQuery::default()).await?;
    if let MediaView::Play(play) = &mut media {
        // The editor shows them itself.
        play.captions.clear();
        play.transcript.clear();
    }
    let there = delivery.captions.iter().find(|caption| caption.name == name);
    let chinese = reader.lang == Lang::Zh;
    let view = CaptionsEditView {
        id: resource.id.to_string(),
        title: resource.details.title,
        language: there.map_or(&name, |caption| &caption.language).clone(),
        label: match there {
            Some(caption) => caption.word(chinese),
            None => label_of(LANGUAGES, &name, chinese).to_owned(),
        },
        about: there.and_then(|caption| about(reader.lang, caption)),
        media,
        name,
    };
    let markup = pages::edit_captions(&shell(&app, &reader, &visitor), &view);
    Ok(playing_page(&app, &reader, markup))
}

fn about(lang: Lang, caption: &Caption) -> Option<String> {
    let says = match caption.origin {
        CaptionOrigin::Uploaded => return None,
        CaptionOrigin::Embedded => lang.pick(
            "这是视频文件里自带的字幕；保存后，由您改好的这一份代替。",
            "These came inside the file; what you save takes their place.",
        ),
        CaptionOrigin::Automatic => lang.pick(
            "这是语音识别自动生成的字幕，会有错字；改好保存后，就不再标注“自动生成”。",
            "These were recognised automatically and have mistakes; once you save them they are no longer marked so.",
        ),
    };
    Some(says.to_owned())
}
