//! The lists of what waits: reviews, complaints, appeals; and the form of a chain.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use serde::Deserialize;

use super::super::caller::Visitor;
use super::super::chain::{chain_of, desk_of, step_at, step_for, step_of_team};
use super::super::complaints::{self, appeals_for, is_upheld};
use super::super::dossier::{case_name, level_name, role_name};
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::review::{QueueQuery, open_for};
use super::super::search::encode;
use super::super::sentences::rule;
use super::delegations;
use super::shell::{page, shell};
use super::studio::{Fields, check_csrf};
use crate::app::App;
use crate::catalogue::{
    AppealedFrom, COMPLAINT_REASONS, Deciders, MAX_STEPS, Role, RuleError, label_of, level_word,
};
use crate::db;
use crate::net::authority::Authority;
use crate::pages::{
    self, ChainFormView, Lang, OpenAppeal, OpenComplaint, OpenReview, Paging, QueueItems, QueueTab,
    QueueView,
};
use crate::review::{Desk, cases, talk, withdraw};

const PER_PAGE: usize = 20;

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
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    if visitor.caller.0.is_none() {
        return Ok(Redirect::to("/login?next=/review").into_response());
    }
    let tab = if query.all.is_empty() { QueueTab::Mine } else { QueueTab::All };
    let asked = QueueQuery {
        mine: query.all.is_empty().then(String::new),
        library: query.library.clone(),
        q: query.q.clone(),
        ..QueueQuery::default()
    };
    let open = open_for(&app, &visitor.caller, reader.lang, &asked).await?;
    let (total, at) = (open.len(), query.page.unwrap_or(1).clamp(1, 1_000_000));
    let now_ms = app.now_ms();
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
    let mut view = base(&app, &reader, &visitor, tab, &query, items).await?;
    let all = if query.all.is_empty() { "" } else { "all=1&" };
    view.paging = paging(at, total, &format!("/review?{all}"), &query);
    Ok(page(&reader, pages::queue(&shell(&app, &reader, &visitor), &view)))
}

pub(in crate::api) async fn complaints_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    if visitor.caller.0.is_none() {
        return Ok(Redirect::to("/login?next=/review/complaints").into_response());
    }
    let view = complaints_view(&app, &reader, &visitor, &query).await?;
    Ok(page(&reader, pages::queue(&shell(&app, &reader, &visitor), &view)))
}

async fn complaints_view(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    query: &ListQuery,
) -> Result<QueueView, ApiError> {
    let at = query.page.unwrap_or(1).clamp(1, 1_000_000);
    let asked = complaints::ListQuery {
        library: query.library.clone(),
        q: query.q.clone(),
        page: i64::try_from(at).ok(),
        ..complaints::ListQuery::default()
    };
    let (total, found) = complaints::found(app, &visitor.caller, &asked, PER_PAGE as i64).await?;
    let zh = reader.lang == Lang::Zh;
    let rows = found.into_iter().map(|(complaint, title)| OpenComplaint {
        number: complaint.number.to_string(),
        resource: complaint.resource.to_string(),
        title,
        reason: label_of(COMPLAINT_REASONS, &complaint.reason, zh).to_owned(),
        words: complaint.words,
        contact: complaint.contact,
        at_ms: complaint.created_ms,
        state: complaint.state.as_str(),
        word: case_name(reader.lang, complaint.state).to_owned(),
        answer: complaint.answer,
    });
    let items = QueueItems::Complaints(rows.collect());
    let mut view = base(app, reader, visitor, QueueTab::Complaints, query, items).await?;
    view.paging = paging(at, usize::try_from(total).unwrap_or(0), "/review/complaints?", query);
    Ok(view)
}

pub(in crate::api) async fn complaints_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    body: String,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    let number = fields.one("of").parse().map_err(|_| ApiError::NotFound)?;
    let upheld = is_upheld(fields.one("verdict"))?;
    let said = fields.one("answer");
    match cases::answer(&app, &visitor.caller, number, upheld, said).await.map_err(ApiError::from) {
        Ok(_) => Ok(Redirect::to("/review/complaints?saved=1").into_response()),
        Err(ApiError::Rule(broken @ (RuleError::BadField { .. } | RuleError::Conflict(_)))) => {
            let mut view = complaints_view(&app, &reader, &visitor, &ListQuery::default()).await?;
            view.refusal = Some(rule(reader.lang, &broken));
            Ok(refused(&app, &reader, &visitor, &view))
        }
        Err(error) => Err(error),
    }
}

pub(in crate::api) async fn appeals_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    if visitor.caller.0.is_none() {
        return Ok(Redirect::to("/login?next=/review/appeals").into_response());
    }
    let view = appeals_view(&app, &reader, &visitor, &query).await?;
    Ok(page(&reader, pages::queue(&shell(&app, &reader, &visitor), &view)))
}

async fn appeals_view(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    query: &ListQuery,
) -> Result<QueueView, ApiError> {
    let found = appeals_for(app, &visitor.caller).await?;
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
    let mut view = base(app, reader, visitor, QueueTab::Appeals, query, items).await?;
    view.paging = paging(at, total, "/review/appeals?", query);
    Ok(view)
}

pub(in crate::api) async fn appeals_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    body: String,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    let upheld = is_upheld(fields.one("verdict"))?;
    let (of, said) = (fields.one("of"), fields.one("answer"));
    let answered = withdraw::answer_appeal(&app, &visitor.caller, of, upheld, said).await;
    match answered.map_err(ApiError::from) {
        Ok(_) => Ok(Redirect::to("/review/appeals?saved=1").into_response()),
        Err(ApiError::Rule(broken @ (RuleError::BadField { .. } | RuleError::Conflict(_)))) => {
            let mut view = appeals_view(&app, &reader, &visitor, &ListQuery::default()).await?;
            view.refusal = Some(rule(reader.lang, &broken));
            Ok(refused(&app, &reader, &visitor, &view))
        }
        Err(error) => Err(error),
    }
}

fn refused(app: &App, reader: &Reader, visitor: &Visitor, view: &QueueView) -> Response {
    let mut response = page(reader, pages::queue(&shell(app, reader, visitor), view));
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    response
}

/// What the lists have in common.
async fn base(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    tab: QueueTab,
    query: &ListQuery,
    items: QueueItems,
) -> Result<QueueView, ApiError> {
    let caller = &visitor.caller;
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
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(slug): Path<String>,
    Query(came): Query<Came>,
) -> Result<Response, ApiError> {
    if visitor.caller.0.is_none() {
        return Ok(Redirect::to(&format!("/login?next=/review/libraries/{slug}")).into_response());
    }
    let (desk, _) = desk_of(&app, &visitor.caller, &slug).await?;
    let steps = rows_of(&app, &desk).await?;
    let mut view = chain_view(&app, &reader, &visitor, &desk, steps).await?;
    view.saved = !came.saved.is_empty();
    Ok(page(&reader, pages::chain_form(&shell(&app, &reader, &visitor), &view)))
}

pub(in crate::api) async fn save_chain(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(slug): Path<String>,
    body: String,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    let (desk, library) = desk_of(&app, &visitor.caller, &slug).await?;
    let saved = || Redirect::to(&format!("/review/libraries/{slug}?saved=1")).into_response();
    match delegations::act(&app, &visitor, &library, &fields).await {
        Ok(false) => {}
        Ok(true) => return Ok(saved()),
        Err(ApiError::Rule(broken @ RuleError::BadField { .. })) => {
            let rows = rows_of(&app, &desk).await?;
            return chain_refused(&app, &reader, &visitor, &desk, rows, &broken).await;
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
    match keep(&app, &visitor, &library, &rows).await {
        Ok(()) => Ok(saved()),
        Err(ApiError::Rule(broken @ RuleError::BadField { .. })) => {
            chain_refused(&app, &reader, &visitor, &desk, rows, &broken).await
        }
        Err(error) => Err(error),
    }
}

/// The form again, with why it was not taken.
async fn chain_refused(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    desk: &Desk,
    rows: Vec<FormRow>,
    broken: &RuleError,
) -> Result<Response, ApiError> {
    let mut view = chain_view(app, reader, visitor, desk, rows).await?;
    view.refusal = Some(rule(reader.lang, broken));
    let mut response = page(reader, pages::chain_form(&shell(app, reader, visitor), &view));
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// The chain that holds, as the form has it.
async fn rows_of(app: &App, desk: &Desk) -> Result<Vec<FormRow>, ApiError> {
    let mut steps = Vec::new();
    let mut db = app.db.read().await?;
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
    app: &App,
    visitor: &Visitor,
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
    let chain = chain_of(app, forms).await?;
    talk::set_chain(app, &visitor.caller, library.id, chain).await?;
    Ok(())
}

async fn chain_view(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    desk: &Desk,
    mut steps: Vec<FormRow>,
) -> Result<ChainFormView, ApiError> {
    let lang = reader.lang;
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
    let mut db = app.db.read().await?;
    if let Ok(by) = Authority::of(&visitor.caller, app.now_ms()) {
        for one in db::teams::list(&mut db, &by.viewer(), None).await? {
            who.push((format!("team.{}", one.id), format!("{team}{}", one.name)));
        }
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
        may_set: desk.may_set_chain(&visitor.caller),
        delegations: delegations::view(app, visitor, desk).await?,
        saved: false,
        refusal: None,
    })
}
