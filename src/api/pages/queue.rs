//! The lists of what waits: reviews, complaints, appeals; and the form of a chain.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::super::chain::{chain_of, desk_of, step_at, step_for, step_of_team};
use super::super::complaints::{self, appeals_for, is_upheld};
use super::super::dossier::{case_name, level_name, role_name};
use super::super::listed::Listing;
use super::super::problem::ApiError;
use super::super::review::{QueueQuery, open_for};
use super::super::search::encode;
use super::super::sentences::rule;
use super::delegations;
use super::here::{Form, Here};
use crate::catalogue::{
    AppealedFrom, COMPLAINT_REASONS, Deciders, MAX_STEPS, Role, RuleError, label_of, level_word,
};
use crate::db;
use crate::pages::{
    self, ChainFormView, Lang, OpenAppeal, OpenComplaint, OpenReview, Paging, QueueItems, QueueTab,
    QueueView,
};
use crate::review::{Desk, cases, talk, withdraw};

const PER_PAGE: usize = 20;

/// Most teams that the form of a chain offers.
const MOST_TEAMS: i64 = 1000;

/// Which list, and what came of a form.
#[derive(Debug, Clone, Default, Deserialize)]
pub(in crate::api) struct ListQuery {
    #[serde(default)]
    all: String,
    #[serde(default)]
    library: String,
    #[serde(default)]
    q: String,
    page: Option<usize>,
    #[serde(default)]
    saved: String,
}

pub(in crate::api) async fn queue_page(
    here: Here,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let tab = if query.all.is_empty() { QueueTab::Mine } else { QueueTab::All };
    let asked = QueueQuery {
        mine: query.all.is_empty().then(String::new),
        library: query.library.clone(),
        q: query.q.clone(),
        ..QueueQuery::default()
    };
    let open = open_for(&here.app, here.caller(), here.reader.lang, &asked).await?;
    let (total, at) = (open.len(), query.page.unwrap_or(1).clamp(1, 1_000_000));
    let now_ms = here.app.now_ms();
    let rows = open.into_iter().skip((at - 1) * PER_PAGE).take(PER_PAGE).map(|one| {
        let review = &one.waiting.review;
        let step = review.waits_for().map(|step| step.name.clone()).unwrap_or_default();
        OpenReview {
            resource: review.resource.to_string(),
            kind: one.waiting.kind.parse().ok(),
            library: one.library.name.clone(),
            version: review.version,
            step: (step, review.step + 1, review.steps.len()),
            who: one.who.clone(),
            mine: one.mine,
            due_ms: review.due_ms,
            overdue: review.is_overdue(now_ms),
            by: one.waiting.by.clone(),
            title: one.waiting.title.clone(),
        }
    });
    let items = QueueItems::Reviews(rows.collect());
    let mut view = base(&here, tab, &query, items).await?;
    view.total = total;
    let all = if query.all.is_empty() { "" } else { "all=1&" };
    view.paging = paging(at, total, &format!("/review?{all}"), &query);
    Ok(here.show(|shell| pages::queue(shell, &view)))
}

pub(in crate::api) async fn complaints_page(
    here: Here,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let view = complaints_view(&here, &query).await?;
    Ok(here.show(|shell| pages::queue(shell, &view)))
}

async fn complaints_view(here: &Here, query: &ListQuery) -> Result<QueueView, ApiError> {
    let at = query.page.unwrap_or(1).clamp(1, 1_000_000);
    let asked = complaints::ListQuery {
        library: query.library.clone(),
        ..complaints::ListQuery::default()
    };
    let list = Listing {
        q: query.q.clone(),
        page: i64::try_from(at).ok(),
        per_page: Some(PER_PAGE as i64),
        ..Listing::default()
    };
    let (total, found) =
        complaints::found(&here.app, here.caller(), &asked, &list, list.span()).await?;
    let lang = here.reader.lang;
    let zh = lang == Lang::Zh;
    let rows = found.into_iter().map(|(complaint, title)| OpenComplaint {
        number: complaint.number.to_string(),
        resource: complaint.resource.to_string(),
        title,
        reason: label_of(COMPLAINT_REASONS, &complaint.reason, zh).to_owned(),
        words: complaint.words,
        contact: complaint.contact,
        at_ms: complaint.created_ms,
        state: complaint.state.as_str(),
        word: case_name(lang, complaint.state).to_owned(),
        answer: complaint.answer,
    });
    let items = QueueItems::Complaints(rows.collect());
    let mut view = base(here, QueueTab::Complaints, query, items).await?;
    view.total = usize::try_from(total).unwrap_or(0);
    let (library, q) = (encode(&query.library), encode(&query.q));
    view.export = Some(format!("/api/complaints?library={library}&q={q}&format=csv"));
    view.paging = paging(at, view.total, "/review/complaints?", query);
    Ok(view)
}

pub(in crate::api) async fn complaints_form(form: Form) -> Result<Response, ApiError> {
    let (here, fields) = (form.here, form.fields);
    let number = fields.one("of").parse().map_err(|_| ApiError::NotFound)?;
    let upheld = is_upheld(fields.one("verdict"))?;
    let said = fields.one("answer");
    let answered = cases::answer(&here.app, here.caller(), number, upheld, said).await;
    match answered.map_err(ApiError::from) {
        Ok(_) => Ok(Redirect::to("/review/complaints?saved=1").into_response()),
        Err(ApiError::Rule(broken @ (RuleError::BadField { .. } | RuleError::Conflict(_)))) => {
            let mut view = complaints_view(&here, &ListQuery::default()).await?;
            view.refusal = Some(rule(here.reader.lang, &broken));
            Ok(here.refuse(|shell| pages::queue(shell, &view)))
        }
        Err(error) => Err(error),
    }
}

pub(in crate::api) async fn appeals_page(
    here: Here,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let view = appeals_view(&here, &query).await?;
    Ok(here.show(|shell| pages::queue(shell, &view)))
}

async fn appeals_view(here: &Here, query: &ListQuery) -> Result<QueueView, ApiError> {
    let found = appeals_for(&here.app, here.caller()).await?;
    let at = query.page.unwrap_or(1).clamp(1, 1_000_000);
    let total = found.len();
    let shown = found.into_iter().skip((at - 1) * PER_PAGE).take(PER_PAGE);
    let rows = shown.map(|(appeal, title, library)| OpenAppeal {
        id: appeal.id,
        resource: appeal.resource.to_string(),
        title,
        library,
        withdrawal: matches!(appeal.from, AppealedFrom::Withdrawal(_)),
        words: appeal.words,
        at_ms: appeal.created_ms,
    });
    let items = QueueItems::Appeals(rows.collect());
    let mut view = base(here, QueueTab::Appeals, query, items).await?;
    view.total = total;
    view.paging = paging(at, total, "/review/appeals?", query);
    Ok(view)
}

pub(in crate::api) async fn appeals_form(form: Form) -> Result<Response, ApiError> {
    let (here, fields) = (form.here, form.fields);
    let upheld = is_upheld(fields.one("verdict"))?;
    let (of, said) = (fields.one("of"), fields.one("answer"));
    let answered = withdraw::answer_appeal(&here.app, here.caller(), of, upheld, said).await;
    match answered.map_err(ApiError::from) {
        Ok(_) => Ok(Redirect::to("/review/appeals?saved=1").into_response()),
        Err(ApiError::Rule(broken @ (RuleError::BadField { .. } | RuleError::Conflict(_)))) => {
            let mut view = appeals_view(&here, &ListQuery::default()).await?;
            view.refusal = Some(rule(here.reader.lang, &broken));
            Ok(here.refuse(|shell| pages::queue(shell, &view)))
        }
        Err(error) => Err(error),
    }
}

/// What the lists have in common.
async fn base(
    here: &Here,
    tab: QueueTab,
    query: &ListQuery,
    items: QueueItems,
) -> Result<QueueView, ApiError> {
    let (app, reader, caller) = (&here.app, &here.reader, here.caller());
    let mut db = app.db.read().await?;
    let all = db::libraries::list(&mut db).await?;
    drop(db);
    let manages = all.iter().any(|library| caller.is_librarian_of(library.id));
    let reads = all.iter().filter(|library| caller.is_reviewer_of(library.id));
    let libraries: Vec<_> =
        reads.map(|library| (library.slug.to_string(), library.name.clone())).collect();
    let mine = QueueQuery { mine: Some(String::new()), ..QueueQuery::default() };
    let waiting = open_for(app, caller, reader.lang, &mine).await?.len();
    let mut tabs = vec![(QueueTab::Mine, Some(waiting))];
    if !libraries.is_empty() {
        tabs.push((QueueTab::All, None));
    }
    if manages {
        tabs.push((QueueTab::Complaints, None));
    }
    let appeals = appeals_for(app, caller).await?.len();
    if appeals > 0 || tab == QueueTab::Appeals || manages {
        tabs.push((QueueTab::Appeals, Some(appeals)));
    }
    Ok(QueueView {
        tab,
        tabs,
        libraries,
        library: query.library.clone(),
        query: query.q.clone(),
        items,
        total: 0,
        export: None,
        paging: Paging { page: 1, pages: 1, href: String::new() },
        saved: (!query.saved.is_empty()).then(|| reader.lang.pick("已处理", "Done").to_owned()),
        refusal: None,
    })
}

fn paging(at: usize, total: usize, path: &str, query: &ListQuery) -> Paging {
    let href = format!("{path}library={}&q={}&page=", encode(&query.library), encode(&query.q));
    Paging {
        page: u32::try_from(at).unwrap_or(1),
        pages: u32::try_from(total.div_ceil(PER_PAGE)).unwrap_or(1),
        href,
    }
}

/// What came of the form of a chain.
#[derive(Debug, Default, Deserialize)]
pub(in crate::api) struct Came {
    #[serde(default)]
    saved: String,
}

pub(in crate::api) async fn chain_page(
    here: Here,
    Path(slug): Path<String>,
    Query(came): Query<Came>,
) -> Result<Response, ApiError> {
    let (desk, _) = desk_of(&here.app, here.caller(), &slug).await?;
    let steps = rows_of(&here, &desk).await?;
    let mut view = chain_view(&here, &desk, steps).await?;
    view.saved = !came.saved.is_empty();
    Ok(here.show(|shell| pages::chain_form(shell, &view)))
}

pub(in crate::api) async fn save_chain(
    Path(slug): Path<String>,
    form: Form,
) -> Result<Response, ApiError> {
    let (here, fields) = (form.here, form.fields);
    let (desk, library) = desk_of(&here.app, here.caller(), &slug).await?;
    let saved = || Redirect::to(&format!("/review/libraries/{slug}?saved=1")).into_response();
    match delegations::act(&here, &library, &fields).await {
        Ok(false) => {}
        Ok(true) => return Ok(saved()),
        Err(ApiError::Rule(broken @ RuleError::BadField { .. })) => {
            let rows = rows_of(&here, &desk).await?;
            return chain_refused(&here, &desk, rows, &broken).await;
        }
        Err(error) => return Err(error),
    }
    let all = |name| fields.each(name);
    let rows: Vec<_> = all("name")
        .into_iter()
        .zip(all("who"))
        .zip(all("account").into_iter().zip(all("days")))
        .map(|((name, who), (account, days))| {
            let days = days.parse().unwrap_or_default();
            (name.trim().to_owned(), who.to_owned(), account.to_owned(), days)
        })
        .collect();
    match keep(&here, &library, &rows).await {
        Ok(()) => Ok(saved()),
        Err(ApiError::Rule(broken @ RuleError::BadField { .. })) => {
            chain_refused(&here, &desk, rows, &broken).await
        }
        Err(error) => Err(error),
    }
}

/// The form again, with why it was not taken.
async fn chain_refused(
    here: &Here,
    desk: &Desk,
    rows: Vec<FormRow>,
    broken: &RuleError,
) -> Result<Response, ApiError> {
    let mut view = chain_view(here, desk, rows).await?;
    view.refusal = Some(rule(here.reader.lang, broken));
    Ok(here.refuse(|shell| pages::chain_form(shell, &view)))
}

/// The chain that holds, as the form has it.
async fn rows_of(here: &Here, desk: &Desk) -> Result<Vec<FormRow>, ApiError> {
    let mut steps = Vec::new();
    let mut db = here.app.db.read().await?;
    for step in &desk.chain.0 {
        let (who, account) = match step.who {
            Deciders::At { level, role } => {
                (format!("{}.{role}", level_word(level)), String::new())
            }
            Deciders::Account(id) => {
                let name = db::reviews::login_name(&mut db, id).await?;
                ("account".to_owned(), name.unwrap_or_default())
            }
            Deciders::Team(id) => (format!("team.{id}"), String::new()),
        };
        steps.push((step.name.clone(), who, account, step.days));
    }
    Ok(steps)
}

/// A step as the form has it: name, who, login name, days.
type FormRow = (String, String, String, i64);

async fn keep(
    here: &Here,
    library: &crate::catalogue::Library,
    rows: &[FormRow],
) -> Result<(), ApiError> {
    let mut forms = Vec::new();
    for (name, who, account, days) in rows.iter().filter(|row| !row.0.is_empty()) {
        forms.push(match who.split_once('.') {
            Some(("team", team)) => step_of_team(name, team, *days),
            Some((level, role)) => step_at(name, level, role, *days),
            None => step_for(name, account, *days),
        });
    }
    let chain = chain_of(&here.app, forms).await?;
    talk::set_chain(&here.app, here.caller(), library.id, chain).await?;
    Ok(())
}

async fn chain_view(
    here: &Here,
    desk: &Desk,
    mut steps: Vec<FormRow>,
) -> Result<ChainFormView, ApiError> {
    let lang = here.reader.lang;
    let mut who = Vec::new();
    let roles = [Role::Reviewer, Role::Librarian, Role::Administrator];
    for role in roles {
        let words = format!("{} · {}", desk.library.name, role_name(lang, role));
        who.push((format!("library.{role}"), words));
    }
    for at in desk.path.iter().rev() {
        for role in roles {
            let level = level_name(lang, at.level);
            let words = format!("{}（{level}）· {}", at.name, role_name(lang, role));
            who.push((format!("{}.{role}", at.level), words));
        }
    }
    who.push(("account".into(), lang.pick("指定一个人", "One person").to_owned()));
    let team = lang.pick("小组：", "Team: ");
    let mut db = here.app.db.read().await?;
    if let Ok(by) = here.authority() {
        let (_, teams) = db::teams::list(&mut db, &by.viewer(), None, (0, MOST_TEAMS)).await?;
        who.extend(
            teams
                .into_iter()
                .map(|one| (format!("team.{}", one.id), format!("{team}{}", one.name))),
        );
    }
    for (_, value, _, _) in &steps {
        // Those that others chose and the visitor does not look after stay as they are.
        let known = who.iter().any(|(known, _)| known == value);
        if let Some(id) =
            value.strip_prefix("team.").filter(|_| !known).and_then(|id| id.parse().ok())
        {
            let name = db::reviews::team_name(&mut db, id).await?.unwrap_or_default();
            who.push((value.clone(), format!("{team}{name}")));
        }
    }
    drop(db);
    while steps.len() < MAX_STEPS {
        steps.push((String::new(), "library.reviewer".into(), String::new(), 7));
    }
    steps.truncate(MAX_STEPS);
    Ok(ChainFormView {
        slug: desk.library.slug.to_string(),
        name: desk.library.name.clone(),
        steps,
        who,
        may_set: desk.may_set_chain(here.caller()),
        delegations: delegations::view(here, desk).await?,
        saved: false,
        refusal: None,
    })
}
