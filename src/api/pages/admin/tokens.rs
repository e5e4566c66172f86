//! The page of the tokens of the people whom somebody looks after.

use axum::extract::Query;
use axum::response::Response;

use super::super::super::listed::Listing;
use super::super::super::problem::ApiError;
use super::super::here::{Form, Here, done};
use crate::db::tokens;
use crate::net;
use crate::pages::{self, HeldTokenRow, Notice, TokensView};

pub(in crate::api) async fn tokens_page(
    here: Here,
    Query(list): Query<Listing>,
) -> Result<Response, ApiError> {
    let view = view(&here, &list, here.notice()).await?;
    Ok(here.show(|shell| pages::tokens(shell, &view)))
}

/// Revokes one.
pub(in crate::api) async fn tokens_form(form: Form) -> Result<Response, ApiError> {
    let here = form.here;
    let revoke = async {
        let by = here.authority()?;
        let mut tx = here.app.db.begin().await?;
        net::people::revoke_token(&mut tx, &by, form.fields.one("id")).await?;
        Ok::<_, ApiError>(tx.commit().await?)
    };
    match revoke.await {
        Ok(()) => Ok(done("/admin/tokens")),
        Err(error) => {
            let view = view(&here, &Listing::default(), here.refusal(error)?).await?;
            Ok(here.refuse(|shell| pages::tokens(shell, &view)))
        }
    }
}

async fn view(here: &Here, list: &Listing, notice: Notice) -> Result<TokensView, ApiError> {
    let by = here.authority()?;
    let words = list.words();
    let mut db = here.app.db.read().await?;
    let (total, found) =
        tokens::list_held(&mut db, &by.viewer(), words.as_deref(), list.span()).await?;
    let row = |one: tokens::Held| HeldTokenRow {
        ended: one.token.expires_ms.is_some_and(|expires_ms| expires_ms <= by.now_ms()),
        account: one.account,
        person: one.display_name,
        id: one.token.id,
        label: one.token.label,
        scopes: one.token.scopes,
        created_ms: one.token.created_ms,
        expires_ms: one.token.expires_ms,
    };
    Ok(TokensView {
        list: list.listed("/admin/tokens", "/api/people/tokens", total, &[]),
        rows: found.into_iter().map(row).collect(),
        notice,
    })
}
