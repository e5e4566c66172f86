//! Pages on which many resources are changed at once: by a table, or by a choice in the list.

use std::collections::BTreeMap;

use axum::extract::{Multipart, Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::header::REFRESH;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;

use super::super::batches::{self, BatchView, RowsQuery, begin};
use super::super::caller::Visitor;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::search::encode;
use super::super::tables::take;
use super::shell::{page, shell};
use super::studio::{Fields, check_csrf};
use crate::app::App;
use crate::batch::chosen::{self, Chosen, Wanted};
use crate::batch::columns;
use crate::batch::plan::Options;
use crate::batch::which::{self, Which};
use crate::catalogue::{Act, Batch, FieldValue, ResourceId};
use crate::db;
use crate::pages::{
    self, BatchLink, BatchPage, BatchPageRow, BulkView, CountTab, Lang, Notice, TablesView,
};

/// Batches that are listed.
const LATELY: i64 = 10;

/// Titles of chosen resources that are shown.
const TITLES: usize = 12;

/// Seconds after which the page of a batch that is being made is read again.
const AGAIN: HeaderValue = HeaderValue::from_static("3");

pub(in crate::api) async fn tables_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    tables(&app, &reader, &visitor, Notice::default()).await
}

async fn tables(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    notice: Notice,
) -> Result<Response, ApiError> {
    let caller = &visitor.caller;
    let mut db = app.db.read().await?;
    let libraries = db::libraries::list(&mut db).await?.into_iter();
    let ours = libraries.filter(|library| caller.is_author_of(library.id));
    let batches = db::batches::list(&mut db, caller.account()?.id, LATELY).await?;
    drop(db);
    let refused = notice.bad.is_some();
    let view = TablesView {
        libraries: ours.map(|library| (library.slug.to_string(), library.name)).collect(),
        whole: caller.is_administrator(),
        max_rows: app.config.tables.max_rows,
        notice,
        batches: batches
            .iter()
            .map(|batch| BatchLink {
                href: format!("/studio/batches/{}", batch.id),
                label: label(reader.lang, batch.act.as_str(), &batch.name),
                created_ms: batch.created_ms,
                state: batch.state.as_str(),
            })
            .collect(),
    };
    let mut response = page(reader, pages::tables(&shell(app, reader, visitor), &view));
    if refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// Whence a batch is.
fn label(lang: Lang, act: &str, table: &str) -> String {
    let what = match act {
        "publish" => lang.pick("批量发布", "Publishing"),
        "withdraw" => lang.pick("批量下架", "Withdrawing"),
        _ if table.is_empty() => lang.pick("批量修改", "Changes"),
        _ => lang.pick("表格：", "Table: "),
    };
    format!("{what}{table}")
}

/// A table: `file`, and `overwrite`.
pub(in crate::api) async fn tables_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    mut form: Multipart,
) -> Result<Response, ApiError> {
    let bad = |error: axum::extract::multipart::MultipartError| ApiError::bad(error.to_string());
    let (mut csrf, mut options, mut bytes) = (String::new(), Options::default(), Vec::new());
    while let Some(field) = form.next_field().await.map_err(bad)? {
        match field.name().unwrap_or("") {
            "csrf" => csrf = field.text().await.map_err(bad)?,
            "overwrite" => options.overwrite = field.text().await.map_err(bad)? == "true",
            "file" => {
                options.name = field.file_name().unwrap_or("").to_owned();
                bytes = field.bytes().await.map_err(bad)?.to_vec();
            }
            _ => {}
        }
    }
    check_csrf(&visitor, &csrf)?;
    match take(&app, &visitor.caller, bytes, options).await {
        Ok(batch) => Ok(shown(&batch)),
        Err(error) if error.is_refusal() => {
            let notice = Notice { good: None, bad: Some(error.worded(reader.lang)) };
            tables(&app, &reader, &visitor, notice).await
        }
        Err(error) => Err(error),
    }
}

fn shown(batch: &Batch) -> Response {
    Redirect::to(&format!("/studio/batches/{}", batch.id)).into_response()
}

pub(in crate::api) async fn batch_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<RowsQuery>,
) -> Result<Response, ApiError> {
    let found = batches::view(&app, &visitor.caller, reader.lang, &id, &query).await?;
    let view = batch_view(reader.lang, found, &query);
    let applying = view.state == "applying";
    let mut response = page(&reader, pages::batch(&shell(&app, &reader, &visitor), &view));
    if applying {
        response.headers_mut().insert(REFRESH, AGAIN);
    }
    Ok(response)
}

/// `act`: apply.
pub(in crate::api) async fn batch_form(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    body: String,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    begin(&app, &visitor.caller, &id).await?;
    Ok(Redirect::to(&format!("/studio/batches/{id}")).into_response())
}

fn batch_view(lang: Lang, found: BatchView, query: &RowsQuery) -> BatchPage {
    let here = format!("/studio/batches/{}", found.id);
    let tabs = [
        ("planned", found.planned, lang.pick("将修改", "To be changed")),
        ("done", found.done, lang.pick("已修改", "Changed")),
        ("handed_in", found.handed_in, lang.pick("已提交审核", "In review")),
        ("refused", found.refused, lang.pick("不能修改", "Refused")),
        ("failed", found.failed, lang.pick("没有成功", "Failed")),
    ];
    let tab = |(code, count, label)| CountTab {
        label,
        count,
        href: format!("{here}?outcome={code}"),
        on: query.outcome == code,
    };
    let row = |row: batches::RowView| BatchPageRow {
        number: row.number,
        title: if row.title.is_empty() { row.resource.clone() } else { row.title },
        resource: row.resource.parse::<ResourceId>().map(|id| id.to_string()).unwrap_or_default(),
        outcome: row.outcome,
        for_review: row.for_review,
        changes: row.changes.into_iter().map(|c| (c.heading, c.before, c.after)).collect(),
        problems: row.problems.into_iter().map(|p| (p.heading, p.detail)).collect(),
    };
    BatchPage {
        report: format!("/api/batches/{}/rows.csv", found.id),
        label: label(lang, found.action, &found.table),
        state: found.state,
        counts: tabs.into_iter().filter(|(_, count, _)| *count > 0).map(tab).collect(),
        total: found.total,
        unchanged: found.unchanged,
        planned: found.planned,
        planned_for_review: found.planned_for_review,
        notes: found.notes,
        rows: found.rows.into_iter().map(row).collect(),
        next: found.next.map(|after| format!("{here}?outcome={}&after={after}", query.outcome)),
        here,
    }
}

/// Which resources the form is about.
#[derive(Debug, Default, Deserialize)]
pub(in crate::api) struct BulkQuery {
    #[serde(default)]
    library: String,
    #[serde(default)]
    stage: String,
}

/// `id`, several; or `all` with `library` and `stage`.
pub(in crate::api) async fn bulk_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Query(query): Query<BulkQuery>,
    axum::extract::RawQuery(raw): axum::extract::RawQuery,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(raw.as_deref().unwrap_or(""));
    let ids = if fields.find("all").is_some() { Vec::new() } else { fields.all("id") };
    if ids.is_empty() && fields.find("all").is_none() {
        let back =
            format!("/studio?library={}&stage={}", encode(&query.library), encode(&query.stage));
        return Ok(Redirect::to(&back).into_response());
    }
    let (library, stage) = (query.library, query.stage);
    bulk(&app, &reader, &visitor, BulkView { ids, library, stage, ..BulkView::default() }).await
}

fn which_of(view: &BulkView) -> Which {
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    Which { library: given(&view.library), kind: None, stage: given(&view.stage) }
}

async fn bulk(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    view: BulkView,
) -> Result<Response, ApiError> {
    let mut db = app.db.read().await?;
    let (count, found) = if view.ids.is_empty() {
        let filter = which::editable(&mut db, &visitor.caller, &which_of(&view)).await?;
        db::resources::list(&mut db, &filter, 0, TITLES as i64).await?
    } else {
        let ids: Vec<ResourceId> = view.ids.iter().filter_map(|id| id.parse().ok()).collect();
        let found = which::these(&mut db, &visitor.caller, &ids).await?;
        (found.len() as i64, found.into_values().collect())
    };
    drop(db);
    let titles = found.into_iter().take(TITLES).map(|one| one.details.title).collect();
    let refused = view.notice.bad.is_some();
    let view = BulkView { count, titles, ..view };
    let mut response = page(reader, pages::bulk(&shell(app, reader, visitor), &view));
    if refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// `id`, several, or `library` and `stage`; `act`, and what is wanted: `set.COLUMN`, `list.COLUMN`
/// with `add:CODE` or `remove:CODE`, `reason`.
pub(in crate::api) async fn bulk_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    body: String,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    let view = BulkView {
        ids: fields.all("id"),
        library: fields.one("library").to_owned(),
        stage: fields.one("stage").to_owned(),
        ..BulkView::default()
    };
    let chosen = match view.ids.is_empty() {
        true => Chosen::All(which_of(&view)),
        false => Chosen::These(view.ids.clone()),
    };
    let made = async {
        let wanted = wanted(&fields)?;
        Ok::<_, ApiError>(chosen::of_choice(&app, &visitor.caller, &chosen, &wanted).await?)
    };
    match made.await {
        Ok(batch) => Ok(shown(&batch)),
        Err(error) if error.is_refusal() => {
            let notice = Notice { good: None, bad: Some(error.worded(reader.lang)) };
            bulk(&app, &reader, &visitor, BulkView { notice, ..view }).await
        }
        Err(error) => Err(error),
    }
}

fn wanted(fields: &Fields) -> Result<Wanted, ApiError> {
    let act: Act = fields.one("act").parse()?;
    let mut wanted = Wanted {
        act,
        set: BTreeMap::new(),
        add: BTreeMap::new(),
        remove: BTreeMap::new(),
        reason: fields.one("reason").to_owned(),
    };
    for column in columns::COLUMNS.iter().filter(|column| column.may_change()) {
        let text = fields.one(&format!("set.{}", column.code)).trim();
        if !text.is_empty() {
            wanted.set.insert(column.code.to_owned(), FieldValue::One(text.to_owned()));
        }
        for value in fields.all(&format!("list.{}", column.code)) {
            let (list, code) = match value.split_once(':') {
                Some(("add", code)) => (&mut wanted.add, code),
                Some(("remove", code)) => (&mut wanted.remove, code),
                _ => continue,
            };
            list.entry(column.code.to_owned()).or_default().push(code.to_owned());
        }
    }
    Ok(wanted)
}
