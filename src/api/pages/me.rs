//! The page of one's own account.

use axum::response::Response;

use super::super::identity::unlink_own;
use super::super::me::{
    NewPassword, change_password, edit_own, end_own_session, make, own, revoke_own_token,
};
use super::super::people::Names;
use super::super::problem::ApiError;
use super::super::session::{Browser, MIN_PASSWORD};
use super::here::{Form, Here, done};
use super::identity::{identity_rows, name_of, provider_links};
use super::login::refused;
use super::studio::Fields;
use crate::catalogue::{Email, Phone, RuleError, TokenScopes};
use crate::db;
use crate::net::people::Edit;
use crate::pages::{self, Lang, MeView, SessionRow, TokenRow, role_word};

pub(in crate::api) async fn me_page(here: Here) -> Result<Response, ApiError> {
    let view = MeView { good: here.notice().good, ..view(&here).await? };
    Ok(here.show(|shell| pages::me(shell, &view)))
}

pub(in crate::api) async fn me_form(browser: Browser, form: Form) -> Result<Response, ApiError> {
    let here = form.here;
    let (bad, token) = match act(&here, &browser, &form.fields).await {
        Ok(Done::Saved) => return Ok(done("/me")),
        Ok(Done::Token(token)) => (None, Some(token)),
        Ok(Done::Refused(why)) => (Some(why.to_owned()), None),
        Err(error) => (here.refusal(error)?.bad, None),
    };
    let refused = bad.is_some();
    let view = MeView { bad, token, ..view(&here).await? };
    let shown = |shell: &pages::Shell| pages::me(shell, &view);
    Ok(if refused { here.refuse(shown) } else { here.show(shown) })
}

/// The page with why something was not done.
pub(super) async fn refused_page(here: &Here, why: String) -> Result<Response, ApiError> {
    let view = MeView { bad: Some(why), ..view(here).await? };
    Ok(here.refuse(|shell| pages::me(shell, &view)))
}

enum Done {
    Saved,
    Token(String),
    Refused(&'static str),
}

async fn act(here: &Here, browser: &Browser, fields: &Fields) -> Result<Done, ApiError> {
    let Here { app, reader, visitor } = here;
    let id = visitor.caller.account()?.id;
    match fields.one("act") {
        "save" => {
            let text = |name| Some(fields.one(name).to_owned());
            let edit = Edit {
                display_name: text("display_name"),
                phone: text("phone"),
                email: text("email"),
                ..Edit::default()
            };
            edit_own(app, id, &edit).await?;
        }
        "password" => {
            let (new, again) = (fields.one("new"), fields.one("again"));
            if let Some(why) = refused(reader, new, again) {
                return Ok(Done::Refused(why));
            }
            let revoke_tokens = fields.one("revoke_tokens") == "true";
            let old = fields.one("old").to_owned();
            let new = NewPassword { old, new: new.to_owned(), revoke_tokens };
            change_password(app, visitor, browser, &new).await?;
        }
        "unlink" => unlink_own(app, visitor, fields.one("id")).await?,
        "end" => end_own_session(app, id, fields.one("id")).await?,
        "revoke" => revoke_own_token(app, id, fields.one("id")).await?,
        "token" => {
            let scopes = fields.all("scope");
            let scopes = TokenScopes::of(scopes.iter().map(String::as_str))?;
            let days = fields.one("days").trim();
            let bad =
                || RuleError::BadField { field: "days", value: days.chars().take(40).collect() };
            let days = match days {
                "" => None,
                _ => Some(days.parse::<i64>().map_err(|_| bad())?),
            };
            let (_, token) = make(app, visitor, fields.one("label"), scopes, days).await?;
            return Ok(Done::Token(token));
        }
        other => return Err(ApiError::bad(other.chars().take(40).collect::<String>())),
    }
    Ok(Done::Saved)
}

async fn view(Here { app, reader, visitor }: &Here) -> Result<MeView, ApiError> {
    let account = visitor.caller.account()?;
    let mut db = app.db.read().await?;
    let person = own(&mut db, account.id).await?;
    let names = Names::read(&mut db).await?;
    let held = db::people::held_by(&mut db, account.id).await?;
    let now_ms = app.now_ms();
    let held = held.iter().filter(|grant| grant.ends_ms.is_none_or(|ends_ms| ends_ms > now_ms));
    let word = |grant: &db::grants::Grant| {
        format!("{} · {}", role_word(reader.lang, grant.role), names.place(grant.on))
    };
    let sessions = db::sessions::list(&mut db, account.id, now_ms).await?;
    let session = |one: db::sessions::Session| SessionRow {
        current: visitor.session.as_ref() == Some(&one.id),
        id: one.id,
        address: one.address,
        provider: one.provider.map(|key| match app.providers.find(&key) {
            Some(known) => name_of(reader.lang, &known.settings).to_owned(),
            None => key,
        }),
        browser: browser_of(reader.lang, &one.agent),
        created_ms: one.created_ms,
        seen_ms: one.seen_ms,
    };
    let token = |one: db::tokens::Token| TokenRow {
        id: one.id,
        label: one.label,
        scopes: one.scopes,
        created_ms: one.created_ms,
        expires_ms: one.expires_ms,
    };
    Ok(MeView {
        name: person.name,
        display_name: person.display_name,
        phone: person.phone.as_ref().map(Phone::to_string).unwrap_or_default(),
        email: person.email.as_ref().map(Email::as_str).unwrap_or_default().to_owned(),
        home: person.home.map(|id| names.organisation(id).to_owned()).unwrap_or_default(),
        roles: held.map(word).collect(),
        sessions: sessions.into_iter().map(session).collect(),
        tokens: db::tokens::list(&mut db, account.id).await?.into_iter().map(token).collect(),
        identities: identity_rows(app, &mut db, reader.lang, account.id).await?,
        providers: provider_links(app, reader.lang, "", &visitor.csrf),
        has_password: person.has_password,
        token: None,
        shortest: MIN_PASSWORD,
        good: None,
        bad: None,
    })
}

/// A browser and its system, as people call them.
fn browser_of(lang: Lang, agent: &str) -> String {
    let first = |known: &[(&str, &'static str)]| {
        known.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, name)| *name)
    };
    // Each of them names those after it too.
    let browser = first(&[
        ("MicroMessenger", "微信"),
        ("HuaweiBrowser", "华为浏览器"),
        ("MiuiBrowser", "小米浏览器"),
        ("QQBrowser", "QQ 浏览器"),
        ("Edg", "Edge"),
        ("Firefox", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ]);
    let system = first(&[
        ("HarmonyOS", "鸿蒙"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "Mac"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} · {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) if agent.is_empty() => lang.pick("不知道的浏览器", "Some browser").to_owned(),
        (None, None) => agent.chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_by_their_names() {
        let phone = "Mozilla/5.0 (Linux; Android 14; V2309A) AppleWebKit/537.36 Chrome/116 MicroMessenger/8.0";
        assert_eq!(browser_of(Lang::Zh, phone), "微信 · Android");
        let desk =
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/116 Safari/537.36 Edg/116";
        assert_eq!(browser_of(Lang::Zh, desk), "Edge · Windows");
        assert_eq!(browser_of(Lang::En, ""), "Some browser");
        assert_eq!(browser_of(Lang::Zh, "curl/8.5"), "curl/8.5");
    }
}
