//! The page of one resource in review, and its forms.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use serde::Deserialize;

use super::super::caller::Visitor;
use super::super::dossier::{Dossier, state_name, step_of};
use super::super::links::links;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::sentences::{field_word, rule};
use super::here::{Form, Here};
use super::resource::{ResourceQuery, media};
use super::shell::{playing_page, shell};
use super::studio::{Fields, reason_of};
use crate::app::App;
use crate::catalogue::{
    AUDIENCES, DIALECTS, DIFFICULTIES, Details, EVIDENCE, HERITAGE, LANGUAGES, LICENCES, ROLES,
    Review, ReviewState, RuleError, TOPICS, Verdict, label_of,
};
use crate::pages::{self, CommentView, Lang, ReviewStep, ReviewView, VersionView};
use crate::review::talk::{self, Remark};
use crate::review::walk::{self, Said};
use crate::review::withdraw;

/// Where the page opens, and what came of a form.
#[derive(Debug, Default, Deserialize)]
pub(in crate::api) struct PageQuery {
    page: Option<u32>,
    chapter: Option<u32>,
    #[serde(default)]
    saved: String,
}

pub(in crate::api) async fn review_page(
    Here { app, reader, visitor }: Here,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Response, ApiError> {
    let dossier = Dossier::of(&app, &visitor.caller, &id).await?;
    let mut view = view(&app, &reader, &dossier, &query).await?;
    view.saved = match query.saved.as_str() {
        "" => None,
        "accept" => Some(reader.lang.pick("已通过", "Accepted")),
        "return" => Some(reader.lang.pick("已退回给作者", "Returned to its author")),
        "withdraw" => Some(reader.lang.pick("已下架", "Withdrawn")),
        "take-back" => Some(reader.lang.pick("已撤回", "Taken back")),
        _ => Some(reader.lang.pick("已保存", "Saved")),
    }
    .map(str::to_owned);
    Ok(playing_page(&app, &reader, pages::review(&shell(&app, &reader, &visitor), &view)))
}

pub(in crate::api) async fn review_form(
    Path(id): Path<String>,
    Form { here: Here { app, reader, visitor }, fields }: Form,
) -> Result<Response, ApiError> {
    let dossier = Dossier::of(&app, &visitor.caller, &id).await?;
    match done(&app, &visitor, &dossier, &fields).await {
        Ok(saved) => Ok(Redirect::to(&format!("/review/{id}?saved={saved}")).into_response()),
        Err(ApiError::Rule(broken @ (RuleError::BadField { .. } | RuleError::Conflict(_)))) => {
            // Somebody may have been faster: what is shown is as it is now.
            let dossier = Dossier::of(&app, &visitor.caller, &id).await?;
            let mut view = view(&app, &reader, &dossier, &PageQuery::default()).await?;
            view.refusal = Some(match &broken {
                RuleError::BadField { field: "reason", value } if value.is_empty() => reader
                    .lang
                    .pick(
                        "退回要写明理由，作者才知道改什么。",
                        "A return needs a reason: the author must know what to change.",
                    )
                    .to_owned(),
                _ => rule(reader.lang, &broken),
            });
            view.typed = fields.one("reason").to_owned();
            let shown = pages::review(&shell(&app, &reader, &visitor), &view);
            let mut response = playing_page(&app, &reader, shown);
            *response.status_mut() = match broken {
                RuleError::Conflict(_) => StatusCode::CONFLICT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            Ok(response)
        }
        Err(error) => Err(error),
    }
}

/// Does what the form says; gives the word that the page then says it with.
async fn done(
    app: &App,
    visitor: &Visitor,
    dossier: &Dossier,
    fields: &Fields,
) -> Result<&'static str, ApiError> {
    let (caller, resource) = (&visitor.caller, &dossier.resource);
    let number = |name| fields.one(name).trim().parse::<i64>().ok();
    let decide = async |verdict| {
        let said = Said {
            version: number("version"),
            step: number("step").and_then(|step| usize::try_from(step).ok()),
            verdict,
            reason: fields.one("reason").to_owned(),
        };
        walk::decide(app, caller, resource.id, said).await
    };
    Ok(match fields.one("action") {
        "accept" => {
            decide(Verdict::Accept).await?;
            "accept"
        }
        "return" => {
            decide(Verdict::Return).await?;
            "return"
        }
        "take-back" => {
            walk::take_back(app, caller, resource.id).await?;
            "take-back"
        }
        "withdraw" => {
            withdraw::withdraw(app, caller, resource.id, &reason_of(fields)).await?;
            "withdraw"
        }
        action @ ("resolve" | "reopen") => {
            let settled = action == "resolve";
            talk::resolve(app, caller, resource, fields.one("comment"), settled).await?;
            "comment"
        }
        _ => {
            let answers = fields.one("answers");
            let remark = Remark {
                words: fields.one("words").to_owned(),
                start_ms: moment(fields.one("at"))?,
                page: number("page"),
                answers: Some(answers.to_owned()).filter(|id| !id.is_empty()),
            };
            talk::comment(app, caller, resource, remark).await?;
            "comment"
        }
    })
}

/// Milliseconds of a time as people write it: `90`, `1:30`, `1:02:03.5`; empty: none.
fn moment(text: &str) -> Result<Option<i64>, RuleError> {
    // A keyboard for Chinese writes this colon.
    let text = text.trim().replace('：', ":");
    if text.is_empty() {
        return Ok(None);
    }
    let bad = || RuleError::BadField { field: "start_ms", value: text.chars().take(40).collect() };
    let mut seconds = 0.0_f64;
    for part in text.split(':') {
        let plain = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let part: f64 = part.parse().ok().filter(|_| plain).ok_or_else(bad)?;
        seconds = seconds * 60.0 + part;
    }
    if text.split(':').count() > 3 || seconds > 1e7 {
        return Err(bad());
    }
    Ok(Some((seconds * 1000.0).round() as i64))
}

async fn view(
    app: &App,
    reader: &Reader,
    dossier: &Dossier,
    query: &PageQuery,
) -> Result<ReviewView, ApiError> {
    let (lang, resource) = (reader.lang, &dossier.resource);
    let delivery = app.deliveries.find(&app.db, resource.id).await?.ok_or(ApiError::NotFound)?;
    let at = ResourceQuery::at(query.page, query.chapter);
    let media = media(app, reader, &delivery, &links(app, &delivery), &at).await?;
    // What is handed in, which of an update is not what the resource says yet.
    let details = dossier.open().map_or(&resource.details, |review| &review.snapshot.details);
    Ok(ReviewView {
        id: resource.id.to_string(),
        title: details.title.clone(),
        library_name: dossier.library().name.clone(),
        kind: resource.kind,
        stage: resource.stage,
        media,
        facts: facts(lang, details, &resource.file_name),
        versions: versions(app, lang, dossier),
        comments: comments(dossier),
        withdrawn: withdrawn(lang, dossier),
        decides: dossier.open().filter(|_| dossier.may.decide).and_then(|review| {
            let step = review.waits_for()?;
            Some((review.version, review.step, step.name.clone()))
        }),
        may_take_back: dossier.may.take_back,
        may_withdraw: dossier.may.withdraw,
        edit_href: dossier.may.edit.then(|| format!("/studio/resources/{}", resource.id)),
        saved: None,
        refusal: None,
        typed: String::new(),
    })
}

/// Who withdrew it and why, in a sentence.
pub(super) fn withdrawn(lang: Lang, dossier: &Dossier) -> Option<String> {
    let withdrawal = dossier.withdrawal.as_ref().filter(|withdrawal| withdrawal.ordered)?;
    let by = dossier.person(withdrawal.account);
    Some(match lang {
        Lang::Zh => format!("已由{by}下架：{}", withdrawal.reason),
        Lang::En => format!("Withdrawn by {by}: {}", withdrawal.reason),
    })
}

fn facts(lang: Lang, details: &Details, file_name: &str) -> Vec<(String, String)> {
    ["title", "description", "author", "language", "licence", "topics", "audiences"]
        .into_iter()
        .map(|field| (field, of(details, field)))
        .chain(details.particulars.texts())
        .map(|(field, value)| (field, shown(lang, field, &value)))
        .chain([("file", file_name.to_owned())])
        .filter(|(_, value)| !value.is_empty())
        .map(|(field, value)| (field_word(lang, field), value))
        .collect()
}

fn of(details: &Details, field: &str) -> String {
    match field {
        "title" => details.title.clone(),
        "description" => details.description.clone(),
        "author" => details.author.clone(),
        "language" => details.language.clone().unwrap_or_default(),
        "licence" => details.licence.clone(),
        "topics" => details.topics.join(" "),
        _ => details.audiences.join(" "),
    }
}

/// The value of a field as people read it.
fn shown(lang: Lang, field: &str, value: &str) -> String {
    let zh = lang == Lang::Zh;
    let words = |terms, value: &str| {
        value
            .split_whitespace()
            .map(|code| label_of(terms, code, zh))
            .collect::<Vec<_>>()
            .join("、")
    };
    match field {
        _ if value.is_empty() => String::new(),
        "language" => label_of(LANGUAGES, value, zh).to_owned(),
        "licence" => label_of(LICENCES, value, zh).to_owned(),
        "topics" => words(TOPICS, value),
        "audiences" => words(AUDIENCES, value),
        "difficulty" => words(DIFFICULTIES, value),
        "evidence" => words(EVIDENCE, value),
        "local.dialect" => words(DIALECTS, value),
        "local.heritage" => words(HERITAGE, value),
        "contributors" => {
            let told = value.lines().filter_map(|line| line.split_once(' '));
            let told = told.map(|(role, name)| format!("{name}（{}）", label_of(ROLES, role, zh)));
            told.collect::<Vec<_>>().join("、")
        }
        // Keys and hashes say nothing to people.
        "poster" => lang.pick("换了一张", "another one").to_owned(),
        "source" => lang.pick("换了文件", "another file").to_owned(),
        "captions" => match value.strip_suffix(" *") {
            Some(name) => {
                format!(
                    "{}{}",
                    label_of(LANGUAGES, name, zh),
                    lang.pick("（有改动）", " (changed)")
                )
            }
            None => label_of(LANGUAGES, value, zh).to_owned(),
        },
        _ => value.to_owned(),
    }
}

/// What was handed in, the last first.
pub(super) fn versions(app: &App, lang: Lang, dossier: &Dossier) -> Vec<VersionView> {
    let now_ms = app.now_ms();
    let view = |(at, review): (usize, &Review)| {
        let before = dossier.versions.get(at + 1);
        let changes = before.map_or_else(Vec::new, |old| review.snapshot.changes(&old.snapshot));
        VersionView {
            number: review.version,
            state: review.state.as_str(),
            word: state_name(lang, review.state).to_owned(),
            by: dossier.person(review.by),
            handed_in_ms: review.handed_in_ms,
            update: review.update,
            steps: steps(lang, dossier, review, now_ms),
            changes: changes
                .into_iter()
                .map(|change| {
                    let field = field_word(lang, change.field);
                    let value = |text: &str| shown(lang, change.field, text);
                    let hidden = ["poster", "source"].contains(&change.field);
                    let before = if hidden { String::new() } else { value(&change.before) };
                    (field, before, value(&change.after))
                })
                .collect(),
            has_before: before.is_some(),
        }
    };
    dossier.versions.iter().enumerate().map(view).collect()
}

/// Where a version is in its chain.
fn steps(lang: Lang, dossier: &Dossier, review: &Review, now_ms: i64) -> Vec<ReviewStep> {
    let view = |(number, step): (usize, &crate::catalogue::Step)| {
        let (state, decision) = step_of(review, number);
        let waits = review.state == ReviewState::Open && review.step == number;
        ReviewStep {
            name: step.name.clone(),
            who: dossier.who(lang, step),
            state: state.as_str(),
            due_ms: waits.then_some(review.due_ms),
            overdue: waits && review.is_overdue(now_ms),
            decided: decision.map(|one| (dossier.person(one.account), one.at_ms)),
            reason: decision.map(|one| one.reason.clone()).unwrap_or_default(),
            appealed: decision.is_some_and(|one| one.appealed),
        }
    };
    review.steps.iter().enumerate().map(view).collect()
}

fn comments(dossier: &Dossier) -> Vec<CommentView> {
    let first = dossier.comments.iter().filter(|comment| comment.answers.is_none());
    first
        .map(|comment| CommentView {
            id: comment.id.clone(),
            by: comment.display_name.clone(),
            at_ms: comment.created_ms,
            start_ms: comment.start_ms.and_then(|ms| u64::try_from(ms).ok()),
            page: comment.page,
            words: comment.words.clone(),
            resolved: comment.resolved_ms.is_some(),
            answers: dossier
                .comments
                .iter()
                .filter(|answer| answer.answers.as_ref() == Some(&comment.id))
                .map(|answer| {
                    (answer.display_name.clone(), answer.created_ms, answer.words.clone())
                })
                .collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn a_moment_is_read_as_people_write_it() {
        for (text, ms) in [
            ("", None),
            ("90", Some(90_000)),
            ("1:30", Some(90_000)),
            ("1：30", Some(90_000)),
            ("1:02:03.5", Some(3_723_500)),
        ] {
            assert_eq!(moment(text), Ok(ms), "{text}");
        }
        for wrong in ["x", "1:", ":", "-1", "1:2:3:4", "1e9", "99999999999"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
